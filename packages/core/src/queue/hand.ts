import type { HolderBoard, OpenBoard } from '../board/board.js'
import { MpError } from '../errors.js'
import type { Parcel } from '../link/wire-end.js'
import { Deque } from '../runtime/deque.js'

/** An item that has come and is not claimed yet. */
export interface Received {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
  readonly place: number
  /** Whether it is claimed on the board. Otherwise it is claimed by a message. */
  readonly onBoard: boolean
}

export interface HandUser {
  /**
   * Tells home of a claim, before user code runs. `place`: that of an item that is claimed by this message. 0: something was
   * claimed on the board, and home had asked to be told.
   */
  claimed(place: number): void
  /** Something was claimed on the board while somebody waits at home for what this context has not claimed. */
  waitedFor(): void
  /** Home has taken something back. All that came on the board is void, and so is all that comes until home has answered. */
  revoked(): void
}

const NONE: readonly Received[] = []

/** Home is asked for more ahead of the need only if at least this many items had come. */
const FEW = 4

/** The items that home has sent to this context, and that this context has not claimed yet. See board/board.ts. */
export class Hand {
  readonly #user: HandUser
  readonly #items = new Deque<Received>()
  /** How many of them are to be claimed by a message. */
  #unboarded = 0
  #board: HolderBoard | undefined
  #close: (() => void) | undefined
  /** The number with which home had asked when this side last told it of a claim. */
  #told = 0
  /** The last place that has come. */
  seen = 0
  /** Whether home is just deciding about the oldest item, so that the user must look again a moment later. */
  undecided = false
  /** How many items there were when the last ones came; 0 once home has been asked for more. */
  #peak = 0
  /** When items came while there were none, since the pace was last asked. */
  #since = 0
  /** How many items were taken since the pace was last asked. */
  #taken = 0
  /** How many items were claimed on boards so far. */
  #claims = 0

  constructor(user: HandUser) {
    this.#user = user
  }

  get length(): number {
    return this.#items.length
  }

  get claims(): number {
    return this.#claims
  }

  use({ board, close }: OpenBoard): void {
    this.#close?.()
    this.#board = board
    this.#close = close
    this.#told = 0
  }

  add(item: Received): void {
    if (item.onBoard && !this.#board)
      throw new MpError('MP_DECODE', 'items came to be claimed on a board that is not here')
    this.seen = item.place
    if (item.onBoard && this.#board?.revoked) return
    if (this.#items.length === 0 && this.#taken === 0) this.#since = performance.now()
    this.#items.push(item)
    if (!item.onBoard) this.#unboarded++
    this.#peak = this.#items.length
  }

  /** Claims the oldest item and gives it. Leaves out what home has taken back. */
  take(): Received | undefined {
    this.undecided = false
    for (let item = this.#items.shift(); item; item = this.#items.shift()) {
      if (!item.onBoard) {
        this.#unboarded--
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
        this.#claims++
        this.#taken++
        if (board.waitedFor) this.#user.waitedFor()
        return item
      }
      if (mine === undefined) {
        this.#items.unshift(item)
        this.undecided = true
        return undefined
      }
      if (board.revoked) {
        this.#takeAll(true)
        this.#user.revoked()
      }
    }
    return undefined
  }

  /** Home knows that this side has noticed the take-back. What comes from now on can be claimed. */
  resume(): void {
    this.#board?.resume?.()
  }

  /** The items that are to be claimed by a message, oldest first, without a claim. Called when nobody waits for them. */
  takeUnwanted(): readonly Received[] {
    if (this.#unboarded === 0) return NONE
    this.#unboarded = 0
    return this.#takeAll(false)
  }

  /** Takes out all items that are claimed on the board, or all others. */
  #takeAll(boarded: boolean): readonly Received[] {
    const all = [...this.#items]
    this.#items.clear()
    for (const each of all) if (each.onBoard !== boarded) this.#items.push(each)
    return all.filter(({ onBoard }) => onBoard === boarded)
  }

  /** Whether half of what came is used up, and home should be asked for more. True once each time that something has come. */
  get low(): boolean {
    if (this.#peak < FEW || this.#items.length > this.#peak / 2) return false
    this.#peak = 0
    return true
  }

  /** ns that an item takes here, as an average since `#since`. 0 if none was taken since the last call. */
  pace(): number {
    const taken = this.#taken
    this.#taken = 0
    return taken === 0 ? 0 : Math.min(Math.ceil(((performance.now() - this.#since) * 1e6) / taken), 0xffff_ffff)
  }

  /** From now on there is another home, or none. What the old one sent is void. */
  clear(): void {
    this.#items.clear()
    this.#unboarded = 0
    this.#close?.()
    this.#close = undefined
    this.#board = undefined
    this.undecided = false
    this.seen = 0
    this.#taken = 0
    this.#peak = 0
  }
}
