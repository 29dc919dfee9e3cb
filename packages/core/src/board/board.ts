import type { Parcel } from '../link/wire-end.js'

/**
 * A board is something that a home and one of its holders both see. It outlives either of them. The holder notes on it how far
 * it has claimed what home has sent to it. Home can take the rest back at any moment, without an answer from the holder.
 *
 * What home sends to one holder is numbered 1, 2, 3 and so on, modulo 2 ** 32. The number of an item is its *place*. Invariants:
 *
 * - The holder claims places in their order, each before user code sees the item.
 * - A place is claimed or taken back, never both, at whatever instruction either side is stopped or killed.
 * - A place that was taken back is never used again. So the holder can never claim what it still has from there.
 *
 * There are three kinds: a word in shared memory (`shared-board.ts`), a file whose offset a parent and its child share
 * (`claim-file.ts`), and words in a file (`file-board.ts`).
 */

/** The board as the home uses it. */
export interface HomeBoard {
  /** Up to this place everything is claimed or taken back. */
  readonly begun: number
  /** Lets the holder claim `count` more places, of which `last` is the last. Called before the items are sent. */
  sent(last: number, count: number): void
  /** Takes back what is not claimed, up to `last`, the last place that was sent. Gives the last place that was claimed. */
  takeBack(last: number): number
  /** Whether something was taken back, and the holder has not noticed. Then nothing may be sent on the board until `resume`. */
  readonly revoked: boolean
  /** The holder has noticed. `last` is the last place that was sent. */
  resume(last: number): void
  /**
   * Asks the holder to tell of its next claim of the place `from`, or a later one; with `asked` 0 asks it not to. `asked` is another
   * number each time. Look at `begun` afterwards: the holder may have claimed just before.
   */
  ask(asked: number, from: number): void
}

/** The board as the holder uses it. */
export interface HolderBoard {
  /** Claims `place`, and gives whether it is claimed now. Undefined: home is just deciding, try again in a moment. */
  claim(place: number): boolean | undefined
  /** The number that home had passed to `ask`, as the last `claim` found it. 0 if home does not ask about this place. */
  readonly asked: number
  /** Whether home asks about this place or about a later one, as the last `claim` found it. So somebody waits. */
  readonly waitedFor: boolean
  /** Whether a claim has found that home took something back. Then tell home so. What comes until home has answered is void. */
  readonly revoked: boolean
  /** Home has answered. Absent if `revoked` is never true. */
  resume?(): void
}

/** A board as home offers it to a holder. */
export interface Offer {
  readonly board: HomeBoard
  /** Whether home must not use it before the holder has answered that it could open it. */
  readonly uncertain: boolean
  /** This and the next two are what the holder needs to open it: see `openBoard`. */
  readonly slot: number
  readonly text: string
  readonly parcels: readonly Parcel[] | undefined
  /** Ends the use of the board: the holder is gone, or the home moves. */
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
