import { type HolderBoard, type HomeBoard, isLater } from './board.js'

/** Words of a slot. It fills a cache line, so that two holders do not slow each other down. */
const SLOT = 16
const SLOTS = 256

/** Up to this place everything is claimed or taken back. */
const BEGUN = 0
/** If not 0, home asks to be told of the next claim of a place, from that in the word behind it on. */
const ASKED = 1

/**
 * A board between threads, in shared memory. One word decides: a claim swaps it for the place that is claimed, a take-back swaps
 * it for the last place that was sent. A claim takes 20 ns.
 */
export class SharedBoard implements HomeBoard, HolderBoard {
  /** How many boards one memory has room for. */
  static readonly slots: number = SLOTS
  static readonly bytes: number = SLOTS * SLOT * 4
  readonly revoked = false
  readonly #words: Int32Array
  readonly #at: number
  /** Of the holder: the place of its last claim. */
  #claimed = 0

  constructor(memory: SharedArrayBuffer, slot: number) {
    this.#words = new Int32Array(memory)
    this.#at = slot * SLOT
  }

  get begun(): number {
    return Atomics.load(this.#words, this.#at + BEGUN) >>> 0
  }

  get waitedFor(): boolean {
    return Atomics.load(this.#words, this.#at + ASKED) !== 0
  }

  get asked(): number {
    const asked = Atomics.load(this.#words, this.#at + ASKED)
    return asked !== 0 && isLater(Atomics.load(this.#words, this.#at + ASKED + 1), this.#claimed) ? 0 : asked
  }

  sent(): void {}

  takeBack(last: number): number {
    return Atomics.exchange(this.#words, this.#at + BEGUN, last) >>> 0
  }

  resume(): void {}

  ask(asked: number, from: number): void {
    // In this order, so that a holder that finds the number finds this place, or a later question's. Home looks after each.
    Atomics.store(this.#words, this.#at + ASKED + 1, from)
    Atomics.store(this.#words, this.#at + ASKED, asked)
  }

  claim(place: number): boolean {
    const words = this.#words
    const at = this.#at + BEGUN
    const before = Atomics.load(words, at)
    this.#claimed = place
    // Only a take-back can come between the two, and it takes this place back, too.
    return isLater(place, before) && Atomics.compareExchange(words, at, before, place | 0) === before
  }
}
