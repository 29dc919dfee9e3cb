import { availableParallelism } from 'node:os'
import { turn } from '../turn.js'

/** ms that the event loop turns on for. To be woken takes a thread 5 to 50 us, and as long whoever wakes it. */
const LONGEST = 0.1
/** ms. After a wait that was longer, nothing is expected soon. */
const SOON = 0.2
/** One wait in so many goes the other way, to see whether that has become better. */
const SAMPLE = 512
/** The share of a new wait in the average. */
const WEIGHT = 1 / 16
/** It has to be better by so much, since it takes a core. */
const GAIN = 0.8

/**
 * The wait for what comes soon: the event loop turns on for a moment, instead of going to sleep and being woken. Only where
 * the last wait was short, and where waits have been shorter so: whoever is waited for may need this very core.
 */
export class Linger {
  #soon = false
  /** How the present wait goes; undefined where there was nothing to choose. */
  #turns: boolean | undefined
  #waits = 0
  /** How long waits took, ms: moving averages. */
  #turning = 0
  #sleeping = LONGEST

  /** Whether the wait that begins is to be such a one: {@link until}. */
  begin(): boolean {
    this.#turns = undefined
    if (!this.#soon || cores < 2) return false
    const sample = ++this.#waits % SAMPLE === 0
    this.#turns = this.#turning < this.#sleeping * GAIN !== sample
    return this.#turns
  }

  /** Resolves when `come` is true, or will not be for a while. */
  async until(come: () => boolean): Promise<void> {
    const end = performance.now() + LONGEST
    do await turn()
    while (!come() && performance.now() < end)
  }

  /** How long the wait took, ms. */
  waited(ms: number): void {
    this.#soon = ms < SOON
    if (this.#turns === undefined) return
    const counted = Math.min(ms, SOON)
    if (this.#turns) this.#turning += (counted - this.#turning) * WEIGHT
    else this.#sleeping += (counted - this.#sleeping) * WEIGHT
  }
}

const cores = availableParallelism()
