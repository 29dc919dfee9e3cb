import type { NativeSemaphore, NativeTurn } from '@mp/core/spi'
import { sleepWhile } from './bell.js'
import { lockAgain, lockSoon, unlock } from './mutex.js'
import { ourPeers, type Peers } from './peers.js'
import {
  ABANDONED,
  CREATOR,
  GRANTED,
  GRANTED_ABANDONED,
  HELD,
  HOLDING,
  INSIDE,
  LIMIT,
  type List,
  MUTEX,
  REAPED,
  SAW,
  SEEING,
  SEEN,
  SemaphoreTable,
  VALUE,
  WAITS,
} from './semaphore-table.js'

/**
 * A counting semaphore that contexts act on in the call, under one short lock. Invariants, while nobody is inside:
 *
 * - `0 <= VALUE <= LIMIT`; `ABANDONED <= VALUE`, the free permits whose last holders ended.
 * - A free permit and a call that waits for one never both exist: who frees a permit grants it, before it leaves.
 * - An entry of a peer that has ended goes when the next one comes inside, and a permit it held is free then.
 *
 * Inside, steps lead from each sound state to the next (see the table). Whoever takes the lock over from a dead peer takes its
 * half step back, and grants what is free. Wake-ups are made after the lock is left. One that its maker took with it when it
 * died is made good by those who wait: all look again after each death, blocked ones every 100 ms. Who was woken reads its
 * state under the lock: only there is a state more than a half step.
 */
export class SharedSemaphore implements NativeSemaphore {
  readonly #table: SemaphoreTable
  readonly #peers: Peers = ourPeers()
  readonly #self = this.#peers.self
  /** Those whose callers await. */
  readonly #watched = new Set<Turn>()
  /** Entries whose calls are to be woken. */
  #woken: number[] = []
  #deaths = -1
  #lost = false
  readonly #onDeath = () => this.#lookAgain()

  /** `number`: what the numbers of calls begin with, for tests of their wrap. */
  static create(value: number, limit: number, number = 1): SharedSemaphore {
    return new SharedSemaphore(SemaphoreTable.create(value, limit, ourPeers().self, number).memory)
  }

  constructor(memory: unknown) {
    if (!(memory instanceof SharedArrayBuffer)) throw new TypeError('the memory of a semaphore is a SharedArrayBuffer')
    this.#table = new SemaphoreTable(memory)
  }

  get memory(): SharedArrayBuffer {
    return this.#table.memory
  }

  get value(): number {
    this.#enter()
    const value = this.#table.words[VALUE] as number
    this.#exit()
    return value
  }

  get lost(): boolean {
    const { deaths } = this.#peers
    if (deaths !== this.#deaths) {
      this.#deaths = deaths
      this.#lost ||= this.#peers.lost(this.#table.words[CREATOR] as number)
    }
    return this.#lost
  }

