import {
  activeChildren,
  type Connection,
  Connection as ConnectionClass,
  currentProcess,
  isMainProcess,
  Pipe,
  Process,
  parentProcess,
  Queue,
} from '@mp/worker-threads'
import { expectTypeOf } from 'vitest'

// Never run: the package's typecheck compiles it.

declare function square(n: number): number
declare function squares(numbers: number[], queue: Queue<number>): Promise<void>
declare function label(text: string, upper?: boolean): Promise<string>
declare function sum(...numbers: number[]): number
declare function fetchLater(): PromiseLike<Date>
declare function identity<T>(value: T): T
declare function fail(): never
declare const readonlyNumbers: readonly number[]

// A package's names are classes and types alike.
{
  let queue: Queue<number>
  queue = new Queue<number>()
  queue = new Queue<number>(10)
  queue = new Queue()
  expectTypeOf(queue).toEqualTypeOf<Queue<number>>()
  expectTypeOf(new Queue()).toEqualTypeOf<Queue<unknown>>()
  const child: Process<[n: number], number> = new Process({ target: square, args: [1] })
  expectTypeOf(child).toEqualTypeOf<Process<[n: number], number>>()
  const anyChild: Process = child
  // @ts-expect-error: a bound is a number
  new Queue<number>('10')
  // @ts-expect-error: a queue of strings is no queue of numbers
  queue = new Queue<string>()
  const value: unknown = queue
  if (value instanceof Queue) expectTypeOf(value).toEqualTypeOf<Queue<unknown>>()
  if (value instanceof Process) expectTypeOf(value.exitCode).toEqualTypeOf<number | null>()
  void anyChild
}

// The target's parameters check `args`.
{
  const queue = new Queue<number>()
  new Process({ target: squares, args: [[1, 2], queue] })
  new Process({ target: label, args: ['a'] })
  new Process({ target: label, args: ['a', true] })
  new Process({ target: sum, args: [1, 2, 3] })
  new Process({ target: fetchLater })
  new Process({ target: fetchLater, args: [] })
  new Process()
  new Process({ name: 'idle', daemon: true })
  // @ts-expect-error: a number is needed
  new Process({ target: square, args: ['1'] })
  // @ts-expect-error: the argument is missing
  new Process({ target: square, args: [] })
  // @ts-expect-error: one too many
  new Process({ target: square, args: [1, 2] })
  // @ts-expect-error: args is an array
  new Process({ target: square, args: 1 })
  // @ts-expect-error: numbers go one by one here
  new Process({ target: sum, args: [[1, 2, 3]] })
  // @ts-expect-error: the queue holds strings
  new Process({ target: squares, args: [[1], new Queue<string>()] })
  // @ts-expect-error: the second argument is missing
  new Process({ target: squares, args: [[1, 2]] })
  // @ts-expect-error: the target was called
  new Process({ target: square(1) })
  // @ts-expect-error: a target has no name alone
  new Process({ target: 'square', args: [1] })
  // @ts-expect-error: no such option
  new Process({ traget: square, args: [1] })
}

