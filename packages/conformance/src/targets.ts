/**
 * What the suite's children run. Children import this module, so it imports nothing; a target that needs the transport's own
 * API is given what to import.
 */

import type { BoundContext, Connection, Queue } from '@mp/core'

function load(module: string): Promise<BoundContext> {
  return import(/* @vite-ignore */ module) as Promise<BoundContext>
}

function turns(count: number): Promise<void> {
  return new Promise(resolve => setImmediate(() => resolve(count > 1 ? turns(count - 1) : undefined)))
}

// Whole life of a process

export function nothing(): void {}

export function give<T>(value: T): T {
  return value
}

export function giveAll<T extends unknown[]>(...values: T): T {
  return values
}

/** Tells that it runs, and returns what it is sent then, or 'gone' when nobody can send any more, or hear it. */
export async function obey(orders: Connection<string, unknown>): Promise<unknown> {
  try {
    await orders.send('running')
    return await orders.recv()
  } catch {
    return 'gone'
  }
}

export function fail(message: string): never {
  throw new RangeError(message)
}

export async function failLater(message: string): Promise<never> {
  await turns(3)
  throw new RangeError(message)
}

export async function failUncaught(kind: 'exception' | 'rejection'): Promise<void> {
  setImmediate(() => {
    if (kind === 'exception') throw new RangeError('uncaught')
    void Promise.reject(new RangeError('unhandled'))
  })
  await new Promise(resolve => setTimeout(resolve, 60_000))
}

export function failWith(kind: 'aggregate' | 'cause' | 'fields' | 'class' | 'string' | 'undefined'): never {
  switch (kind) {
    case 'aggregate':
      throw new AggregateError([new TypeError('one'), new RangeError('two')], 'both')
    case 'cause':
      throw new Error('outer', { cause: new TypeError('inner') })
    case 'fields':
      throw Object.assign(new SyntaxError('fields'), { code: 'E_FIELDS', detail: { at: 7 } })
    case 'class': {
      class HomemadeError extends Error {
        override name = 'HomemadeError'
        code = 'E_HOMEMADE'
      }
      throw new HomemadeError('homemade')
    }
    case 'string':
      throw 'only a string'
    case 'undefined':
      throw undefined
  }
}

export function giveUnsendable(): unknown {
  return { callback: () => {} }
}

export function exit(code: number | undefined, before?: number): void {
  if (before !== undefined) process.exitCode = before
  if (code === undefined) process.exit()
  process.exit(code)
}

export function reallyExit(code: number): void {
  ;(process as unknown as { reallyExit(code: number): void }).reallyExit(code)
}

export function abort(): void {
  process.abort()
}

export function killItself(signal: NodeJS.Signals): Promise<void> {
  process.kill(process.pid, signal)
  return new Promise(resolve => setTimeout(resolve, 60_000))
}

/** An exit handler that notes itself in a file; `how` it ends afterwards. */
export async function noteExit(path: string, how: 'return' | 'throw' | 'exit'): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  process.on('exit', code => appendFileSync(path, `exit ${code}\n`))
  if (how === 'throw') throw new Error('noted')
  if (how === 'exit') process.exit(5)
}

/** Waits in `try`; notes in a file whatever runs at its end. */
export async function noteFinally(path: string, orders: Connection<string, unknown>): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  process.on('exit', () => appendFileSync(path, 'exit\n'))
  try {
    await orders.send('running')
    await new Promise(resolve => setTimeout(resolve, 60_000))
  } finally {
    appendFileSync(path, 'finally\n')
  }
}

/** Where the case finds the timer if the child runs in its thread. */
export const STRAY = Symbol.for('@mp/conformance.stray')

export async function leaveStray(): Promise<string> {
  const { createServer } = await import('node:net')
  const timer = setInterval(() => {}, 60_000)
  const server = createServer().listen(0, '127.0.0.1')
  ;(globalThis as { [STRAY]?: () => void })[STRAY] = () => {
    clearInterval(timer)
    server.close()
  }
  return 'done'
}

/** Waits for what can never happen. */
export function waitForNothing(): Promise<never> {
  return new Promise(() => {})
}

export async function spin(orders: Connection<string, unknown>): Promise<void> {
  await orders.send('running')
  await turns(2)
  for (;;);
}

