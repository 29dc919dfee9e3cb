import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Collectable } from '../runtime/collection.js'
import type { Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Grant, Holds } from './grants.js'

/**
 * One counting semaphore, as one context uses it. It is brokered by its home (here or elsewhere), or native to a medium. Lock,
 * RLock, Semaphore, BoundedSemaphore, Event and Condition are core code over this. There is one object per context and
 * semaphore, however many handles the context has for it. Every implementation keeps these invariants:
 *
 * - `0 <= value <= limit`. A permit is free (then it counts in `value`), or a context holds it as a {@link Grant}.
 * - Waiting calls of all contexts are served first come, first served. A free permit and a call that waits for one never both
 *   exist. A call that gave up, or whose context ended, takes no permit with it.
 * - A context gives back what it holds when it ends, in whatever way. The next grant of such a permit says `abandoned`.
 */
export interface SemaphoreBackend extends Collectable {
  /** Unique in this program. */
  readonly id: string
  /**
   * What this context holds. The backend adds a grant at the moment when it is made. It takes the grant out when it is released,
   * consumed, or given back by another context. In the last case a later `release` of it does nothing.
   */
  readonly holds: Holds
  /**
   * 'hold' takes a permit. 'see' waits until one is free, and does not take it.
   *
   * - Gives undefined if no permit came in time. With `nowait` the call does not wait for one.
   * - Rejects with the reason of an abort, or with MP_SHUT_DOWN if the home is gone.
   * - A call that waits is passed to `waits`.
   */
  acquire(wish: Wish, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<Grant | undefined>
  /** Gives a held permit back. Needs no answer. Does nothing if the grant was revoked. */
  release(grant: Grant): void
  /** Uses a held permit up: nobody gets it back. */
  consume(grant: Grant): void
  /**
   * Adds permits.
   *
   * - `exact`: gives back grants that are out, this context's own first, then the oldest. Permits beyond these are new. If the
   *   value would exceed the limit, nothing happens, and the result is false.
   * - Otherwise all permits are new. They serve calls that wait, and what then exceeds the limit is dropped. With limit 0 this
   *   is a signal, with limit 1 a flag.
   */
  post(count: number, exact: boolean): Promise<boolean>
  /** How many permits are free. This is a hint, because others may act before the caller does. */
  value(): Promise<number>
  /** Resolves when every call made so far has taken effect: those that wait are in line. */
  settled(): Promise<void>
  /** A handle that used this backend was closed. After the last one, what this context still holds is given back as `abandoned`. */
  close(): void
  /** A handle that used this backend was collected. After the last one, what this context holds stays held: its guards may still release it. */
  collected(): void
  /** What `openSemaphore` needs in another context. */
  pack(packing: HandlePacking): PackedSemaphore
  /** As `acquire`, but blocks this thread. Absent if the medium cannot. Gives undefined if no permit came within `timeoutMs`. */
  acquireSync?(wish: Wish, timeoutMs: number): Grant | undefined
}

export type Wish = 'hold' | 'see'

export interface PackedSemaphore {
  readonly id: string
  /** Of a brokered semaphore: the index of the end of a wire that leads to the home. */
  readonly end?: number
  /** Of a native semaphore: its memory. */
  readonly memory?: unknown
}

/** Stands for no limit. It is the most that a semaphore of an operating system can have. */
export const UNLIMITED = 2 ** 31 - 1

export function lostHome(cause?: Error): MpError {
  return new MpError(
    'MP_SHUT_DOWN',
    'the context that kept the state of this object is gone',
    cause ? { cause } : undefined,
  )
}
