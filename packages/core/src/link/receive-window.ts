import { MpError } from '../errors.js'

/**
 * The other side's window, seen from where its messages arrive: what it owes, and when it gets credit.
 *
 * Credit is given in portions of half a window, so that it costs few messages, and the sender goes on meanwhile. The first
 * message gets it at once: it tells the sender that this side was there to read it.
 */
export class ReceiveWindow {
  readonly #size: number
  /** Cost of the messages that readers took since the last credit. */
  #taken = 0
  /** Credit was given over this wire. */
  #gave = false
  /**
   * Cost of all messages that the other side has no credit for. If it is more than the window, the other side does not keep
   * to it.
   */
  #owed = 0
  /** What the other side may send beyond the window. */
  #beyond = 0

  constructor(size: number) {
    this.#size = size
  }

  /** A message came. Nothing may be sent while the window is full, but one message may exceed what is left of it. */
  charge(cost: number): void {
    if (this.#owed >= this.#size + this.#beyond) {
      throw new MpError('MP_DECODE', 'the other side sends more than it was allowed to')
    }
    this.#owed += cost
  }

  /** A reader took a message. Gives the credit that is due now; 0 if it is too little to tell. */
  take(cost: number): number {
    const taken = this.#taken + cost
    if (taken < this.#size / 2 && (this.#gave || taken === 0)) {
      this.#taken = taken
      return 0
    }
    this.#gave = true
    this.#taken = 0
    this.#owed -= taken
    return taken
  }

  /** The other side ends, and sends everything that it has: so many bytes at most. */
  allow(bytes: number): void {
    this.#beyond = bytes
  }

  /** From here on messages come over another wire. */
  reset(): void {
    this.#taken = 0
    this.#gave = false
    this.#owed = 0
    this.#beyond = 0
  }
}
