import { MpError } from '../errors.js'
import type { Link } from '../link/link.js'
import { UnreadAnswers } from '../link/unread-answers.js'

/** Calls of one holder that may wait at a home at a time, or whose answers it may leave unread. */
const MOST_CALLS = 1_000_000
/** The same for a holder in another program. */
const MOST_FOREIGN_CALLS = 10_000

/** What a home keeps for the calls of one holder: a bounded number, whatever the holder sends. */
export class HolderCalls {
  readonly #most: number
  readonly #waiting = new Set<number>()
  readonly unread: UnreadAnswers

  constructor({ transport }: Link) {
    this.#most = transport.capabilities.reach === 'host' ? MOST_FOREIGN_CALLS : MOST_CALLS
    this.unread = new UnreadAnswers(this.#most)
  }

  /** A call has come. Throws MP_DECODE if a call of this number waits. */
  check(call: number): void {
    if (this.#waiting.has(call)) throw new MpError('MP_DECODE', `call ${call} was made twice`)
  }

  /** A call waits from now on. Throws MP_DECODE if that is one too many, or if a call of this number waits already. */
  wait(call: number): void {
    this.check(call)
    this.#waiting.add(call)
    this.bound(this.#waiting.size)
  }

  /** Throws MP_DECODE if `count` things that wait are too many. */
  bound(count: number): void {
    if (count > this.#most) throw new MpError('MP_DECODE', `more than ${this.#most} calls wait`)
  }

  /** The call was answered, or its caller gave up. */
  end(call: number): void {
    this.#waiting.delete(call)
  }
}
