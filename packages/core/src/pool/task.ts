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
  /** ms that one call takes, as seen from here, moving average; undefined before the first answer. */
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
  /** Live objects and ends of wires go once: a task that has any is never given to a second worker. */
  readonly parcels: readonly Parcel[] | undefined
  /** Workers that were lost with it. */
  losses: number
  /** ms that it was thought to take when it was sent. */
  expected: number
  recalled: boolean
  /** Among those that its worker was sent, as {@link SharedProgress} count. */
  place: number
  /** Of any of its items. */
  failed: boolean
}

/** What somebody asked of the pool, and waits for: told what came of its tasks, each once. */
export interface Job {
  /** Nobody waits any more: what of it is queued is dropped, what comes of it is ignored. */
  over: boolean
  /** How many of its tasks are in the pool's queue. */
  queued: number
  /** Nobody hears of any task before all are through: there is no hurry to tell what came of one. */
  readonly quiet: boolean
  fulfilled(index: number, result: unknown): void
  /** Of the items `first`, `first + 1`, ... */
  allFulfilled(first: number, results: readonly unknown[]): void
  rejected(index: number, error: unknown): void
  /** After all of the task's items. */
  settled(task: Task): void
  /** The pool cannot go on with it: broken, terminated. */
  fail(error: unknown): void
  /** The pool was joined: what has not been read of its input will not be, unless it is at hand. */
  finish?(): void
}

export function rejectAll(task: Task, error: unknown): void {
  task.failed = true
  for (let i = 0; i < task.count; i++) task.job.rejected(task.first + i, error)
}
