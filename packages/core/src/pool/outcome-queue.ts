import { MpError } from '../errors.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'

/** What came of one item: the result, or what the call threw. */
export type Outcome = { readonly index: number } & ({ readonly value: unknown } | { readonly error: unknown })

/** The outcomes of a lazy map that nobody has taken yet, and the calls that wait for one. */
export class OutcomeQueue {
  readonly #ordered: boolean
  /** Where the order counts: outcomes that wait for an earlier one, by index. */
  readonly #early = new Map<number, Outcome>()
  /** In the order in which they are given out. */
  readonly #done = new Deque<Outcome>()
  #nextIndex = 0
  readonly #takers = new Deque<Pending<Outcome | undefined>>()
  #taken = 0

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  /** How many outcomes have been taken. */
  get taken(): number {
    return this.#taken
  }

  /** How many could be taken now. */
  get ready(): number {
    return this.#done.length
  }

  /** How many have come and have not been taken. */
  get held(): number {
    return this.#done.length + this.#early.size
  }

  /** Whether somebody waits for one. */
  get awaited(): boolean {
    return this.#takers.length > 0
  }

  add(outcome: Outcome): void {
    if (!this.#ordered) {
      this.#done.push(outcome)
      return
    }
    this.#early.set(outcome.index, outcome)
    for (let next = this.#early.get(this.#nextIndex); next; next = this.#early.get(this.#nextIndex)) {
      this.#early.delete(this.#nextIndex++)
      this.#done.push(next)
    }
  }

  /** Takes one, if there is one and nobody else waits. */
  take(): Outcome | undefined {
    const outcome = this.#takers.length === 0 ? this.#done.shift() : undefined
    if (outcome) this.#taken++
    return outcome
  }

  /** Waits for one, behind those who already wait. `limit`: the timeout of `options`, for the message. */
  wait(options: WaitOptions | undefined, limit: number | undefined): Promise<Outcome | undefined> {
    const taker = new Pending<Outcome | undefined>()
    this.#takers.push(taker)
    taker.limit(
      options,
      () => taker.reject(new MpError('MP_TIMEOUT', `no result came within ${limit} ms`)),
      () => {},
    )
    return taker.promise
  }

  /** Gives what there is to those who wait. */
  deliver(): void {
    while (this.#done.length > 0) {
      const taker = this.#nextTaker()
      if (!taker) return
      this.#taken++
      taker.resolve(this.#done.shift())
    }
  }

  /** Nobody will take what is ready. */
  clear(): void {
    this.#done.clear()
  }

  /** No more outcomes come: settles the calls that wait. Whether one was told of the failure. */
  end(failure: { readonly error: unknown } | undefined): boolean {
    let told = false
    for (let taker = this.#nextTaker(); taker; taker = this.#nextTaker()) {
      told = failure !== undefined
      if (failure) taker.reject(failure.error)
      else taker.resolve(undefined)
    }
    return told
  }

  /** The first who waits and has not given up. */
  #nextTaker(): Pending<Outcome | undefined> | undefined {
    for (let taker = this.#takers.shift(); taker; taker = this.#takers.shift()) if (!taker.settled) return taker
    return undefined
  }
}
