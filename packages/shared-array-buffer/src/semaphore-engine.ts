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
import { SemaphoreTurn } from './semaphore-turn.js'

/**
 * A counting semaphore in shared memory: each call changes it at once, under one short lock. Invariants while nobody is inside:
 *
 * - `0 <= VALUE <= LIMIT`, and `ABANDONED <= VALUE`: so many free permits have a last holder that ended without a release.
 * - A free permit and a call that waits for one never exist together: whoever frees a permit grants it before it leaves.
 * - The entries of a peer that has ended are removed when the next peer comes inside; the permits that it held are free then.
 *
 * Inside, each step leads from one sound state to the next (see SemaphoreTable). Whoever takes the lock over from a dead peer
 * undoes its half step, and grants what is free. Calls are woken after the lock is left. If a peer dies before it has woken
 * them, they look for themselves: all look again after each death, and blocked ones every 100 ms. A call that was woken reads
 * its state under the lock: outside of it a state may be half a step.
 */
export class SharedSemaphore implements NativeSemaphore {
  readonly #table: SemaphoreTable
  readonly #peers: Peers = ourPeers()
  readonly #self = this.#peers.self
  /** The turns whose callers await. */
  readonly #watched = new Set<SemaphoreTurn>()
  /** Entries whose calls are woken when the lock is left. */
  #woken: number[] = []
  #deaths = -1
  #lost = false
  readonly #onDeath = () => this.#lookAgain()

  /** `number`: the number of the first call, for tests of the wrap. */
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
    let turn: SemaphoreTurn | undefined
    try {
      if (value > 0) {
        turn = wish === 'see' ? new SemaphoreTurn(this, 0, 0, 'granted', false) : this.#take(value)
      } else if (!nowait) {
        const entry = table.add(wish === 'see' ? SEEING : HOLDING, WAITS, this.#self)
        table.commit()
        turn = new SemaphoreTurn(this, entry, table.number(entry), 'waits', false)
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

  /** How the call of an entry stands. If it has seen the permit that it waited for, its entry is freed. */
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

  /** Whether a permit that was granted has not been given back. Takes the lock only if the entry does not say so by itself. */
  holds(entry: number, number: number): boolean {
    const state = this.#table.state(entry)
    if ((state === GRANTED || state === GRANTED_ABANDONED) && this.#owns(entry, number)) return true
    return this.look(entry, number) !== 'over'
  }

  /** Ends the call, or gives its permit back: as a good one, as it came (perhaps abandoned), or not at all. */
  end(entry: number, number: number, how: 'released' | 'as it came' | 'consumed'): void {
    this.#enter()
    const table = this.#table
    if (this.#owns(entry, number)) {
      const state = table.state(entry)
      const held = state === GRANTED || state === GRANTED_ABANDONED
      this.#free(entry, held && how !== 'consumed', how === 'as it came' && state === GRANTED_ABANDONED)
      // There may still be an asynchronous wait.
      if (state === WAITS) this.#woken.push(entry)
      this.#grantAll()
    }
    this.#exit()
  }

  watch(turn: SemaphoreTurn): void {
    if (this.#watched.size === 0) this.#peers.listen(this.#onDeath)
    this.#watched.add(turn)
  }

  unwatch(turn: SemaphoreTurn): void {
    if (this.#watched.delete(turn) && this.#watched.size === 0) this.#peers.unlisten(this.#onDeath)
  }

  /** Resolves when the call's state may have changed; undefined if it has changed already. */
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

  /** Frees what the dead held, and grants what their death may have kept from being granted. */
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

  #take(value: number): SemaphoreTurn {
    const table = this.#table
    const abandoned = this.#countDown(value)
    const entry = table.add(HELD, abandoned ? GRANTED_ABANDONED : GRANTED, this.#self)
    table.commit()
    return new SemaphoreTurn(this, entry, table.number(entry), 'granted', abandoned)
  }

  /** Takes one free permit. Whether it is an abandoned one. */
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

  /** Frees up to `count` held permits: this context's own first, then the oldest. Gives how many it freed. */
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

  /** Removes the entries of all peers that `unwanted` names. The permits that they held are free, and abandoned. */
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

  /** Grants free permits to the calls that wait. Then drops permits beyond the limit. */
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
