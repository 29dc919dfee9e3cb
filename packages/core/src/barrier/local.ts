import type { HandlePacking } from '../context/message-writer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { roughNow, turn, turnIsLong } from '../runtime/turn.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import { type BarrierBackend, type BarrierState, brokenBarrier } from './backend.js'
import type { BarrierHome } from './home.js'

/** A barrier used in its home. */
export class LocalBarrier implements BarrierBackend {
  readonly #home: BarrierHome
  #handles = 0

  private constructor(home: BarrierHome) {
    this.#home = home
    home.local = this
  }

  /** The one object of this home. */
  static of(home: BarrierHome): LocalBarrier {
    return home.local instanceof LocalBarrier ? home.local : new LocalBarrier(home)
  }

  get id(): string {
    return this.#home.id
  }

  get parties(): number {
    return this.#home.parties
  }

  use(): this {
    this.#handles++
    return this
  }

  arrive(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<number> {
    const pending = new Pending<number>()
    const arrival = {
      passed: (index: number) => pending.resolve(index),
      broken: (cause: unknown) => pending.reject(brokenBarrier(cause)),
    }
    waits(
      pending.limit(
        nowait ? { signal: options?.signal } : options,
        () => pending.reject(brokenBarrier()),
        () => this.#home.giveUp(arrival),
      ),
    )
    this.#home.arrive(arrival, nowait)
    // A barrier of one party never waits. A loop of such calls must not starve the event loop.
    return pending.settled && turnIsLong(roughNow()) ? turn().then(() => pending.promise) : pending.promise
  }

  async abort(): Promise<void> {
    this.#home.abort()
  }

  async reset(): Promise<void> {
    this.#home.reset()
  }

  state(): Promise<BarrierState> {
    return this.#home.settledState()
  }

  close(): void {
    if (--this.#handles === 0) this.#home.leave(undefined)
  }

  collected(): void {
    this.#handles--
  }

  share(packing: HandlePacking): number {
    return packing.attachEnd(this.#home.share())
  }
}
