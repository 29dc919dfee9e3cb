import type { HandlePacking } from '../context/message-writer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { roughNow, turn, turnIsLong } from '../runtime/turn.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { PackedSemaphore, SemaphoreBackend, Wish } from './backend.js'
import { type Grant, Holds } from './grants.js'
import type { Acquirer, Party, SemaphoreHome } from './home.js'

/** A semaphore used in its home. There is no wire, and if a permit is free, `acquire` mostly takes no turn of the event loop. */
export class LocalSemaphore implements SemaphoreBackend, Party {
  readonly holds = new Holds()
  readonly grants = new Set<number>()
  readonly #home: SemaphoreHome
  #handles = 0

  private constructor(home: SemaphoreHome) {
    this.#home = home
    home.local = this
  }

  /** The one object of this home. */
  static of(home: SemaphoreHome): LocalSemaphore {
    return home.local instanceof LocalSemaphore ? home.local : new LocalSemaphore(home)
  }

  get id(): string {
    return this.#home.id
  }

  use(): this {
    this.#handles++
    return this
  }

  acquire(wish: Wish, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<Grant | undefined> {
    const home = this.#home
    let pending: Pending<Grant | undefined> | undefined
    let outcome: { grant: Grant | undefined } | undefined
    const acquirer: Acquirer = {
      party: this,
      wish,
      granted: grant => {
        if (wish === 'hold') this.holds.add(grant)
        if (pending) pending.resolve(grant)
        else outcome = { grant }
      },
      refused: () => {
        if (pending) pending.resolve(undefined)
        else outcome = { grant: undefined }
      },
    }
    home.acquire(acquirer, nowait)
    if (outcome) {
      const { grant } = outcome
      return turnIsLong(roughNow()) ? turn().then(() => grant) : Promise.resolve(grant)
    }
    const waiting = new Pending<Grant | undefined>()
    pending = waiting
    waits(
      waiting.limit(
        nowait ? { signal: options?.signal } : options,
        () => waiting.resolve(undefined),
        () => home.forget(acquirer),
      ),
    )
    return waiting.promise
  }

  release({ number }: Grant): void {
    this.holds.delete(number)
    this.#home.release(this, number, false)
  }

  consume({ number }: Grant): void {
    this.holds.delete(number)
    this.#home.consume(this, number)
  }

  async post(count: number, exact: boolean): Promise<boolean> {
    return this.#home.post(this, count, exact)
  }

  value(): Promise<number> {
    return this.#home.settledValue()
  }

  async settled(): Promise<void> {}

  revoked(grant: number): void {
    this.holds.delete(grant)
  }

  close(): void {
    if (--this.#handles > 0) return
    this.holds.clear()
    this.#home.leave(this)
  }

  collected(): void {
    this.#handles--
  }

  pack(packing: HandlePacking): PackedSemaphore {
    return { id: this.id, end: packing.attachEnd(this.#home.share()) }
  }
}
