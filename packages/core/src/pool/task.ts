import type { Parcel } from '../link/wire-end.js'
import type { Target, TargetReference } from '../process/target.js'
import type { ByteBuffer } from '../runtime/byte-buffer.js'
import type { How } from './protocol.js'

/** A function that the pool was asked to call, as its workers will know it. */
export interface Callee {
  readonly number: number
  readonly name: string
  readonly target: Target<never[]>
  readonly reference: TargetReference
  /** ms that one call takes, as its pool sees it: a moving average. Undefined before the first result. */
  pace: number | undefined
}

/** What a worker is given at once: one call, or a chunk of items. Encoded when it was made. */
export interface Task {
  readonly number: number
  readonly job: Job
  readonly callee: Callee
  readonly how: How
  /** Where its items stand in their job's input. */
  readonly first: number
  readonly count: number
  readonly body: ByteBuffer
  readonly start: number
  readonly end: number
  /** Live objects and ends of wires can be sent only once: a task that has any is never given to a second worker. */
  readonly parcels: readonly Parcel[] | undefined
  /** How many workers were lost with it. */
  losses: number
  /** How many ms it was expected to take when it was given to its worker. */
  expected: number
  /** Its worker was asked to give it back. */
  recalled: boolean
  /** Its place among those that its worker was sent, as {@link SharedProgress} counts them. */
  place: number
  /** One of its items failed. */
  failed: boolean
}

/** What somebody asked of the pool, and waits for. It is told what came of each of its tasks, once. */
export interface Job {
  /** Nobody waits any more: its queued tasks are dropped, and what comes of the others is ignored. */
  over: boolean
  /** How many of its tasks are in the pool's queue. */
  queued: number
  /** Nobody hears of any task before all are through, so results of single tasks need not hurry. */
  readonly quiet: boolean
  fulfilled(index: number, result: unknown): void
  /** The results of the items `first`, `first + 1`, ... */
  allFulfilled(first: number, results: readonly unknown[]): void
  rejected(index: number, error: unknown): void
  /** Called after the outcomes of all the task's items. */
  settled(task: Task): void
  /** The pool cannot go on with the job: it is broken, or was terminated. */
  fail(error: unknown): void
  /** The pool is being joined: an input that is not at hand is read no further. */
  finish?(): void
}

export function rejectAll(task: Task, error: unknown): void {
  task.failed = true
  for (let i = 0; i < task.count; i++) task.job.rejected(task.first + i, error)
}
