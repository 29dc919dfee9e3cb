/** What the children of the groups about locks, joinable queues and `wait` run. Imports only what a child needs. */

import type {
  Barrier,
  Condition,
  Connection,
  Event,
  JoinableQueue,
  Lock,
  Process,
  Queue,
  RLock,
  Semaphore,
} from '@mp/core'
import { loadContext } from './load-context.js'
import { turns } from './turns.js'

type Orders = Connection<unknown, unknown>

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code ?? (error as Error).name
}

function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(value => value ?? 'done', codeOf)
}

/** Acquires, tells so, and holds it until it is told to 'release', to 'end' without a release, or to fail. */
export async function hold(lock: Lock | Semaphore, orders: Orders): Promise<void> {
  const guard = await lock.acquire()
  await orders.send('held')
  const order = await orders.recv().catch(() => 'end')
  // What home has told before has then come, too: orders come over a wire of their own.
  if (order === 'look, and release') await value(lock)
  if (order === 'release' || order === 'look, and release') await guard.release()
  if (order === 'throw') throw new RangeError('as ordered')
  if (order === 'exit') process.exit(7)
  await orders.send('done').catch(() => {})
}

/** Calls `acquire`, tells when the call waits, and later that it has it. Gives how the call ended. */
export async function lineUp(lock: Lock | Semaphore, orders: Orders): Promise<unknown> {
  const acquired = lock.acquire()
  const settled = acquired.then(
    ({ abandoned }) => ({ abandoned }),
    error => ({ code: codeOf(error) }),
  )
  await value(lock)
  await orders.send('in line')
  const result = await settled
  await orders.send('acquired').catch(() => {})
  if ('abandoned' in result) await (await acquired).release()
  return result
}

async function value(lock: Lock | Semaphore): Promise<unknown> {
  return 'locked' in lock ? lock.locked() : lock.getValue()
}

export async function tryAcquire(lock: Lock | Semaphore, timeout: number): Promise<{ taken: boolean; ms: number }> {
  const start = performance.now()
  const guard = await lock.acquire({ timeout })
  if (guard) await guard.release()
  return { taken: guard !== false, ms: performance.now() - start }
}

export function releaseOnce(lock: { release(): Promise<void> }): Promise<unknown> {
  return outcome(lock.release())
}

export function isLocked(lock: Lock): Promise<boolean> {
  return lock.locked()
}

/** Reads a number from a file, and writes the next one. Does so `count` times, and holds the lock each time. */
export async function addUp(lock: Lock, path: string, count: number): Promise<void> {
  const { readFileSync, writeFileSync } = await import('node:fs')
  for (let i = 0; i < count; i++) {
    await using _guard = await lock.acquire()
    const before = Number(readFileSync(path, 'utf8'))
    // If another is inside too, both read the same number.
    await turns(1)
    writeFileSync(path, String(before + 1))
  }
}

/** Enters `count` times. While it is inside, it has an item of its own in the queue. */
export async function enterOften(semaphore: Semaphore, inside: Queue<number>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await using _guard = await semaphore.acquire()
    await inside.put(1)
    await inside.flush()
    await turns(1)
    await inside.get()
  }
}

/** Acquires `count` times, tells so, and ends without a release when it is told to. */
export async function takeAll(semaphore: Semaphore, count: number, orders: Orders): Promise<void> {
  for (let i = 0; i < count; i++) await semaphore.acquire()
  await orders.send('held')
  await orders.recv()
}

export async function releaseMany(semaphore: Semaphore, n: number): Promise<unknown> {
  return outcome(semaphore.release(n))
}

export async function enterThrice(lock: RLock): Promise<unknown[]> {
  const first = await lock.acquire()
  const second = await lock.acquire({ guard: first })
  const third = await lock.acquire({ guard: second })
  const states = [await lock.locked()]
  for (const guard of [third, second, first]) {
    await guard.release()
    states.push(await lock.locked())
  }
  return [...states, await outcome(first.release()), await outcome(lock.release())]
}

export async function setEvent(event: Event): Promise<void> {
  await event.set()
}

export async function setForEver(event: Event, orders: Orders): Promise<void> {
  await event.set()
  await orders.send('set')
  await orders.recv()
}

/** Tells when it waits. Gives how the wait ended. */
export async function waitFor(what: Event | Barrier, orders: Orders): Promise<unknown> {
  const result = outcome(what.wait())
  await ('isSet' in what ? what.isSet() : what.waiting)
  await orders.send('waiting')
  return result
}

/** As {@link waitFor}, for a Condition. It tells while it still has the lock, so whoever then has the lock finds it waiting. */
export async function waitNotified(condition: Condition, orders: Orders, timeout?: number): Promise<unknown> {
  await using guard = await condition.acquire()
  await orders.send('waiting')
  const notified = await condition.wait({ timeout })
  await orders.send('awake').catch(() => {})
  return { notified, abandoned: guard.abandoned }
}

/** Takes `count` items. Waits for each until the Condition tells that there is one. */
export async function takeTurns(condition: Condition, items: Queue<number>, count: number): Promise<number[]> {
  const taken: number[] = []
  while (taken.length < count) {
    await using _guard = await condition.acquire()
    await condition.waitFor(async () => !(await items.empty()))
    taken.push(await items.getNowait())
  }
  return taken
}