export async function block(orders: Connection<string, unknown>): Promise<void> {
  await orders.send('running')
  await turns(2)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

// Who a process is

export async function whoAmI(module: string) {
  const { currentProcess, parentProcess, activeChildren, isMainProcess } = await load(module)
  const { name, pid, daemon, exitCode } = currentProcess()
  const parent = parentProcess()
  return {
    name,
    pid,
    daemon,
    exitCode,
    isAlive: currentProcess().isAlive(),
    children: activeChildren().length,
    isMainProcess,
    parent: parent && { name: parent.name, pid: parent.pid, isAlive: parent.isAlive() },
  }
}

export async function namesOfOwnProcesses(module: string): Promise<string[]> {
  const { Process } = await load(module)
  return [new Process().name, new Process().name]
}

export async function daemonFlags(module: string) {
  const { Process, currentProcess } = await load(module)
  return {
    own: currentProcess().daemon,
    inherited: new Process().daemon,
    overridden: new Process({ daemon: false }).daemon,
  }
}

/** What `target`, an export of this module, gives as a child of this child. */
export async function nest(module: string, depth: number): Promise<unknown[]> {
  const { Process, activeChildren } = await load(module)
  if (depth === 0) return [await whoAmI(module)]
  const child = new Process({ target: nest, args: [module, depth - 1] })
  await child.start()
  const inner = await child.result()
  const code = await child.join()
  return [{ ...(await whoAmI(module)), childCode: code, childrenLeft: activeChildren().length }, ...inner]
}

export async function joinItself(module: string): Promise<string> {
  const { currentProcess } = await load(module)
  return currentProcess()
    .join()
    .then(
      () => 'joined',
      error => error.code,
    )
}

export function environment(name: string) {
  return { value: process.env[name], cwd: process.cwd(), execArgv: process.execArgv }
}

export async function environmentOfChild(module: string, name: string) {
  const { Process } = await load(module)
  return { child: environment(name), grandchild: await Process.run(environment, name) }
}

/** Takes memory until there is none. */
export function hoard(): number {
  const hoarded: object[] = []
  for (let i = 0; ; i++) hoarded.push({ i, text: `${i}`.padEnd(64) })
}

export async function readStdin(): Promise<number> {
  let length = 0
  for await (const chunk of process.stdin) length += (chunk as Uint8Array).length
  return length
}

// Values

/** Changes what it was given, and tells what it saw. */
export async function change(object: { list: number[] }, orders: Connection<string, unknown>): Promise<number[]> {
  const seen = [...object.list]
  object.list.push(99)
  await orders.send('changed')
  await orders.recv()
  return [...seen, object.list.length]
}

/** Sends back what it receives, until the end. */
export async function echo(pipe: Connection): Promise<void> {
  for await (const value of pipe) await pipe.send(value)
}

export async function echoBytes(pipe: Connection): Promise<void> {
  for (;;) {
    const bytes = await pipe.recvBytes().catch(() => undefined)
    if (!bytes) return
    await pipe.sendBytes(bytes)
  }
}

export async function echoItems(from: Queue, to: Queue, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await to.put(await from.get())
}

export async function recvAll(pipe: Connection): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const value of pipe) all.push(value)
  return all
}

export async function sendAll(pipe: Connection, values: unknown[]): Promise<void> {
  for (const value of values) await pipe.send(value)
}

export async function sendAllAndClose(pipe: Connection, values: unknown[], orders: Connection): Promise<void> {
  await sendAll(pipe, values)
  await pipe.close()
  await obey(orders as never)
}

/** Holds both: tells that it runs, then waits until told to end. */
export async function keep(_handle: unknown, orders: Connection<string, unknown>): Promise<unknown> {
  return obey(orders)
}

export function takeHandle(_handle: unknown): void {}

/** Uses the pipe once, then waits until told to end. */
export async function greet(pipe: Connection, orders: Connection<string, unknown>): Promise<unknown> {
  await pipe.send('hello')
  return obey(orders)
}

// Queues

export async function putAll<T>(queue: Queue<T>, items: readonly T[]): Promise<void> {
  for (const item of items) await queue.put(item)
}

export function putAllAtOnce<T>(queue: Queue<T>, items: readonly T[]): void {
  for (const item of items) void queue.put(item)
}

export async function putThen(queue: Queue<number>, count: number, how: 'throw' | 'exit'): Promise<void> {
  for (let i = 0; i < count; i++) await queue.put(i)
  if (how === 'throw') throw new Error('after the puts')
  process.exit(7)
}

