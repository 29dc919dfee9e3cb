import { ourPeers } from './peers.js'
import { isSleepless, SpinWait, spinWhile } from './spin-wait.js'

/**
 * How threads wait until something becomes true in shared memory, and how they are woken. If nobody waits, no call is made.
 *
 * There is one word: a count that changes, and that is odd while somebody may wait.
 *
 * - A waiter makes the word odd, *then* looks whether it is true by now, then waits for the word to change.
 * - Whoever makes it true looks at the word *afterwards*. If the word is odd, it changes the word, so that a thread about to wait
 *   looks again, and wakes one waiter. If there was none, it makes the word even, and wakes all that came in between.
 *
 * So one of the two always sees the other. The word stays odd while others may wait. To be woken in vain is harmless.
 *
 * A thread that dies between its wake-up and what it would do next takes the wake-up with it. So the others look for themselves:
 * all look again after each death (`Peers.listen`), and blocked threads after each SLICE. An asynchronous wait whose caller has
 * given up passes the wake-up on.
 */

/** ms. How long a blocked thread waits at most until it looks again, and looks after its children. */
const SLICE = 100

/**
 * Blocks while the word is `value`, for about `timeout` ms at most; may return early, or in vain, and does so every SLICE,
 * and when somebody has died.
 */
export function sleepWhile(words: Int32Array, at: number, value: number, timeout: number): void {
  if (spinWhile(words, at, value)) return
  const peers = ourPeers()
  if (!isSleepless()) {
    if (Atomics.wait(words, at, value, Math.min(timeout, SLICE)) === 'timed-out') peers.check()
    return
  }
  const { deaths } = peers
  for (const end = performance.now() + timeout; performance.now() < end && peers.deaths === deaths; peers.check()) {
    for (let i = 0; i < 1000; i++) if (Atomics.load(words, at) !== value) return
  }
}

export class Bell {
  words: Int32Array
  readonly spinWait: SpinWait
  readonly #at: number
  readonly #ready: () => boolean
  #wake: (() => boolean) | undefined
  #waiting = false
  readonly #onDeath = () => void this.#heard()

  /** `ready`: whether what this bell stands for is true. */
  constructor(words: Int32Array, at: number, ready: () => boolean) {
    this.words = words
    this.#at = at
    this.#ready = ready
    this.spinWait = new SpinWait(ready)
  }

  /** It may be true now: wakes one waiter. */
  ring(): void {
    const word = Atomics.load(this.words, this.#at)
    if (word & 1) this.#ringOdd(word)
  }

  /** Something has changed for all waiters. */
  ringAll(): void {
    Atomics.add(this.words, this.#at, 2)
    Atomics.notify(this.words, this.#at)
  }

  /** Blocks until `ready`, or for about `timeout` ms; may return early, or in vain. */
  waitSync(timeout: number): void {
    if (this.#ready()) return
    if (this.spinWait.beforeSleep()) return
    if (isSleepless()) return this.spinWait.sleepless(timeout)
    const word = this.#flag()
    if (this.#ready()) return
    // Nobody here would hear the wake-up of an asynchronous wait, which stands before this one in the line.
    if (this.#waiting) Atomics.notify(this.words, this.#at)
    if (Atomics.wait(this.words, this.#at, word, Math.min(timeout, SLICE)) === 'timed-out') ourPeers().check()
  }

  /**
   * Calls `wake` once when it is, or may be, true. If `wake` gives false, the wake-up was of no use here. Does not keep the event
   * loop alive. A later call replaces the earlier one.
   */
  watch(wake: () => boolean): void {
    if (!this.#wake) ourPeers().listen(this.#onDeath)
    this.#wake = wake
    if (this.#waiting) {
      if (this.#ready()) setImmediate(this.#onDeath)
      return
    }
    const word = this.#flag()
    const wait = this.#ready() ? undefined : Atomics.waitAsync(this.words, this.#at, word)
    if (wait?.async) {
      this.#waiting = true
      void wait.value.then(() => {
        this.#waiting = false
        if (!this.#heard() && this.#ready()) this.ring()
      })
    } else {
      setImmediate(this.#onDeath)
    }
  }

  unwatch(): void {
    if (!this.#wake) return
    this.#wake = undefined
    ourPeers().unlisten(this.#onDeath)
  }

  #heard(): boolean {
    const wake = this.#wake
    if (!wake) return false
    this.unwatch()
    return wake()
  }

  /** Makes the word odd; gives it. */
  #flag(): number {
    for (;;) {
      const word = Atomics.load(this.words, this.#at)
      if (word & 1) return word
      if (Atomics.compareExchange(this.words, this.#at, word, word + 1) === word) return (word + 1) | 0
    }
  }

  #ringOdd(word: number): void {
    const next = (word + 2) | 0
    // If that fails, somebody else has changed the word since it became true.
    const changed = Atomics.compareExchange(this.words, this.#at, word, next) === word
    if (Atomics.notify(this.words, this.#at, 1) > 0 || !changed) return
    if (Atomics.compareExchange(this.words, this.#at, next, next + 1) === next) Atomics.notify(this.words, this.#at)
  }
}