export async function notifyOne(condition: Condition): Promise<unknown> {
  const without = await outcome(condition.notify())
  await using _guard = await condition.acquire()
  await condition.notify()
  return without
}

/** Goes through the barrier `times` times. Gives its indexes. */
export async function lockstep(barrier: Barrier, times: number, order: Queue<number> | null): Promise<number[]> {
  const indexes: number[] = []
  for (let i = 0; i < times; i++) {
    await order?.put(i)
    await order?.flush()
    indexes.push(await barrier.wait())
  }
  return indexes
}

export async function stateOf(barrier: Barrier): Promise<unknown> {
  return { parties: barrier.parties, waiting: await barrier.waiting, broken: await barrier.broken }
}

export async function ruin(barrier: Barrier, how: 'abort' | 'reset'): Promise<void> {
  await barrier[how]()
}

export async function waitBriefly(barrier: Barrier, timeout: number): Promise<unknown> {
  return outcome(barrier.wait({ timeout }))
}

/** Makes one of each, hands them over, and ends at once, or when it is told to: by a return, or by an exit. */
export async function ownAll(module: string, to: Connection, orders: Orders | null): Promise<void> {
  const { Barrier, Condition, Event, JoinableQueue, Lock, Semaphore } = await loadContext(module)
  const all = {
    lock: new Lock(),
    semaphore: new Semaphore(3),
    event: new Event(),
    condition: new Condition(),
    barrier: new Barrier(2),
    queue: new JoinableQueue<number>(),
  }
  await all.event.set()
  await all.semaphore.acquire()
  await all.queue.put(1)
  await to.send(all)
  await orders?.send('running')
  if ((await orders?.recv()) === 'exit') process.exit(3)
}

/** Makes a barrier for two, hands it over, and ends. */
export async function ownBarrier(
  module: string,
  to: Connection,
  how: 'with an action' | 'broken' | 'whole',
): Promise<void> {
  const { Barrier } = await loadContext(module)
  const barrier = new Barrier(2, how === 'with an action' ? { action() {} } : {})
  if (how === 'broken') await barrier.abort()
  await to.send(barrier)
}

/** Makes a lock, takes it, hands it over, and ends when it is told to. */
export async function ownHeld(module: string, to: Connection, orders: Orders): Promise<void> {
  const { Lock } = await loadContext(module)
  const lock = new Lock()
  await lock.acquire()
  await to.send(lock)
  await orders.recv()
}

/** Starts its own child that runs `hold`. */
export async function holdBelow(module: string, lock: Lock, orders: Orders): Promise<void> {
  const { Process } = await loadContext(module)
  const child: Process = new Process({ target: hold, args: [lock, orders] }) as never
  await child.start()
  await child.join()
}

/** Takes `count` items, and calls `taskDone` after each. */
export async function work(queue: JoinableQueue<number>, count: number): Promise<number[]> {
  const items: number[] = []
  for (let i = 0; i < count; i++) {
    items.push(await queue.get())
    await queue.taskDone()
  }
  return items
}

/** As `work`, and exits at once. */
export async function workAndExit(queue: JoinableQueue<number>, count: number): Promise<void> {
  await work(queue, count)
  process.exit(0)
}

export async function takeOnly(queue: JoinableQueue<number>): Promise<number> {
  return queue.get()
}

export function taskDoneOnce(queue: JoinableQueue): Promise<unknown> {
  return outcome(queue.taskDone())
}

export async function putAndJoin(queue: JoinableQueue<number>, count: number): Promise<unknown> {
  for (let i = 0; i < count; i++) await queue.put(i)
  return outcome(queue.join())
}

/** Waits for the first of what it was given. Gives which were ready. */
export async function waitAny(module: string, objects: (Connection | Queue)[], timeout: number): Promise<number[]> {
  const { wait } = await loadContext(module)
  const ready = await wait(objects as never[], { timeout })
  return ready.map(each => objects.indexOf(each))
}

export async function sendWhenTold(pipe: Connection, orders: Orders): Promise<void> {
  await orders.recv()
  await pipe.send('sent')
}

export async function holdTwice(lock: RLock, orders: Orders): Promise<void> {
  const guard = await lock.acquire()
  await lock.acquire({ guard })
  await orders.send('held')
  await orders.recv()
}

/** Ends while its call still waits. */
export async function arriveAndEnd(barrier: Barrier): Promise<void> {
  void barrier.wait().catch(() => {})
  await barrier.waiting
}

/** Closes the lock that it holds, and tells how a release then ends. */
export async function holdAndClose(lock: Lock, orders: Orders): Promise<void> {
  const guard = await lock.acquire()
  await lock.close()
  await orders.send(await outcome(guard.release()))
  await orders.recv()
}

/** Calls `acquire` with a time limit, and is busy until that is over. Gives whether it got it. */
export async function giveUpBusy(lock: Lock | Semaphore, timeout: number, orders: Orders): Promise<boolean> {
  const acquired = lock.acquire({ timeout })
  await value(lock)
  await orders.send('in line')
  await turns(1)
  const end = performance.now() + 4 * timeout
  while (performance.now() < end);
  const guard = await acquired
  // What came meanwhile is handled in the next turn.
  await value(lock)
  return guard !== false
}
