import type { Context } from '../context/context.js'
import { perContext } from '../context/per-context.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { sendBatches, sendWakeUps } from '../runtime/unsent.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { NativeSemaphore, NativeTurn } from '../transport/engines.js'
import { lostHome, type PackedSemaphore, type SemaphoreBackend, type Wish } from './backend.js'
import { type Grant, Holds } from './grants.js'

/** An awaited call, with its place in line. */
interface Awaiting {
  turn: NativeTurn
  readonly wake: () => void
}

/** The native semaphores that a context shares with others, by id. */
export const sharedSemaphores: (context: Context) => Map<string, NativeSemaphoreBackend> = perContext()

/**
 * A semaphore on the medium's own engine. Any context acts on it within the call. There is one per context and semaphore. A
 * grant is the engine's turn.
 *
 * A call that blocks takes this context's first place in line, and its awaited calls move back by one place. While the thread is
 * blocked, they could not use what they were granted, and the blocking call might wait for just that.
 */
export class NativeSemaphoreBackend implements SemaphoreBackend {
  readonly id: string
  readonly holds = new Holds(grant => (grant as NativeTurn).look() === 'granted')
  readonly #context: Context
  readonly #engine: NativeSemaphore
  /** Awaited calls that wish to hold, in their order. */
  readonly #awaiting = new Set<Awaiting>()
  #handles = 0
  #left = false

  constructor(context: Context, id: string, engine: NativeSemaphore) {
    this.#context = context
    this.id = id
    this.#engine = engine
  }

  use(): this {
    this.#handles++
    return this
  }

  acquire(wish: Wish, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<Grant | undefined> {
    this.#checkLost()
    const first = this.#engine.acquire(wish, nowait)
    if (first?.look() !== 'waits') {
      const grant = first && this.#granted(first, wish)
      return turnIsLong(roughNow()) ? turn().then(() => grant) : Promise.resolve(grant)
    }
    const pending = new Pending<Grant | undefined>()
    const call: Awaiting = {
      turn: first,
      wake: () => {
        if (pending.settled) return
        const lost = this.#engine.lost
        if (!lost && call.turn.look() === 'waits') return call.turn.watch(call.wake)
        this.#awaiting.delete(call)
        if (lost) pending.reject(lostHome())
        else pending.resolve(this.#granted(call.turn, wish))
      },
    }
    if (wish === 'hold') this.#awaiting.add(call)
    first.watch(call.wake)
    const forget = () => {
      this.#awaiting.delete(call)
      call.turn.giveUp()
    }
    waits(pending.limit(options, () => pending.resolve(undefined), forget))
    return pending.promise
  }

  acquireSync(wish: Wish, timeoutMs: number): Grant | undefined {
    this.#checkLost()
    sendBatches()
    const engine = this.#engine
    const first = engine.acquire(wish, timeoutMs <= 0)
    if (!first) return undefined
    if (first.look() !== 'waits') return this.#granted(first, wish)
    // The holder may wait for what this thread has put before it releases.
    sendWakeUps()
    const end = performance.now() + timeoutMs
    const mine = wish === 'hold' ? this.#takeFront(first) : first
    for (;;) {
      if (mine.look() !== 'waits') return this.#granted(mine, wish)
      const left = end - performance.now()
      if (left <= 0 || engine.lost) break
      mine.wait(left)
    }
    const place = mine === first ? first : this.#giveFrontBack(mine)
    place.giveUp()
    this.#checkLost()
    return undefined
  }

  release(grant: Grant): void {
    this.#checkLost()
    this.holds.delete(grant.number)
    sendBatches()
    ;(grant as NativeTurn).release()
    this.#leaveUnused()
  }

  consume(grant: Grant): void {
    this.holds.delete(grant.number)
    sendBatches()
    ;(grant as NativeTurn).consume()
    this.#leaveUnused()
  }

  async post(count: number, exact: boolean): Promise<boolean> {
    this.#checkLost()
    sendBatches()
    return this.#engine.post(count, exact)
  }

  async value(): Promise<number> {
    this.#checkLost()
    return this.#engine.value
  }

  /** Each call of `acquire` is in line when it returns. */
  async settled(): Promise<void> {}

  close(): void {
    if (--this.#handles === 0) this.#leave()
  }

  collected(): void {
    this.#handles--
    this.#leaveUnused()
  }

  /** After the last handle was collected: leaves when no guard can give anything back. */
  #leaveUnused(): void {
    if (this.#handles === 0 && this.holds.none) this.#leave()
  }

  #leave(): void {
    if (this.#left) return
    this.#left = true
    this.holds.clear()
    this.#engine.leave()
    const all = sharedSemaphores(this.#context)
    if (all.get(this.id) === this) all.delete(this.id)
  }

  pack(): PackedSemaphore {
    // From now on the semaphore may come back in a message, and must then be this object.
    sharedSemaphores(this.#context).set(this.id, this)
    return { id: this.id, memory: this.#engine.memory }
  }

  #granted(turn: NativeTurn, wish: Wish): Grant {
    // Another context may have given it back before this one heard of it.
    if (wish === 'hold' && turn.look() === 'granted') this.holds.add(turn)
    return turn
  }

  /** Exchanges the last place in line for the first one of this context. Each awaited call moves back by one place. */
  #takeFront(last: NativeTurn): NativeTurn {
    let place = last
    for (const call of [...this.#awaiting].reverse()) {
      const taken = call.turn
      taken.unwatch()
      call.turn = place
      place = taken
    }
    // Watches the new places. A call whose place was granted meanwhile hears in the next turn of the event loop.
    for (const call of this.#awaiting) call.turn.watch(call.wake)
    return place
  }

  #giveFrontBack(front: NativeTurn): NativeTurn {
    let place = front
    for (const call of this.#awaiting) {
      const taken = call.turn
      taken.unwatch()
      call.turn = place
      place = taken
    }
    for (const call of this.#awaiting) call.turn.watch(call.wake)
    return place
  }

  #checkLost(): void {
    if (this.#engine.lost) throw lostHome()
  }
}
