import type { Connection, Event, Guard, Lock, RLock, Semaphore } from '@mp/core'

interface Options {
  timeout?: number | null
  block?: boolean
}

export interface GuardSync extends Guard {
  releaseSync(): void
  [Symbol.dispose](): void
}

/** The blocking calls of locks, which only some transports have. */
export interface AcquireSync {
  acquireSync(options?: Options & { guard?: Guard }): GuardSync | false
}

export interface WaitSync {
  waitSync(options?: Options): boolean
}

export function blockingLock(lock: Lock | RLock | Semaphore): AcquireSync {
  return lock as unknown as AcquireSync
}

export function blockingEvent(event: Event): WaitSync {
  return event as unknown as WaitSync
}

/** Adds to a counter that only the lock protects. It always blocks for the lock, or blocks and awaits in turns. */
export async function count(lock: Lock, counter: Int32Array, times: number, mixed: boolean): Promise<void> {
  for (let i = 0; i < times; i++) {
    const guard = mixed && i % 2 === 0 ? await lock.acquire() : (blockingLock(lock).acquireSync() as GuardSync)
    const before = counter[0] as number
    // If another is inside too, both read the same number.
    for (let spin = 0; spin < 20; spin++) Atomics.load(counter, 1)
    counter[0] = before + 1
    if (i % 3 === 0) await guard.release()
    else (guard as GuardSync).releaseSync()
  }
}

/** Blocks until it has the lock, tells so, and holds it, blocked, until the flag is set. */
export function holdSync(lock: Lock, held: Int32Array): boolean {
  const guard = blockingLock(lock).acquireSync() as GuardSync
  Atomics.store(held, 0, 1)
  Atomics.notify(held, 0)
  Atomics.wait(held, 1, 0)
  guard.releaseSync()
  return guard.abandoned
}

export function waitEventSync(event: Event, ready: Int32Array, timeout: number | null): boolean {
  Atomics.add(ready, 0, 1)
  return blockingEvent(event).waitSync({ timeout })
}

/** Blocks in an `acquireSync` while calls of this thread await the same lock. Tells who got the lock in which order. */
export async function blockBehindOwn(lock: Lock, orders: Connection<unknown, unknown>): Promise<string[]> {
  const order: string[] = []
  const awaiting = ['first', 'second'].map(async name => {
    const guard = await lock.acquire()
    order.push(name)
    await guard.release()
  })
  await lock.locked()
  // It leaves before this thread blocks. Nobody has the lock before that: in this turn no other call can go on.
  const sent = orders.send('in line')
  const guard = blockingLock(lock).acquireSync() as GuardSync
  order.push('blocking')
  guard.releaseSync()
  await Promise.all([...awaiting, sent])
  return order
}

/** As {@link blockBehindOwn}, but the blocking call gives up. */
export async function giveUpBehindOwn(lock: Lock, orders: Connection<unknown, unknown>): Promise<unknown[]> {
  const order: unknown[] = []
  const awaiting = ['first', 'second'].map(async name => {
    const guard = await lock.acquire()
    order.push(name)
    await guard.release()
  })
  order.push(blockingLock(lock).acquireSync({ timeout: 30 }))
  await orders.send('gave up')
  await Promise.all(awaiting)
  return order
}
