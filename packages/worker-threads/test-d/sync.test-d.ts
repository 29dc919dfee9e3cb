import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  type Guard,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  wait,
} from '@mp/worker-threads'
import { expectTypeOf } from 'vitest'

// Never run: the package's typecheck compiles it.

declare function guarded(lock: Lock, event: Event, jobs: JoinableQueue<string>): Promise<void>

// Nothing blocks a thread on this transport.
expectTypeOf<Lock>().not.toHaveProperty('acquireSync')
expectTypeOf<Event>().not.toHaveProperty('waitSync')

// A package's names are classes and types alike; they check a target's arguments.
{
  const lock: Lock = new Lock()
  const rlock: RLock = new RLock()
  const semaphore: Semaphore = new BoundedSemaphore(2)
  const condition: Condition = new Condition(lock)
  const jobs: JoinableQueue<string> = new JoinableQueue<string>(10)
  new Process({ target: guarded, args: [rlock, new Event(), jobs] })
  // @ts-expect-error: a Semaphore is no Lock
  new Process({ target: guarded, args: [semaphore, new Event(), jobs] })
  // @ts-expect-error: a Queue is not joinable
  new Process({ target: guarded, args: [lock, new Event(), new Queue<string>()] })
  // @ts-expect-error: a Condition needs a Lock
  new Condition(new Semaphore())
  // @ts-expect-error: how many?
  new Barrier()
  // @ts-expect-error: a Lock has no first value
  new Lock(1)
  new Condition()
  new Barrier(2, { action: async () => {}, timeout: 10 })
  const value: unknown = condition
  if (value instanceof Lock) expectTypeOf(value).toEqualTypeOf<Lock>()
  expectTypeOf(jobs).toExtend<Queue<string>>()
}

// What may give up gives false; what cannot gives a guard.
async function useLock(lock: Lock, rlock: RLock, semaphore: Semaphore): Promise<void> {
  expectTypeOf(lock.acquire()).toEqualTypeOf<Promise<Guard>>()
  expectTypeOf(lock.acquire({ signal: new AbortController().signal })).toEqualTypeOf<Promise<Guard>>()
  expectTypeOf(lock.acquire({ block: true })).toEqualTypeOf<Promise<Guard>>()
  expectTypeOf(lock.acquire({ timeout: 10 })).toEqualTypeOf<Promise<Guard | false>>()
  expectTypeOf(lock.acquire({ block: false })).toEqualTypeOf<Promise<Guard | false>>()
  expectTypeOf(lock.locked()).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(lock.release()).toEqualTypeOf<Promise<void>>()
  const guard = await rlock.acquire()
  expectTypeOf(rlock.acquire({ guard })).toEqualTypeOf<Promise<Guard>>()
  expectTypeOf(rlock.acquire({ guard, timeout: 1 })).toEqualTypeOf<Promise<Guard | false>>()
  expectTypeOf(guard).toExtend<AsyncDisposable>()
  expectTypeOf(guard.abandoned).toEqualTypeOf<boolean>()
  // @ts-expect-error: only an RLock is entered again
  lock.acquire({ guard })
  // @ts-expect-error: options have names
  lock.acquire(false)
  expectTypeOf(semaphore.acquire()).toEqualTypeOf<Promise<Guard>>()
  expectTypeOf(semaphore.release(2)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(semaphore.getValue()).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error: a guard that may be false is no resource
  await using _maybe = await lock.acquire({ timeout: 10 })
  await using _sure = await lock.acquire()
}

async function useOthers(event: Event, condition: Condition, barrier: Barrier, jobs: JoinableQueue<number>) {
  expectTypeOf(event.isSet()).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(event.wait({ timeout: 10 })).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(condition.acquire()).toEqualTypeOf<Promise<Guard>>()
  expectTypeOf(condition.wait()).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(condition.waitFor(() => 5)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(condition.waitFor(async () => 'a', { timeout: 10 })).toEqualTypeOf<Promise<string>>()
  expectTypeOf(condition.notify(2)).toEqualTypeOf<Promise<void>>()
  expectTypeOf(barrier.wait()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(barrier.parties).toEqualTypeOf<number>()
  expectTypeOf(barrier.waiting).toEqualTypeOf<Promise<number>>()
  expectTypeOf(barrier.broken).toEqualTypeOf<Promise<boolean>>()
  expectTypeOf(jobs.get()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(jobs.taskDone()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(jobs.join({ timeout: 10 })).toEqualTypeOf<Promise<void>>()
}

// What is ready has the types of what was given.
{
  const [here] = Pipe<string, number>()
  const numbers = new Queue<number>()
  const child = new Process({ target: guarded, args: [new Lock(), new Event(), new JoinableQueue<string>()] })
  expectTypeOf(wait([here])).toEqualTypeOf<Promise<(typeof here)[]>>()
  expectTypeOf(wait([here, numbers])).toEqualTypeOf<Promise<(typeof here | Queue<number>)[]>>()
  wait([here, numbers, child, child.exited, Promise.resolve('a')], { timeout: 10 })
  wait(new Set([here]))
  // @ts-expect-error: nobody waits for a number
  wait([5])
  // @ts-expect-error: a Lock is acquired
  wait([new Lock()])
}

void useLock
void useOthers
