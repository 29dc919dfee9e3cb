import type { Parcel } from '../link/wire-end.js'

/**
 * A board is what a home and one of its holders both see, and what outlives either. On it the holder notes how far it has
 * claimed what home has sent it, and home takes the rest back, at any moment, without an answer of the holder.
 *
 * What home sends to one holder is numbered: 1, 2, 3 ... (modulo 2 ** 32); a number is its *place*. Invariants:
 *
 * - The holder claims places in their order, each before user code sees what is there.
 * - A place is claimed or taken back, never both, wherever either side is stopped or killed.
 * - A place that was taken back is never used again: what the holder still has from there can never be claimed.
 *
 * There are three: a word in shared memory (`shared-board.ts`), a file whose offset parent and child share (`claim-file.ts`),
 * and words in a file (`file-board.ts`).
 */

/** The side of the home. */
export interface HomeBoard {
  /** The last place that was claimed, or that lies before one that was taken back. */
  readonly begun: number
  /** The holder may claim `count` more places, the last of which is `last`. Called before it can see what is there. */
  sent(last: number, count: number): void
  /** Takes back whatever is not claimed up to `last`, the last place that was sent. Gives the last place that was claimed. */
  takeBack(last: number): number
  /** Whether nothing may be sent until the holder has noticed that something was taken back, and `resume` was called. */
  readonly revoked: boolean
  resume(last: number): void
  /** Asks the holder to tell of its next claim (`ask` counts up, and is not 0), or with 0 not to. Then look at `begun` again. */
  ask(asked: number): void
}

/** The side of the holder. */
export interface HolderBoard {
  /** Whether `place` is this context's now. Undefined: home is about to decide, try again in a moment. */
  claim(place: number): boolean | undefined
  /** What home has asked with, as the last `claim` found it; 0 where nobody waits. */
  readonly asked: number
  /** After a claim that gave false: home waits until it is told that this side has noticed; what comes until it answers is void. */
  readonly revoked: boolean
  /** Home has answered. Only where `revoked` can be true. */
  resume?(): void
}

/** A board as home offers it to a holder. */
export interface Offer {
  readonly board: HomeBoard
  /** Home may use it only when the holder has answered that it could open it. */
  readonly uncertain: boolean
  /** What the holder needs to open it. */
  readonly slot: number
  readonly text: string
  readonly parcels: readonly Parcel[] | undefined
  /** The holder is gone, or the home moves. The board is not used any more. */
  close(): void
}

/** A board that the holder has opened. */
export interface OpenBoard {
  readonly board: HolderBoard
  close(): void
}

/** Whether `a` is a later place than `b`. */
export function isLater(a: number, b: number): boolean {
  return ((a - b) | 0) > 0
}
