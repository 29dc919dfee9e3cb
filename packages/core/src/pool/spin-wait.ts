import { availableParallelism } from 'node:os'
import { turn } from '../runtime/turn.js'

/** ms for which the event loop keeps turning. Waking a thread takes 5 to 50 us, of the thread and of whoever wakes it. */
const LONGEST = 0.1
/** ms. After a wait that was longer than this, nothing is expected soon. */
const SOON = 0.2
/** How many waits go the other way in a trial, to compare. */
const TRIAL = 8
/** Waits until the next trial: twice as many as until the one before, within these bounds. The fewest again where waits have changed. */
const PERIOD = { first: 64, last: 1024 }
/** Waits have changed when they take so many times as long as at the last trial. */
const CHANGE = 2
/** Turning takes a core, so waits must be shorter by this factor. */
const GAIN = 0.8
/** The share of a new wait in the average. */
const WEIGHT = 1 / 16

/**
 * A wait for what comes soon. The event loop keeps turning for a moment, instead of going to sleep and being woken. It does so
 * only where the last wait was short, and where trials have shown that waits are shorter this way: whoever is waited for may need
 * this very core.
 */
export class SpinWait {
  #soon = false
  /** Whether turning is the better way, so far. */
  #turning = false
  /** How many ms a wait takes in that way: a moving average. */
  #usual = LONGEST
  /** `usual`, as it was at the last trial. */
  #known = LONGEST
  /** Whether the present wait turns; undefined where there was nothing to choose. */
  #turns: boolean | undefined
  #period = PERIOD.first
  #untilTrial = PERIOD.first
  /** How many waits the present trial has had, and how many ms they took. */
  #tried = 0
  #sum = 0

  /** A wait begins. Whether it should turn: then the caller calls {@link until}. */
  begin(): boolean {
    this.#turns = this.#soon && cores > 1 ? this.#turning !== (this.#untilTrial === 0) : undefined
    return this.#turns === true
  }

  /** Turns until `come` gives true, or nothing has come for a moment. */
  async until(come: () => boolean): Promise<void> {
    const end = performance.now() + LONGEST
    do await turn()
    while (!come() && performance.now() < end)
  }

  /** The wait is over, and took so many ms. */
  waited(ms: number): void {
    this.#soon = ms < SOON
    if (this.#turns === undefined) return
    // A long wait tells nothing: somebody else had the core.
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