export async function produce(queue: Queue<[number, number]>, producer: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await queue.put([producer, i])
}

/** Puts `count` arrays of `size` bytes, each filled with its number. */
export async function produceBytes(queue: Queue<Uint8Array>, count: number, size: number): Promise<void> {
  for (let i = 0; i < count; i++) await queue.put(new Uint8Array(size).fill(i))
}

/** Puts arrays that tell whether they are whole, until it is ended. */
export async function produceForEver(queue: Queue<number[]>, orders: Connection<string, unknown>): Promise<void> {
  await orders.send('running')
  for (let i = 0; ; i++) await queue.put(new Array(1000).fill(i))
}

/** Gets until it is given null; returns what it got. */
export async function consume<T>(queue: Queue<T | null>): Promise<T[]> {
  const got: T[] = []
  for (;;) {
    const item = await queue.get()
    if (item === null) return got
    got.push(item)
  }
}

/** Iterates to the end of the queue. */
export async function drain<T>(queue: Queue<T>): Promise<T[]> {
  const got: T[] = []
  for await (const item of queue) got.push(item)
  return got
}

export async function getOne<T>(queue: Queue<T>): Promise<T> {
  return queue.get()
}

/** How calls on an empty queue, then on a full one, run out of time. */
export async function limits(queue: Queue, timeout: number): Promise<{ code: unknown; ms: number }[]> {
  const settle = async (call: () => Promise<unknown>) => {
    const start = performance.now()
    const code = await call().then(
      () => 'done',
      error => error.code,
    )
    return { code, ms: performance.now() - start }
  }
  const empty = [await settle(() => queue.getNowait()), await settle(() => queue.get({ timeout }))]
  await queue.put('filled')
  return [...empty, await settle(() => queue.putNowait(1)), await settle(() => queue.put(1, { timeout }))]
}

/** Gets `count` items, and aborts every other call after a moment. */
export async function getAndAbort(queue: Queue<number>, count: number): Promise<{ got: number[]; aborted: number }> {
  const got: number[] = []
  let aborted = 0
  for (let i = 0; got.length < count; i++) {
    const abort = new AbortController()
    const pending = queue.get({ signal: abort.signal })
    if (i % 2 === 0) await turns(i % 5)
    if (i % 2 === 0) abort.abort()
    await pending.then(
      item => got.push(item),
      () => aborted++,
    )
  }
  return { got, aborted }
}

/** Puts numbers, and aborts every call after a moment. */
export async function putAndAbort(queue: Queue<number>, count: number): Promise<{ put: number[]; refused: number }> {
  const put: number[] = []
  let refused = 0
  for (let i = 0; i < count; i++) {
    const abort = new AbortController()
    const pending = queue.put(i, { signal: abort.signal })
    await turns(1 + (i % 5))
    abort.abort()
    await pending.then(
      () => put.push(i),
      () => refused++,
    )
  }
  return { put, refused }
}

/** Tells that it runs, and gets for as long as it lives. */
export async function getForEver(queue: Queue, orders: Connection<string, unknown>): Promise<void> {
  const pending = queue.get()
  await orders.send('running')
  await pending
  await queue.get()
}

/** Tells that it runs, with a put that waits for a slot. */
export async function putForEver(queue: Queue, item: unknown, orders: Connection<string, unknown>): Promise<void> {
  const pending = queue.put(item)
  await queue.qsize()
  await orders.send('running')
  await pending
}

/** Puts when told so. */
export async function putWhenTold(queue: Queue, item: unknown, orders: Connection<string, unknown>): Promise<void> {
  await obey(orders)
  await queue.put(item)
}

/** Awaits each put, then looks. */
export async function readOwnWrites(queue: Queue<number>): Promise<unknown[]> {
  const seen: unknown[] = []
  for (let i = 0; i < 20; i++) {
    await queue.put(i)
    seen.push([await queue.empty(), await queue.qsize(), await queue.getNowait()])
  }
  return seen
}

/** Mutates each item right after its put. */
export async function putAndChange(queue: Queue<number[]>): Promise<void> {
  const list = [1]
  const first = queue.put(list)
  list.push(2)
  const second = queue.put(list)
  list.length = 0
  await Promise.all([first, second])
}

/** Codes of what was refused, and how many items the queue has afterwards. */
export async function putUnsendable(queue: Queue): Promise<unknown> {
  const code = await queue.put({ callback: () => {} }).then(
    () => 'put',
    error => error.code,
  )
  const size = await queue.qsize()
  await queue.put('after')
  return { code, size }
}

