import type { Barrier, BarrierOptions } from '../barrier/barrier.js'
import type { CurrentProcess, ParentProcess } from '../context/parent-process.js'
import type { Connection } from '../pipe/connection.js'
import type { PipeOptions } from '../pipe/pipe.js'
import type { CurrentTask } from '../pool/current-task.js'
import type { Pool } from '../pool/pool.js'
import type { PoolOptions } from '../pool/pool-options.js'
import type { Process } from '../process/process.js'
import type { ProcessOptions } from '../process/process-options.js'
import type { Target } from '../process/target.js'
import type { JoinableQueue } from '../queue/joinable-queue.js'
import type { Queue } from '../queue/queue.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Condition } from '../semaphore/condition.js'
import type { Event } from '../semaphore/event.js'
import type { Lock } from '../semaphore/lock.js'
import type { RLock } from '../semaphore/rlock.js'
import type { BoundedSemaphore, Semaphore } from '../semaphore/semaphore.js'
import type { SharedArray } from '../shared-memory/shared-array.js'
import type { SharedElement, SharedType } from '../shared-memory/shared-memory.js'
import type { Value } from '../shared-memory/value.js'
import type { Waitable } from './wait.js'

export interface ProcessConstructor {
  new <A extends unknown[], R>(options?: ProcessOptions<A, R> & ([] extends A ? unknown : { args: A })): Process<A, R>
  /** Starts a process, waits for it, and gives what the target returned or rejects with what it threw. */
  run<A extends unknown[], R>(target: Target<A, R>, ...args: A): Promise<Awaited<R>>
  readonly prototype: Process
}

export interface QueueConstructor {
  /** `maxsize`: how many items it holds before puts wait. 0 (the default) or less: no bound. */
  new <T = unknown>(maxsize?: number): Queue<T>
  readonly prototype: Queue
}

export interface JoinableQueueConstructor {
  /** As {@link QueueConstructor}. */
  new <T = unknown>(maxsize?: number): JoinableQueue<T>
  readonly prototype: JoinableQueue
}

export interface LockConstructor {
  new (): Lock
  readonly prototype: Lock
}

export interface RLockConstructor {
  new (): RLock
  readonly prototype: RLock
}

export interface SemaphoreConstructor {
  /** `value`: how often it can be acquired at first. 1 where absent. */
  new (value?: number): Semaphore
  readonly prototype: Semaphore
}

export interface BoundedSemaphoreConstructor {
  /** `value`: how often it can be acquired, at first and at most. 1 where absent. */
  new (value?: number): BoundedSemaphore
  readonly prototype: BoundedSemaphore
}

export interface EventConstructor {
  new (): Event
  readonly prototype: Event
}

export interface ConditionConstructor {
  /** `lock`: the lock that goes with the condition. An RLock of its own where absent. */
  new (lock?: Lock): Condition
  readonly prototype: Condition
}

export interface BarrierConstructor {
  /** `parties`: how many calls of `wait` it takes for all of them to go on. */
  new (parties: number, options?: BarrierOptions): Barrier
  readonly prototype: Barrier
}

/** The type of the member `lock` of a Value or a SharedArray, by the option `lock`. */
type LockOf<L> = L extends Lock ? L : L extends false ? undefined : Lock

export interface ValueConstructor {
  /**
   * `initial`: 0 where absent. `lock`: true (the default) for a Lock of its own, false for none, or the Lock or RLock to use.
   * Throws MP_NOT_SUPPORTED where the transport has no shared memory.
   */
  new <T extends SharedType, const L extends boolean | Lock = true>(
    type: T,
    initial?: SharedElement<T>,
    options?: { lock?: L | undefined },
  ): Value<T, LockOf<L>>
  readonly prototype: Value
}

export interface SharedArrayConstructor {
  /** `content`: how many zeros, or the values to copy. The rest is as in {@link ValueConstructor}. */
  new <T extends SharedType, const L extends boolean | Lock = true>(
    type: T,
    content: number | Iterable<SharedElement<T>>,
    options?: { lock?: L | undefined },
  ): SharedArray<T, LockOf<L>>
  readonly prototype: SharedArray
}

export interface PoolConstructor {
  /** `processes`: how many workers. Where absent, as many as there are CPUs for this program. */
  new <I extends unknown[] = never[]>(processes?: number, options?: PoolOptions<I>): Pool
  readonly prototype: Pool
}

/** All classes and functions, bound to one transport. Every transport package exports these names. */
export interface BoundContext {
  readonly Process: ProcessConstructor
  readonly Queue: QueueConstructor
  readonly JoinableQueue: JoinableQueueConstructor
  readonly Lock: LockConstructor
  readonly RLock: RLockConstructor
  readonly Semaphore: SemaphoreConstructor
  readonly BoundedSemaphore: BoundedSemaphoreConstructor
  readonly Event: EventConstructor
  readonly Condition: ConditionConstructor
  readonly Barrier: BarrierConstructor
  readonly Value: ValueConstructor
  readonly SharedArray: SharedArrayConstructor
  readonly Connection: { readonly prototype: Connection; [Symbol.hasInstance](value: unknown): value is Connection }
  /** Makes two connected ends. With `false`, or `{ duplex: false }`, the first only receives and the second only sends. */
  Pipe<S = unknown, R = S>(options?: boolean | PipeOptions): [Connection<S, R>, Connection<R, S>]
  /**
   * Waits until one of `objects` is ready. Gives those that are ready, in their order; none when `timeout` ms pass first. Takes
   * nothing from them.
   *
   * - A Connection is ready when `recv` would not wait.
   * - A Queue is ready when `get` would not wait. This is a hint: others may take the item.
   * - A Process is ready when it has ended, and a promise when it has settled.
   */
  wait<T extends Waitable>(objects: Iterable<T>, options?: WaitOptions): Promise<T[]>
  /** The calling context itself. */
  currentProcess(): CurrentProcess
  /** The creator of the calling context; null in the main program. */
  parentProcess(): ParentProcess | null
  /** Those of the calling context's children that have not ended. A new array each time. */
  activeChildren(): Process[]
  /** Whether this is the program that the user started, and not a child. */
  readonly isMainProcess: boolean
  readonly Pool: PoolConstructor
  /**
   * In a function that a Pool calls: its task, with a signal that aborts when nobody waits for it any more. Call this before the
   * first `await`. Null elsewhere.
   */
  currentTask(): CurrentTask | null
}
