import {
  activeChildren,
  type Connection,
  Connection as ConnectionClass,
  currentProcess,
  currentTask,
  isMainProcess,
  Pipe,
  Pool,
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
declare const numbersLater: AsyncIterable<number>

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

// A pool's results have the function's type, and its arguments are checked.
{
  const pool = new Pool(2, { initializer: label, initargs: ['a'], maxTasksPerChild: 3, onWorkerLost: 'retry' })
  expectTypeOf(pool).toEqualTypeOf<Pool>()
  expectTypeOf(await pool.map(square, [1, 2, 3])).toEqualTypeOf<number[]>()
  expectTypeOf(await pool.map(square, readonlyNumbers)).toEqualTypeOf<number[]>()
  expectTypeOf(await pool.map(label, new Set(['a']))).toEqualTypeOf<string[]>()
  expectTypeOf(await pool.map(square, numbersLater)).toEqualTypeOf<number[]>()
  expectTypeOf(await pool.starmap(label, [['a', true], ['b']])).toEqualTypeOf<string[]>()
  expectTypeOf(await pool.apply(square, [1])).toEqualTypeOf<number>()
  expectTypeOf(await pool.apply(fetchLater)).toEqualTypeOf<Date>()
  expectTypeOf(await pool.apply(label, ['a'], { timeout: 10 })).toEqualTypeOf<string>()
  for await (const each of pool.imap(label, ['a'], { chunksize: 2 })) expectTypeOf(each).toEqualTypeOf<string>()
  const { value } = await pool.imapUnordered(square, [1]).next({ timeout: 10 })
  expectTypeOf(value).toEqualTypeOf<number | undefined>()
  expectTypeOf(await pool.map({ module: new URL('file:///m.js'), export: 'f' }, [1])).toEqualTypeOf<unknown[]>()
  expectTypeOf(currentTask()?.signal).toEqualTypeOf<AbortSignal | undefined>()
  // @ts-expect-error: numbers are needed
  pool.map(square, ['1'])
  // @ts-expect-error: a number is needed
  pool.apply(square, ['1'])
  // @ts-expect-error: the argument is missing
  pool.apply(square)
  // @ts-expect-error: each item must be an array of arguments
  pool.starmap(label, ['a'])
  // @ts-expect-error: numbers are needed
  pool.imap(square, ['1'])
  // @ts-expect-error: the initializer takes a string
  new Pool(2, { initializer: label, initargs: [1] })
  // @ts-expect-error: there is no such way
  new Pool(2, { onWorkerLost: 'ignore' })
}
