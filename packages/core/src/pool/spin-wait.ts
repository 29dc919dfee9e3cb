import { availableParallelism } from 'node:os'
import { turn } from '../runtime/turn.js'

/** ms that the event loop turns on for. To be woken takes a thread 5 to 50 us, and as long whoever wakes it. */
const LONGEST = 0.1
/** ms. After a wait that was longer, nothing is expected soon. */
const SOON = 0.2
/** So many waits go the other way, to compare. */
const TRIAL = 8
/** Waits until the next trial: twice as many as until the one before, within these bounds; the fewest where waits have changed. */
const PERIOD = { first: 64, last: 1024 }
/** Waits have changed when they take so many times as long as at the last trial. */
const CHANGE = 2
/** Turning on takes a core, so it has to be better by so much. */
const GAIN = 0.8
/** The share of a new wait in the average. */
const WEIGHT = 1 / 16

/**
 * The wait for what comes soon: the event loop turns on for a moment, instead of going to sleep and being woken. Only where
 * the last wait was short, and where waits have turned out to be shorter so: whoever is waited for may need this very core.
 */
export class SpinWait {
  #soon = false
  /** The better way, so far; and how long a wait takes so, ms: a moving average. */
  #turning = false
  #usual = LONGEST
  /** As it was at the last trial. */
  #known = LONGEST
  /** How the present wait goes; undefined where there was nothing to choose. */
  #turns: boolean | undefined
  #period = PERIOD.first
  #untilTrial = PERIOD.first
  /** Waits of the trial that runs, and how long they took. */
  #tried = 0
  #sum = 0

  /** Whether the wait that begins is to be such a one: {@link until}. */
  begin(): boolean {
    this.#turns = this.#soon && cores > 1 ? this.#turning !== (this.#untilTrial === 0) : undefined
    return this.#turns === true
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
    // That somebody else had the core for long tells nothing.
    const counted = Math.min(ms, LONGEST)
    if (this.#untilTrial === 0) return this.#tryOther(counted)
    this.#untilTrial--
    this.#usual += (counted - this.#usual) * WEIGHT
    if (this.#usual < this.#known * CHANGE) return
    this.#known = Number.POSITIVE_INFINITY
    this.#period = PERIOD.first
    this.#untilTrial = Math.min(this.#untilTrial, this.#period)
  }

  #tryOther(ms: number): void {
    this.#tried++
    this.#sum += ms
    const limit = this.#turning ? this.#usual / GAIN : this.#usual * GAIN
    if (this.#tried < TRIAL && this.#sum < limit * TRIAL) return
    if (this.#sum < limit * TRIAL) {
      this.#turning = !this.#turning
      this.#usual = this.#sum / TRIAL
    }
    this.#known = this.#usual
    this.#period = Math.min(this.#period * 2, PERIOD.last)
    this.#untilTrial = this.#period
    this.#tried = 0
    this.#sum = 0
  }
}

const cores = availableParallelism()
