import type { HolderBoard, OpenBoard } from '../board/board.js'
import type { Parcel } from '../link/wire-end.js'
import { Deque } from '../runtime/deque.js'

/** An item that has come, and is not claimed. */
export interface Received {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
  readonly place: number
  /** It is claimed on the board; otherwise by a message. */
  readonly onBoard: boolean
}

export interface HandUser {
  /** What came at `place` is claimed by a message; or 0: home has asked to be told of a claim. Home must hear before user code runs. */
  claimed(place: number): void
  /** All that has come is void; so is what comes until home has answered that it knows that. */
  revoked(): void
}

/** Below this many items home is not asked for more ahead of the need. */
const FEW = 4

/** The items that home has sent to this context and that it has not claimed: see broker/board.ts. */
export class Hand {
  readonly #user: HandUser
  readonly #items = new Deque<Received>()
  #board: HolderBoard | undefined
  #close: (() => void) | undefined
  /** What home had asked with when it was last told. */
  #told = 0
  /** The last place that has come. */
  seen = 0
  /** Home is about to decide about the oldest item: look again in a moment. */
  undecided = false
  /** How many items there were when the last ones came; 0 once home has been asked for more. */
  #peak = 0
  /** When items came while there were none, and how many have been taken since. */
  #since = 0
  #taken = 0

  constructor(user: HandUser) {
    this.#user = user
  }

  get length(): number {
    return this.#items.length
  }

  use({ board, close }: OpenBoard): void {
    this.#close?.()
    this.#board = board
    this.#close = close
    this.#told = 0
  }

  add(item: Received): void {
    this.seen = item.place
    if (item.onBoard && this.#board?.revoked) return
    if (this.#items.length === 0 && this.#taken === 0) this.#since = performance.now()
    this.#items.push(item)
    this.#peak = this.#items.length
  }

  /** The oldest item, claimed. What home has taken back is passed over. */
  take(): Received | undefined {
    this.undecided = false
    for (let item = this.#items.shift(); item; item = this.#items.shift()) {
      if (!item.onBoard) {
        this.#user.claimed(item.place)
        this.#taken++
        return item
      }
      const board = this.#board as HolderBoard
      const mine = board.claim(item.place)
      if (mine) {
        const { asked } = board
        if (asked !== 0 && asked !== this.#told) {
          this.#told = asked
          this.#user.claimed(0)
        }
        this.#taken++
        return item
      }
      if (mine === undefined) {
        this.#items.unshift(item)
        this.undecided = true
        return undefined
      }
      if (board.revoked) {
        this.#dropClaimable()
        this.#user.revoked()
      }
    }
    return undefined
  }

  /** Home knows that this side has noticed: what comes from here on can be claimed. */
  resume(): void {
    this.#board?.resume?.()
  }

  #dropClaimable(): void {
    const rest = [...this.#items].filter(({ onBoard }) => !onBoard)
    this.#items.clear()
    for (const each of rest) this.#items.push(each)
  }

  /** An item that came without a board, and that nobody waits for. */
  takeUnwanted(): Received | undefined {
    return this.#items.peek()?.onBoard === false ? this.#items.shift() : undefined
  }

  /** Whether half of what came is used up, and home should be asked for more. Once for each time that something came. */
  get low(): boolean {
    if (this.#peak < FEW || this.#items.length > this.#peak / 2) return false
    this.#peak = 0
    return true
  }

  /** ns that an item takes here, since items came while there were none; 0 where none was taken. */
  pace(): number {
    const taken = this.#taken
    this.#taken = 0
    return taken === 0 ? 0 : Math.min(Math.ceil(((performance.now() - this.#since) * 1e6) / taken), 0xffff_ffff)
  }

  /** The home is another one from here on, or none: what was sent by the one before is void. */
  clear(): void {
    this.#items.clear()
    this.#close?.()
    this.#close = undefined
    this.#board = undefined
    this.undecided = false
    this.seen = 0
    this.#taken = 0
    this.#peak = 0
  }
}