// A result is what the target returns, awaited.
{
  const child = new Process({ target: label, args: ['a'] })
  expectTypeOf(child.result()).toEqualTypeOf<Promise<string>>()
  expectTypeOf(child.result({ timeout: 10 })).toEqualTypeOf<Promise<string>>()
  expectTypeOf(new Process({ target: square, args: [1] }).result()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(new Process({ target: fetchLater }).result()).toEqualTypeOf<Promise<Date>>()
  expectTypeOf(new Process({ target: squares, args: [[1], new Queue<number>()] }).result()).toEqualTypeOf<
    Promise<void>
  >()
  expectTypeOf(new Process({ target: fail }).result()).toEqualTypeOf<Promise<never>>()
}

// Process.run infers likewise.
expectTypeOf(Process.run(square, 1)).toEqualTypeOf<Promise<number>>()
expectTypeOf(Process.run(label, 'a')).toEqualTypeOf<Promise<string>>()
expectTypeOf(Process.run(label, 'a', true)).toEqualTypeOf<Promise<string>>()
expectTypeOf(Process.run(fetchLater)).toEqualTypeOf<Promise<Date>>()
expectTypeOf(Process.run(sum, ...readonlyNumbers)).toEqualTypeOf<Promise<number>>()
expectTypeOf(Process.run(squares, [1], new Queue<number>())).toEqualTypeOf<Promise<void>>()
expectTypeOf(Process.run(identity<string>, 'a')).toEqualTypeOf<Promise<string>>()
// @ts-expect-error: a number is needed
Process.run(square, '1')
// @ts-expect-error: the argument is missing
Process.run(square)
// @ts-expect-error: one too many
Process.run(square, 1, 2)

// A target by name is not known: any arguments, an unknown result.
{
  const target = { module: new URL('./anywhere.js', import.meta.url), export: 'work' }
  const child = new Process({ target, args: [1, 'a', new Queue<number>()] })
  expectTypeOf(child.result()).toEqualTypeOf<Promise<unknown>>()
  new Process({ target, args: [] })
  new Process({ target })
  new Process({ target: { module: 'package', export: 'work' }, args: [{}] })
  expectTypeOf(Process.run(target, 1, 'a')).toEqualTypeOf<Promise<unknown>>()
  expectTypeOf(Process.run<[number], string>(target, 1)).toEqualTypeOf<Promise<string>>()
  // @ts-expect-error: which export?
  new Process({ target: { module: target.module } })
}

// What a process says of itself.
{
  const child = new Process({ target: square, args: [1] })
  expectTypeOf(child.exitCode).toEqualTypeOf<number | null>()
  expectTypeOf(child.pid).toEqualTypeOf<number | null>()
  expectTypeOf(child.name).toEqualTypeOf<string>()
  expectTypeOf(child.daemon).toEqualTypeOf<boolean>()
  expectTypeOf(child.exited).toEqualTypeOf<Promise<number>>()
  expectTypeOf(child.start()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(child.join()).toEqualTypeOf<Promise<number | null>>()
  expectTypeOf(child.isAlive()).toEqualTypeOf<boolean>()
  expectTypeOf(activeChildren()).toEqualTypeOf<Process[]>()
  expectTypeOf(currentProcess().pid).toEqualTypeOf<number>()
  expectTypeOf(parentProcess()?.pid).toEqualTypeOf<number | undefined>()
  expectTypeOf(isMainProcess).toEqualTypeOf<boolean>()
  expectTypeOf(child).toExtend<AsyncDisposable>()
  child.name = 'other'
  child.daemon = true
  // @ts-expect-error: read-only
  child.exitCode = 0
  // @ts-expect-error: read-only
  child.pid = 1
  // @ts-expect-error: options, not a number of milliseconds
  child.join(10)
}

// A queue takes and gives its items' type.
async function useQueue(queue: Queue<number>, points: Queue<{ x: number }>): Promise<void> {
  expectTypeOf(queue.put(1)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(queue.get()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(queue.getNowait()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(queue.empty()).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(queue.qsize()).toEqualTypeOf<Promise<number>>()
  for await (const item of queue) expectTypeOf(item).toEqualTypeOf<number>()
  for await (const { x } of points) expectTypeOf(x).toEqualTypeOf<number>()
  for await (const item of new Queue()) expectTypeOf(item).toEqualTypeOf<unknown>()
  expectTypeOf(queue).toExtend<AsyncIterable<number> & AsyncDisposable>()
  queue.put(1, { timeout: 10, signal: new AbortController().signal })
  // @ts-expect-error: an item is a number
  queue.put('1')
  // @ts-expect-error: an item is a number
  queue.putNowait('1')
  // @ts-expect-error: the item is missing
  queue.put()
  // @ts-expect-error: options, not a number of milliseconds
  queue.get(10)
  // @ts-expect-error: options have names
  queue.get(true, 0.5)
  // @ts-expect-error: an empty() that is not awaited is always true
  if (queue.empty()) return
}

// The ends of a pipe mirror each other.
async function usePipe(): Promise<void> {
  const [here, there] = Pipe<string, number>()
  expectTypeOf(here).toEqualTypeOf<Connection<string, number>>()
  expectTypeOf(there).toEqualTypeOf<Connection<number, string>>()
  expectTypeOf(here.recv()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(there.recv()).toEqualTypeOf<Promise<string>>()
  expectTypeOf(here.poll(10)).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(here.recvBytes()).resolves.toExtend<Uint8Array>()
  expectTypeOf(here).toExtend<AsyncIterable<number> & AsyncDisposable>()
  for await (const value of there) expectTypeOf(value).toEqualTypeOf<string>()
  here.send('a')
  there.send(1, { transfer: [new ArrayBuffer(1)] })
  // @ts-expect-error: this end sends strings
  here.send(1)
  // @ts-expect-error: this end sends numbers
  there.send('a')

  const [one, other] = Pipe<Date>()
  expectTypeOf(one).toEqualTypeOf<Connection<Date, Date>>()
  expectTypeOf(other).toEqualTypeOf<Connection<Date, Date>>()
  expectTypeOf(Pipe(false)).toEqualTypeOf<[Connection<unknown, unknown>, Connection<unknown, unknown>]>()
  expectTypeOf(Pipe({ duplex: false })).toEqualTypeOf<[Connection<unknown, unknown>, Connection<unknown, unknown>]>()
  // @ts-expect-error: no such option
  Pipe({ duplx: false })
  // @ts-expect-error: only Pipe makes connections
  new ConnectionClass()
}

// Handles that a child receives have the types of the parent's.
{
  type Child = (items: Queue<number>, results: Connection<string, number>) => Promise<void>
  const child = (async () => {}) as Child
  const [here, there] = Pipe<number, string>()
  new Process({ target: child, args: [new Queue<number>(), there] })
  // @ts-expect-error: the wrong end
  new Process({ target: child, args: [new Queue<number>(), here] })
  const nested = new Queue<Queue<string>>()
  expectTypeOf(nested.get()).toEqualTypeOf<Promise<Queue<string>>>()
  nested.put(new Queue())
}

// Nothing blocks a thread on this transport.
{
  const queue = new Queue<number>()
  const [here] = Pipe<number>()
  expectTypeOf(queue).not.toHaveProperty('putSync')
  expectTypeOf(queue).not.toHaveProperty('getSync')
  expectTypeOf(here).not.toHaveProperty('sendSync')
  expectTypeOf(here).not.toHaveProperty('recvSync')
  expectTypeOf(here).not.toHaveProperty('sendBytesSync')
  expectTypeOf(here).not.toHaveProperty('recvBytesSync')
}

void useQueue
void usePipe