export async function closeQueue(queue: Queue, item: unknown, awaited: boolean): Promise<unknown> {
  const put = queue.put(item)
  if (awaited) await put
  await queue.close()
  const codes: unknown[] = []
  for (const call of [() => queue.put(1), () => queue.get(), () => queue.putNowait(1), () => queue.getNowait()]) {
    codes.push(
      await call().then(
        () => 'done',
        error => error.code,
      ),
    )
  }
  await queue.close()
  return codes
}

export async function shutDown(queue: Queue, immediate: boolean): Promise<void> {
  await queue.shutdown({ immediate })
}

/** How a pending call ends: its code, or its value. */
export async function outcomeOf(
  queue: Queue,
  call: 'get' | 'put',
  orders: Connection<string, unknown>,
): Promise<unknown> {
  const pending: Promise<unknown> = call === 'get' ? queue.get() : queue.put('too much')
  const outcome = pending.then(
    value => value,
    error => error.code,
  )
  await queue.qsize()
  await orders.send('running')
  return outcome
}

/** Makes a queue of its own, fills it, hands it over, and ends, or waits until told to. */
export async function ownQueue(
  module: string,
  to: Connection,
  items: readonly unknown[],
  maxsize: number,
  orders: Connection<string, unknown> | null,
): Promise<void> {
  const { Queue } = await load(module)
  const queue = new Queue(maxsize)
  await putAll(queue, items)
  await to.send(queue)
  if (orders) await obey(orders)
}

/** Makes a queue, hands it over, then hears nothing, busy, until the second flag is set; then exits. */
export async function ownQueueAndExit(module: string, to: Connection, busy: string, enough: string): Promise<void> {
  const { existsSync, writeFileSync } = await import('node:fs')
  const { Queue } = await load(module)
  await to.send(new Queue())
  await turns(20)
  writeFileSync(busy, '')
  while (!existsSync(enough));
  process.exit(4)
}

/** Makes a queue, gets another, uses it, and exits as soon as the file is there, without another turn. */
export async function swapQueuesAndExit(
  module: string,
  to: Connection<unknown, Queue>,
  busy: string,
  enough: string,
  number: number,
): Promise<void> {
  const { existsSync, writeFileSync } = await import('node:fs')
  const { Queue } = await load(module)
  await to.send(new Queue())
  const other = await to.recv()
  await other.qsize()
  // From here on it answers nobody.
  await to.send('ready')
  await to.recv()
  await turns(20)
  writeFileSync(busy, '')
  while (!existsSync(enough));
  void other.put(`from ${number}`)
  process.exit(4)
}

export async function ownQueueUntilToldToExit(module: string, to: Connection, orders: Connection): Promise<void> {
  const { Queue } = await load(module)
  await to.send(new Queue())
  await orders.recv()
  process.exit(4)
}

/** Receives and sends over the end, sends it on, and is gone. */
export async function useAndHandOnAndExit(end: Connection<string, string>, to: Connection): Promise<void> {
  await end.send(`got ${await end.recv()}`)
  await to.send(end)
  process.exit(4)
}

/** As `ownQueue`, in a child of its own, after whose end it ends itself. */
export async function ownQueueBelow(module: string, to: Connection, items: readonly unknown[]): Promise<void> {
  const { Pipe, Process } = await load(module)
  const [mine, theirs] = Pipe<never, Queue>()
  const child = new Process({ target: ownQueue, args: [module, theirs as never, items, 0, null] })
  await child.start()
  await to.send(await mine.recv())
  await child.join()
}

/** Starts a child of its own that puts into the same queue. */
export async function handOn(module: string, queue: Queue, item: unknown, depth: number): Promise<number | null> {
  const { Process } = await load(module)
  const child =
    depth > 0
      ? new Process({ target: handOn, args: [module, queue, item, depth - 1] })
      : new Process({ target: putAll, args: [queue, [item]] })
  await child.start()
  return child.join()
}

/** Starts a child of its own that uses the pipe, which moves on to it. */
export async function handOnPipe(module: string, pipe: Connection, first: number): Promise<unknown[]> {
  const { Process } = await load(module)
  const received: unknown[] = []
  for (let i = 0; i < first; i++) received.push(await pipe.recv())
  const child = new Process({ target: echo, args: [pipe] })
  await child.start()
  const code = await child.join()
  return [...received, code]
}