  acquire(wish: 'hold' | 'see', nowait: boolean): NativeTurn | undefined {
    this.#enter()
    const table = this.#table
    const value = table.words[VALUE] as number
    let turn: Turn | undefined
    try {
      if (value > 0) {
        turn = wish === 'see' ? new Turn(this, 0, 0, 'granted', false) : this.#take(value)
      } else if (!nowait) {
        const entry = table.add(wish === 'see' ? SEEING : HOLDING, WAITS, this.#self)
        table.commit()
        turn = new Turn(this, entry, table.number(entry), 'waits', false)
      }
    } catch (error) {
      table.rollBack()
      this.#exit()
      throw error
    }
    this.#exit()
    return turn
  }

  post(count: number, exact: boolean): boolean {
    this.#enter()
    const { words } = this.#table
    const fits = !exact || (words[VALUE] as number) + count <= (words[LIMIT] as number)
    if (fits) {
      const rest = exact ? count - this.#revoke(count) : count
      this.#add(rest)
      this.#grantAll()
    }
    this.#exit()
    return fits
  }

  leave(): void {
    this.#enter()
    this.#drop(peer => peer === this.#self)
    this.#exit()
  }

  /** How the call of an entry stands. Frees the entry of one that has seen what it waited for. */
  look(entry: number, number: number): 'waits' | 'granted' | 'abandoned' | 'over' {
    const table = this.#table
    if (table.state(entry) === WAITS) return 'waits'
    this.#enter()
    const state = this.#owns(entry, number) ? table.state(entry) : 0
    if (state === SAW) {
      table.free(entry)
      table.commit()
    }
    this.#exit()
    if (state === WAITS) return 'waits'
    if (state === GRANTED_ABANDONED) return 'abandoned'
    return state === 0 ? 'over' : 'granted'
  }

  /** Whether a permit that was granted has not been given back: without the lock, where the entry still says so. */
  holds(entry: number, number: number): boolean {
    const state = this.#table.state(entry)
    if ((state === GRANTED || state === GRANTED_ABANDONED) && this.#owns(entry, number)) return true
    return this.look(entry, number) !== 'over'
  }

  /** Ends the call, or its permit, which then is free again; as `abandoned`; or is used up. */
  end(entry: number, number: number, how: 'released' | 'as it came' | 'consumed'): void {
    this.#enter()
    const table = this.#table
    if (this.#owns(entry, number)) {
      const state = table.state(entry)
      const held = state === GRANTED || state === GRANTED_ABANDONED
      this.#free(entry, held && how !== 'consumed', how === 'as it came' && state === GRANTED_ABANDONED)
      // An asynchronous wait may still be there.
      if (state === WAITS) this.#woken.push(entry)
      this.#grantAll()
    }
    this.#exit()
  }

  watch(turn: Turn): void {
    if (this.#watched.size === 0) this.#peers.listen(this.#onDeath)
    this.#watched.add(turn)
  }

  unwatch(turn: Turn): void {
    if (this.#watched.delete(turn) && this.#watched.size === 0) this.#peers.unlisten(this.#onDeath)
  }

  /** Resolves when the call's state may have changed; undefined where it has. */
  changed(entry: number): Promise<unknown> | undefined {
    const wait = Atomics.waitAsync(this.#table.words, this.#table.stateWord(entry), WAITS)
    return wait.async ? wait.value : undefined
  }

  sleep(entry: number, timeout: number): void {
    const { words } = this.#table
    sleepWhile(words, this.#table.stateWord(entry), WAITS, timeout)
    if (words[REAPED] !== this.#peers.deaths) this.#reap()
  }

  #enter(): void {
    const table = this.#table
    const peers = this.#peers
    while (!lockAgain(table.words, MUTEX, this.#self, 0) && !lockSoon(table.words, MUTEX, peers)) peers.check()
    table.refresh()
    if (table.words[INSIDE] !== 0) {
      table.rollBack()
      this.#grantAll()
    }
    Atomics.store(table.words, INSIDE, 1)
    const { deaths } = peers
    if (table.words[REAPED] === deaths) return
    this.#drop(peer => peers.gone(peer))
    table.words[REAPED] = deaths
  }

  #exit(): void {
    const table = this.#table
    Atomics.store(table.words, INSIDE, 0)
    unlock(table.words, MUTEX, 0)
    if (this.#woken.length === 0) return
    const woken = this.#woken
    this.#woken = []
    for (const entry of woken) Atomics.notify(table.words, table.stateWord(entry))
  }

  /** What the dead held is free, and what their death may have kept from being granted is granted. */
  #reap(): void {
    this.#enter()
    this.#exit()
  }

  #lookAgain(): void {
    this.#reap()
    for (const turn of [...this.#watched]) if (this.lost || !turn.sleeps) turn.heard()
  }

  #owns(entry: number, number: number): boolean {
    return entry !== 0 && this.#table.number(entry) === number && this.#table.peer(entry) === this.#self
  }

  #take(value: number): Turn {
    const table = this.#table
    const abandoned = this.#countDown(value)
    const entry = table.add(HELD, abandoned ? GRANTED_ABANDONED : GRANTED, this.#self)
    table.commit()
    return new Turn(this, entry, table.number(entry), 'granted', abandoned)
  }

  /** One free permit fewer; whether it is an abandoned one. */
  #countDown(value: number): boolean {
    const table = this.#table
    const abandoned = table.words[ABANDONED] as number
    if (abandoned > 0) table.set(ABANDONED, abandoned - 1)
    table.set(VALUE, value - 1)
    return abandoned > 0
  }

  #add(count: number): void {
    if (count === 0) return
    const table = this.#table
    table.set(VALUE, (table.words[VALUE] as number) + count)
    table.commit()
  }

  #free(entry: number, permit: boolean, abandoned: boolean): void {
    const table = this.#table
    table.free(entry)
    if (permit) table.set(VALUE, (table.words[VALUE] as number) + 1)
    if (permit && abandoned) table.set(ABANDONED, (table.words[ABANDONED] as number) + 1)
    table.commit()
  }

  /** Frees up to `count` held permits, this context's own first, then the oldest. Gives how many. */
  #revoke(count: number): number {
    const table = this.#table
    let freed = 0
    for (const own of [true, false]) {
      for (let entry = table.first(HELD); entry !== 0 && freed < count; ) {
        const next = table.next(HELD, entry)
        if (!own || table.peer(entry) === this.#self) {
          this.#free(entry, true, false)
          freed++
        }
        entry = next
      }
    }
    return freed
  }

  /** Takes out what the peers have that `unwanted` tells: what they hold is free, and abandoned. */
  #drop(unwanted: (peer: number) => boolean): void {
    const table = this.#table
    for (const list of [HOLDING, SEEING, SEEN, HELD] as List[]) {
      for (let entry = table.first(list); entry !== 0; ) {
        const next = table.next(list, entry)
        if (unwanted(table.peer(entry))) this.#free(entry, list === HELD, true)
        entry = next
      }
    }
    this.#grantAll()
  }

  /** Grants what is free to those who wait. What exceeds the limit then is dropped. */
  #grantAll(): void {
    const table = this.#table
    const { words } = table
    while ((words[VALUE] as number) > 0) {
      const seeing = table.first(SEEING)
      const entry = seeing || table.first(HOLDING)
      if (entry === 0) break
      if (seeing) table.move(entry, SEEN, SAW)
      else table.move(entry, HELD, this.#countDown(words[VALUE] as number) ? GRANTED_ABANDONED : GRANTED)
      table.commit()
      this.#woken.push(entry)
    }
    const value = Math.min(words[VALUE] as number, words[LIMIT] as number)
    if (value !== words[VALUE]) table.set(VALUE, value)
    if ((words[ABANDONED] as number) > value) table.set(ABANDONED, value)
    table.commit()
  }

  /** Whether the call waits, as its entry says. */
  waits(entry: number): boolean {
    return this.#table.state(entry) === WAITS
  }
}

/** A call, and the permit that it gets. */
class Turn implements NativeTurn {
  readonly number: number
  readonly #semaphore: SharedSemaphore
  readonly #entry: number
  #state: 'waits' | 'granted' | 'over'
  #abandoned: boolean
  #wake: (() => void) | undefined
  /** The asynchronous wait is there; it stays when nobody watches any more, until the entry's word is rung. */
  #waiting = false

  constructor(
    semaphore: SharedSemaphore,
    entry: number,
    number: number,
    state: 'waits' | 'granted',
    abandoned: boolean,
  ) {
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
