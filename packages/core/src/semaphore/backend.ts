import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Grant, Holds } from './grants.js'

/**
 * One counting semaphore, as one context uses it: brokered by its home (here or elsewhere), or native to a medium. Lock,
 * RLock, Semaphore, BoundedSemaphore, Event and Condition are core code over this. One object per context and semaphore,
 * however many handles the context has for it. Invariants, whoever implements it:
 *
 * - `0 <= value <= limit`. A permit is free (it counts in `value`), or a context holds it as a {@link Grant}.
 * - Waiting calls are served first come, first served, over all contexts; a free permit and a call that waits for one never
 *   both exist. A call that gave up, or whose context ended, takes no permit with it.
 * - A context that ends, however, gives back what it holds, and the next grant of such a permit says `abandoned`.
 */
export interface SemaphoreBackend {
  /** Unique in this program. */
  readonly id: string
  /**
   * What this context holds. The backend adds a grant in the moment in which it is made, and takes it out when it ends:
   * released, consumed, or given back by another context (then a later `release` of it does nothing).
   */
  readonly holds: Holds
  /**
   * 'hold' takes a permit; 'see' waits until one is free, and leaves it. Undefined where none came in time, or at once with
   * `nowait`. Rejects with the reason of an abort, or with MP_SHUT_DOWN when the home is gone. `waits` is told of the call
   * if it waits.
   */
  acquire(wish: Wish, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<Grant | undefined>
  /** Gives a held permit back. Needs no answer; no-op where it was revoked. */
  release(grant: Grant): void
  /** Forgets a held permit: it is used up, and nobody gets it back. */
  consume(grant: Grant): void
  /**
   * Adds permits: grants that are out end thereby, this context's own first, then the oldest; beyond these, new permits.
   * `exact`: all of them within the limit, or none, and false. Otherwise what exceeds the limit serves calls that wait, and
   * is dropped: with limit 0 this is a signal, with limit 1 a flag.
   */
  post(count: number, exact: boolean): Promise<boolean>
  /** How many permits are free. Others may act before the caller does: a hint. */
  value(): Promise<number>
  /** Resolves when every call made so far has taken effect: what waits is in line. */
  settled(): Promise<void>
  /** One handle fewer uses this backend. After the last, what this context still holds is given back, as `abandoned`. */
  close(): void
  /** What another context needs to open it, as `openSemaphore` does. */
  pack(packing: HandlePacking): PackedSemaphore
  /** As `acquire`, blocking this thread; where the medium can. Undefined where none came within `timeoutMs`. */
  acquireSync?(wish: Wish, timeoutMs: number): Grant | undefined
}

export type Wish = 'hold' | 'see'

export interface PackedSemaphore {
  readonly id: string
  /** The end of a wire that leads to the home; of a brokered one. */
  readonly end?: number
  /** Of a native one. */
  readonly memory?: unknown
}

/** No limit: as many as a semaphore of an operating system has. */
export const UNLIMITED = 2 ** 31 - 1

export function lostHome(cause?: Error): MpError {
  return new MpError(
    'MP_SHUT_DOWN',
    'the context that kept the state of this object is gone',
    cause ? { cause } : undefined,
  )
}