/** Receives a handle, by item or message, and uses it. */
export async function useReceived(from: Queue | Connection, how: 'item' | 'message'): Promise<unknown> {
  const received = how === 'item' ? await (from as Queue).get() : await (from as Connection).recv()
  const { inner } = received as { inner: { queue?: Queue; pipe?: Connection } }
  if (inner.queue) await inner.queue.put('from the child')
  if (!inner.pipe) return undefined
  await inner.pipe.send('from the child')
  return inner.pipe.recv()
}

/** Sends one end of a new pipe away, in use or not, and talks over the other. */
export async function sendPipeAway(
  module: string,
  to: Connection,
  unread: readonly unknown[],
  used: boolean,
): Promise<unknown> {
  const { Pipe } = await load(module)
  const [mine, theirs] = Pipe()
  for (const each of unread) await mine.send(each)
  if (used && !(await theirs.poll(null))) throw new Error('nothing arrived')
  await to.send({ inner: theirs })
  return mine.recv()
}

/** Flags of an end that arrived. */
export async function directions(end: Connection): Promise<unknown> {
  const code = (call: Promise<unknown>) =>
    call.then(
      value => value,
      error => error.code,
    )
  return [end.readable, end.writable, end.readable ? await code(end.send(1)) : await code(end.recv())]
}

/** Starts a daemon and a child that is none, tells their names, and ends. */
export async function startGrandchild(
  module: string,
  daemon: boolean,
  orders: Connection<string, unknown>,
): Promise<boolean> {
  const { Process } = await load(module)
  const child = new Process({ target: keep, args: [null, orders], daemon })
  await child.start()
  return child.daemon
}

/** Watches its parent: notes in a file whether it lives, then when it has ended. No pipe would outlive the parent everywhere. */
export async function watchParent(module: string, path: string): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  const { parentProcess } = await load(module)
  const parent = parentProcess()
  const look = async (timeout: number) =>
    appendFileSync(path, `${JSON.stringify([parent?.isAlive(), await parent?.join({ timeout })])}\n`)
  await look(10)
  await parent?.join()
  await look(0)
}

export async function startWatcher(module: string, path: string, orders: Connection<string, unknown>): Promise<void> {
  const { Process } = await load(module)
  const watcher = new Process({ target: watchParent, args: [module, path], daemon: false })
  await watcher.start()
  await obey(orders)
}

/** Starts a child that echoes and outlives it. */
export async function startEchoBelow(
  module: string,
  pipe: Connection,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { Process } = await load(module)
  const child = new Process({ target: echo, args: [pipe], daemon: false })
  await child.start()
  await obey(orders)
}

export async function startGrandchildAndObey(
  module: string,
  watch: Connection<string, unknown>,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { Process } = await load(module)
  const child = new Process({ target: keep, args: [null, watch], daemon: true })
  await child.start()
  await obey(orders)
}

/** Reads nothing until it is told; then counts messages to the end. */
export async function recvWhenTold(pipe: Connection, orders: Connection<string, unknown>): Promise<number> {
  await orders.recv()
  return (await recvAll(pipe)).length
}

export async function callAndClose(pipe: Connection, values: readonly unknown[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const value of values) {
    await pipe.send(value)
    answers.push(await pipe.recv())
  }
  await pipe.close()
  return answers
}

export async function tryPut(queue: Queue): Promise<unknown> {
  return queue.put(1).then(
    () => 'put',
    error => error.code,
  )
}

export async function addToShared(first: Int32Array, pipe: Connection): Promise<void> {
  Atomics.add(first, 0, 1)
  await pipe.send('added')
  const { again } = (await pipe.recv()) as { again: Int32Array }
  Atomics.add(again, 0, 1)
  await pipe.send('added')
}

/** Holds what others wait for, and goes down with it, when told so. */
export async function crash(
  module: string,
  how: 'exception' | 'exit' | 'hard exit',
  to: Connection,
  full: Queue,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { Queue } = await load(module)
  const own = new Queue()
  await to.send(own)
  full.put('never').catch(() => {})
  await obey(orders)
  if (how === 'hard exit') reallyExit(6)
  if (how === 'exit') process.exit(6)
  await failUncaught('exception')
}

export async function sendHuge(pipe: Connection, size: number): Promise<void> {
  const bytes = new Uint8Array(size)
  for (;;) await pipe.send(bytes)
}
