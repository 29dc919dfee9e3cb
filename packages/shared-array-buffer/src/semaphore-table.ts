import { MpError } from '@mp/core/spi'

/**
 * The memory of a semaphore: a few counts, and an entry for each call that waits and for each permit that is held. An entry is
 * always in one of the lists. Whoever changes anything holds MUTEX.
 *
 *     word 0   MUTEX
 *     word 16  INSIDE: 1 while its holder is at work     word 17  UNDO_LENGTH     word 18  VALUE     word 19  LIMIT
 *     word 20  ABANDONED     word 21  NEXT_NUMBER     word 22  TOP: how many entries were ever used
 *     word 23  CAPACITY: entries that the memory has room for
 *     word 24  the creator's id     word 25  REAPED: the count of deaths up to which the dead were dropped
 *     word 32  the undo log, pairs: the index of a word, and its value before the step
 *     word 96  entries of 8 words: state, peer, number, next, previous; the first five are the lists' heads
 *
 * A step takes the table from one sound state to the next. A thread can end between any two stores. So a step notes in the log
 * what a word was *before* it stores to the word, and its last store empties the log. Whoever takes the mutex over from a dead
 * peer rolls the step back, the last store first. If that one dies too, the next does the same again.
 */
export const MUTEX = 0
export const INSIDE = 16
const UNDO_LENGTH = 17
export const VALUE = 18
export const LIMIT = 19
export const ABANDONED = 20
const NEXT_NUMBER = 21
const TOP = 22
const CAPACITY = 23
export const CREATOR = 24
export const REAPED = 25
const UNDO = 32
const ENTRIES = 96

/** Words of an entry. */
const SIZE = 8
const STATE = 0
const PEER = 1
const NUMBER = 2
const NEXT = 3
const PREVIOUS = 4

/** Lists, named by their heads. */
const FREE = 0
/** Calls that wait to hold a permit. */
export const HOLDING = 1
/** Calls that wait to see a free permit. */
export const SEEING = 2
/** Permits that are held, the oldest first. */
export const HELD = 3
/** Calls that have been granted a look, and have not noticed yet. */
export const SEEN = 4
const HEADS = 5

export type List = typeof HOLDING | typeof SEEING | typeof HELD | typeof SEEN

/** States of an entry. A call that waits reads this word, and sleeps on it. */
export const WAITS = 1
export const GRANTED = 2
export const GRANTED_ABANDONED = 3
export const SAW = 4

/** Entries that there are at first, and that the memory grows by at least. */
const STEP = 64
/** Bytes: about half a million entries. Only the used part takes memory. */
const LARGEST = 16 * 1024 * 1024

export class SemaphoreTable {
  readonly memory: SharedArrayBuffer
  /** May not cover entries that others have added, until `refresh`. */
  words: Int32Array

