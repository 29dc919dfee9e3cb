import type { NativeTurn } from '@mp/core/spi'

/** What a turn needs of its semaphore. `entry` and `number` name the turn. */
interface TurnOwner {
  /** Whether the call waits, as its entry says. */
  waits(entry: number): boolean
  /** How the call stands. A call that saw a permit gives up its entry. */
  look(entry: number, number: number): 'waits' | 'granted' | 'abandoned' | 'over'
  /** Whether a permit that was granted has not been given back. */
  holds(entry: number, number: number): boolean
  /** Ends the call, or frees its permit: as it was ('as it came'), as a good one ('released'), or not at all ('consumed'). */
  end(entry: number, number: number, how: 'released' | 'as it came' | 'consumed'): void
  watch(turn: SemaphoreTurn): void
  unwatch(turn: SemaphoreTurn): void
  /** Resolves when the call's state may have changed; undefined if it has changed already. */
  changed(entry: number): Promise<unknown> | undefined
  /** Blocks while the call waits, for about `timeout` ms at most. */
  sleep(entry: number, timeout: number): void
}

/** A call of `acquire`, and the permit that it gets. */
export class SemaphoreTurn implements NativeTurn {
  readonly number: number
  readonly #semaphore: TurnOwner
  readonly #entry: number
  #state: 'waits' | 'granted' | 'over'
  #abandoned: boolean
  #wake: (() => void) | undefined
  /** There is an asynchronous wait. It stays when nobody watches any more, until the entry's word is notified. */
  #waiting = false

  constructor(semaphore: TurnOwner, entry: number, number: number, state: 'waits' | 'granted', abandoned: boolean) {
    this.number = number
    this.#semaphore = semaphore
    this.#entry = entry
    this.#state = state
    this.#abandoned = abandoned
  }

  get abandoned(): boolean {
    return this.#abandoned
  }

  get sleeps(): boolean {
    return this.#semaphore.waits(this.#entry)
  }

  look(): 'waits' | 'granted' | 'over' {
    if (this.#state === 'waits') {
      const state = this.#semaphore.look(this.#entry, this.number)
      this.#abandoned = state === 'abandoned'
      this.#state = state === 'abandoned' ? 'granted' : state
    } else if (this.#state === 'granted' && this.#entry !== 0 && !this.#semaphore.holds(this.#entry, this.number)) {
      this.#state = 'over'
    }
    return this.#state
  }

  release(): void {
    this.#end('released')
  }

  consume(): void {
    this.#end('consumed')
  }

  giveUp(): void {
    this.unwatch()
    this.#end('as it came')
  }

  watch(wake: () => void): void {
    this.#wake = wake
    this.#semaphore.watch(this)
    if (this.#waiting) {
      if (!this.sleeps) setImmediate(() => this.heard())
      return
    }
    const changed = this.#semaphore.changed(this.#entry)
    if (!changed) {
      setImmediate(() => this.heard())
      return
    }
    this.#waiting = true
    void changed.then(() => {
      this.#waiting = false
      this.heard()
    })
  }

  unwatch(): void {
    this.#wake = undefined
    this.#semaphore.unwatch(this)
  }

  wait(timeout: number): void {
    this.#semaphore.sleep(this.#entry, timeout)
  }

  heard(): void {
    const wake = this.#wake
    if (!wake) return
    this.unwatch()
    wake()
  }

  #end(how: 'released' | 'as it came' | 'consumed'): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    if (this.#entry !== 0) this.#semaphore.end(this.#entry, this.number, how)
  }
}
