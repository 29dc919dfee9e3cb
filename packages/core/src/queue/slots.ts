import { MpError } from '../errors.js'
import { WaitList } from '../runtime/wait-list.js'

/** ms that home waits at most for slots that were granted ahead, before it says that the queue is full. */
const LONGEST_TURN = 20

/** What one holder has of a bounded queue. */
export interface SlotHolder {
  /** Slots that it was granted and has not filled. They are free again when it dies. */
  reserved: number
  /** How many slots it may be granted ahead. Doubles when it gets them all, and falls by those that it returns. */
  ahead: number
}

/** A call that waits for a slot of a bounded queue. */
export interface Putter {
  grant(): void
  refuse(): void
  readonly holder?: SlotHolder
  readonly call?: number
}

/** How many items a queue has. */
export interface Sizes {
  readonly size: number
  /** Not less than `size`, and cheaper to ask for. */
  readonly sizeAtMost: number
}

/**
 * The slots of a bounded queue, and who waits for one. Invariants:
 *
 * - `size + reserved <= maxsize`. A slot is reserved from the grant of a put until its item is here, so that what `put` has
 *   promised never exceeds the bound, and a holder's death gives its slots back. It is free when the item is claimed.
 * - A call that waits and a free slot are never both there.
 */
export class Slots {
  readonly maxsize: number
  readonly #sizes: Sizes
  #reserved = 0
  readonly #line = new WaitList<Putter>()
  /** Calls that ask whether the queue is full, while slots are granted ahead. */
  readonly #unsettled = new Set<() => void>()
  #granting = false

  constructor(maxsize: number, sizes: Sizes) {
    this.maxsize = maxsize
    this.#sizes = sizes
  }

  get reserved(): number {
    return this.#reserved
  }

  get full(): boolean {
    if (this.maxsize === 0 || this.#sizes.sizeAtMost + this.#reserved < this.maxsize) return false
    return this.#sizes.size + this.#reserved >= this.maxsize
  }

  /** Calls that wait, in their order. */
  get waiting(): WaitList<Putter> {
    return this.#line
  }

  /** Grants the holder a slot, and more: half of those that are free, none while others wait. Gives how many more. */
  grant(holder: SlotHolder): number {
    let more = 0
    if (this.#line.length === 0) {
      const free = this.maxsize - this.#sizes.sizeAtMost - this.#reserved - 1
      more = Math.max(0, Math.min(free >> 1, holder.ahead))
      if (more === holder.ahead) holder.ahead *= 2
    }
    holder.reserved += 1 + more
    this.#reserved += 1 + more
    return more
  }

  /** The holder fills its slots, or gives them back. */
  release(holder: SlotHolder, count: number): void {
    if (holder.reserved < count) throw new MpError('MP_DECODE', 'a holder fills a slot that it was not granted')
    holder.reserved -= count
    this.#reserved -= count
  }

  /** Slots may be free: grants them to those who wait. */
  changed(): void {
    // A grant may put, and so come here again: thousands of waiting calls would overflow the stack.
    if (this.#granting) return
    this.#granting = true
    try {
      while (this.#line.length > 0 && !this.full) (this.#line.shift() as Putter).grant()
    } finally {
      this.#granting = false
    }
    for (const look of this.#unsettled) look()
  }

  /** No slot will be free any more. */
  refuseAll(): void {
    for (let next = this.#line.shift(); next; next = this.#line.shift()) next.refuse()
  }

  /**
   * Slots that were granted ahead may make a queue look full. Those that are not used come back when their holder's turn ends, and
   * only then is it known whether the queue is full. Fulfils when it is known, or after 20 ms: then the queue counts as full.
   * Undefined if it is known already.
   */
  settled(): Promise<void> | undefined {
    const isKnown = () => this.#reserved === 0 || !this.full || this.#sizes.size >= this.maxsize
    if (this.maxsize === 0 || isKnown()) return undefined
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#unsettled.delete(look)
        resolve()
      }
      const look = () => {
        if (isKnown()) done()
      }
      const timer = setTimeout(done, LONGEST_TURN)
      this.#unsettled.add(look)
    })
  }
}