  /** `number`: the first number that an entry gets, for tests of the wrap. */
  static create(value: number, limit: number, creator: number, number = 1): SemaphoreTable {
    const memory = new SharedArrayBuffer(4 * wordOf(STEP), { maxByteLength: LARGEST })
    const words = new Int32Array(memory, 0, wordOf(STEP))
    words[VALUE] = value
    words[LIMIT] = limit
    words[CREATOR] = creator
    words[REAPED] = -1
    words[NEXT_NUMBER] = number
    words[TOP] = HEADS
    words[CAPACITY] = STEP
    for (let list = 0; list < HEADS; list++) {
      words[wordOf(list) + NEXT] = list
      words[wordOf(list) + PREVIOUS] = list
    }
    return new SemaphoreTable(memory)
  }

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.words = new Int32Array(memory, 0, memory.byteLength >>> 2)
  }

  /** Makes `words` cover the entries that others have added. */
  refresh(): void {
    if (wordOf(this.words[CAPACITY] as number) > this.words.length) this.#map()
  }

  set(word: number, value: number): void {
    const { words } = this
    const length = words[UNDO_LENGTH] as number
    words[UNDO + 2 * length] = word
    words[UNDO + 2 * length + 1] = words[word] as number
    // Whoever reads the log does so after this thread's end. It sees all that was stored until then, in this order.
    Atomics.store(words, UNDO_LENGTH, length + 1)
    words[word] = value
  }

  /** The step is done. */
  commit(): void {
    Atomics.store(this.words, UNDO_LENGTH, 0)
  }

  /** Undoes the unfinished step of a dead holder. */
  rollBack(): void {
    const { words } = this
    for (let i = (words[UNDO_LENGTH] as number) - 1; i >= 0; i--) {
      Atomics.store(words, words[UNDO + 2 * i] as number, words[UNDO + 2 * i + 1] as number)
    }
    this.commit()
  }

  /** Adds an entry of `peer` at the end of the list. If there is no room, throws and changes nothing. */
  add(list: List, state: number, peer: number): number {
    const { words } = this
    let entry = this.first(FREE)
    if (entry === 0) {
      entry = words[TOP] as number
      if (entry === words[CAPACITY]) this.#grow(entry)
      this.set(TOP, entry + 1)
    } else {
      this.#unlink(entry)
    }
    const number = words[NEXT_NUMBER] as number
    this.set(NEXT_NUMBER, number === 0x7fff_ffff ? 1 : number + 1)
    const at = wordOf(entry)
    this.set(at + STATE, state)
    this.set(at + PEER, peer)
    this.set(at + NUMBER, number)
    this.#link(entry, list)
    return entry
  }

  move(entry: number, list: List, state: number): void {
    this.#unlink(entry)
    this.#link(entry, list)
    this.set(wordOf(entry) + STATE, state)
  }

  free(entry: number): void {
    this.#unlink(entry)
    this.#link(entry, FREE)
    this.set(wordOf(entry) + STATE, 0)
    this.set(wordOf(entry) + PEER, 0)
  }

  /** The oldest entry of the list; 0 if the list is empty. */
  first(list: List | typeof FREE): number {
    return this.next(list, list)
  }

  /** The entry behind `entry` in the list; 0 at its end. */
  next(list: List | typeof FREE, entry: number): number {
    const next = this.words[wordOf(entry) + NEXT] as number
    return next === list ? 0 : next
  }

  peer(entry: number): number {
    return this.words[wordOf(entry) + PEER] as number
  }

  number(entry: number): number {
    return this.words[wordOf(entry) + NUMBER] as number
  }

  state(entry: number): number {
    return Atomics.load(this.words, this.stateWord(entry))
  }

  stateWord(entry: number): number {
    return wordOf(entry) + STATE
  }

  #link(entry: number, list: number): void {
    const last = this.words[wordOf(list) + PREVIOUS] as number
    this.set(wordOf(entry) + PREVIOUS, last)
    this.set(wordOf(entry) + NEXT, list)
    this.set(wordOf(last) + NEXT, entry)
    this.set(wordOf(list) + PREVIOUS, entry)
  }

  #unlink(entry: number): void {
    const next = this.words[wordOf(entry) + NEXT] as number
    const previous = this.words[wordOf(entry) + PREVIOUS] as number
    this.set(wordOf(previous) + NEXT, next)
    this.set(wordOf(next) + PREVIOUS, previous)
  }

  /** Makes room. This is not undone with the step, since room does no harm. */
  #grow(entries: number): void {
    const wanted = entries + Math.max(STEP, entries >> 1)
    const bytes = Math.min(4 * wordOf(wanted), LARGEST)
    if (bytes < 4 * wordOf(entries + 1)) {
      throw new MpError('MP_INVALID_STATE', `${entries} calls wait for one object, or hold it: it has room for no more`)
    }
    // A thread that died here may have made it larger than CAPACITY says.
    if (this.memory.byteLength < bytes) this.memory.grow(bytes)
    this.#map()
    this.words[CAPACITY] = Math.floor((bytes / 4 - ENTRIES) / SIZE)
  }

  #map(): void {
    this.words = new Int32Array(this.memory, 0, this.memory.byteLength >>> 2)
  }
}

function wordOf(entry: number): number {
  return ENTRIES + entry * SIZE
}
