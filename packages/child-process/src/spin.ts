/** ms that one spin lasts: about twice what waking an idle core costs. */
const LONGEST = 0.2
/** After so many vain spins in a row it rests: it lets some signs of the other side pass, from SHORTEST_REST to LONGEST_REST. */
const MISSES = 2
const SHORTEST_REST = 64
const LONGEST_REST = 8192

/**
 * Keeps the event loop awake for a moment after a sign of the other side. The next sign often follows within microseconds, and
 * waking a core that sleeps costs some 50. If that does not pay (a slow peer, or one that needs this very core), it soon stops.
 */
export class Spin {
  #until = 0
  #spinning = false
  #misses = 0
  #rest = SHORTEST_REST
  #resting = 0

  /** The other side has given a sign: bytes, or room for them. */
  sign(): void {
    if (this.#spinning) {
      this.#misses = 0
      this.#rest = SHORTEST_REST
    } else if (this.#resting > 0) {
      this.#resting--
      return
    } else {
      this.#spinning = true
      setImmediate(this.#turn)
    }
    this.#until = performance.now() + LONGEST
  }

  readonly #turn = (): void => {
    if (performance.now() < this.#until) {
      setImmediate(this.#turn)
      return
    }
    this.#spinning = false
    if (++this.#misses < MISSES) return
    this.#misses = 0
    this.#resting = this.#rest
    this.#rest = Math.min(2 * this.#rest, LONGEST_REST)
  }
}
