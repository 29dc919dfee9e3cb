import { MpError } from '../errors.js'
import type { Link } from './link.js'

/** Answers that wait here because the other side does not read. It asks, so their number is its own, and needs a bound. */
export class UnreadAnswers {
  readonly #most: number
  #count = 0

  constructor(most: number) {
    this.#most = most
  }

  /** An answer is about to be sent over the link. Throws MP_DECODE if it would be one too many that waits. */
  add({ undrained }: Link): void {
    if (!undrained || ++this.#count <= this.#most) return
    throw new MpError('MP_DECODE', `more than ${this.#most} answers are not read`)
  }

  /** The link has drained: the other side reads again. */
  drained(): void {
    this.#count = 0
  }
}
