/** What the children of the groups about queues run. */

import type { Connection, Queue } from '@mp/core'
import { loadContext } from './load-context.js'
import { obey, putAll } from './targets.js'
import { turns } from './turns.js'

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

/** Puts arrays, each filled with its number, until it is ended. */
export async function produceForEver(queue: Queue<number[]>, orders: Connection<string, unknown>): Promise<void> {
  await orders.send('running')
  for (let i = 0; ; i++) await queue.put(new Array(1000).fill(i))
}

/** Gets until null comes. Gives what it got. */
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

/** Calls on an empty queue, and then on a full one, with and without a time limit. Gives how each ended, and after how long. */
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
    if (i % 2 === 0) await turns(1 + (i % 5))
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

/** Calls get, tells that it runs, and gets again. */
export async function getForEver(queue: Queue, orders: Connection<string, unknown>): Promise<void> {
  const pending = queue.get()
  // The call has reached home when this is answered.
  await queue.qsize()
  await orders.send('running')
  await pending
  await queue.get()
}

/** Calls put, which waits for a slot, and tells that it runs. */
export async function putForEver(queue: Queue, item: unknown, orders: Connection<string, unknown>): Promise<void> {
  const pending = queue.put(item)
  await queue.qsize()
  await orders.send('running')
  await pending
}

/** Puts when it is told to. */
export async function putWhenTold(queue: Queue, item: unknown, orders: Connection<string, unknown>): Promise<void> {
  await obey(orders)
  await queue.put(item)
}

/** Awaits each put, and then looks whether the item is there. */
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

/** Puts what cannot travel. Gives the code of the refusal, and how many items the queue has afterwards. */
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

/** Gets so many items, and then, when it is told to, one more. Gives how many it got, and why the last get was refused. */
export async function getThenPause(
  queue: Queue<number>,
  count: number,
  orders: Connection<string, unknown>,
): Promise<[number, unknown]> {
  let got = 0
  while (got < count) {
    await queue.get()
    got++
  }
  await orders.send('paused')
  await orders.recv()
  const why = await queue.get().then(
    () => ++got,
    error => error.code,
  )
  return [got, why]
}

/** Puts, and once more when it is told to. Gives the code of what the second put was refused with. */
export async function putBeforeAndWhenTold(
  queue: Queue<string>,
  orders: Connection<string, unknown>,
): Promise<unknown> {
  await queue.put('before')
  await orders.send('has put')
  await orders.recv()
  // What home had sent before this was asked has come with the answer.
  await queue.qsize()
  return tryPut(queue as never)
}

/** Gives how a pending call ends: its value, or the code of its error. */
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

/** Starts its own child that puts into the same queue, with `depth` generations in between. */
export async function handOn(module: string, queue: Queue, item: unknown, depth: number): Promise<number | null> {
  const { Process } = await loadContext(module)
  const child =
    depth > 0
      ? new Process({ target: handOn, args: [module, queue, item, depth - 1] })
      : new Process({ target: putAll, args: [queue, [item]] })
  await child.start()
  return child.join()
}

export async function tryPut(queue: Queue): Promise<unknown> {
  return queue.put(1).then(
    () => 'put',
    error => error.code,
  )
}

/** Makes a get that waits and one that does not. Gives what the second was refused with. */
export async function refusedBesideGet(queue: Queue): Promise<unknown> {
  const waits = queue.get()
  const refused = await queue.getNowait().catch(error => error.code)
  await queue.put('for the one that waits')
  await waits
  return refused
}
