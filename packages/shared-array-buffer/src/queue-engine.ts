import type { NativeMessage, NativeQueue } from '@mp/core/spi'
import { Bell } from './bell.js'
import { lockAgain, lockSoon, unlock } from './mutex.js'
import { ourPeers, type Peers } from './peers.js'
import { LARGEST_LOG, USER_WORDS } from './segment-layout.js'
import { SegmentLog } from './segment-log.js'

/**
 * A queue with any number of producers and consumers: a log, a lock for the producers, and a lock for the consumers. Invariants:
 *
 * - Only the holder of PUT_LOCK appends, and only the holder of GET_LOCK takes. No user code runs under a lock.
 * - `PUTS - GETS <= maxsize` if the queue is bounded: a put checks this under its lock, and takes only make room.
 * - One store of GETS takes an item: a consumer that dies before it has taken nothing, one that dies after it has taken the item.
 * - STATE changes under PUT_LOCK, so nothing is appended after a shutdown.
 *
 * Whoever finds a lock held by a dead peer takes it over. The log is sound at every instruction, so there is nothing to repair.
 * A thread that finds a lock as it left it need not read again what that lock guards. This saves 3 of the 8 atomic operations of
 * a put.
 *
 *     word 48  STATE: 0 open, 1 shut down       word 49  maxsize       word 50  the creator's id
 *     word 51  MARKS: how often it was opened
 *     word 64  PUT_LOCK     word 80  GET_LOCK     word 96  ITEM_BELL     word 112  SLOT_BELL
 */
const STATE = USER_WORDS
const MAXSIZE = USER_WORDS + 1
const CREATOR = USER_WORDS + 2
const MARKS = USER_WORDS + 3
const PUT_LOCK = USER_WORDS + 16
const GET_LOCK = USER_WORDS + 32
const ITEM_BELL = USER_WORDS + 48
const SLOT_BELL = USER_WORDS + 64

/** Bytes of the buffer that small items are copied to. A larger item gets a buffer of its own. */
const SMALL = 4096

export class RingQueue implements NativeQueue {
  readonly maxsize: number
  readonly #log: SegmentLog
  /** The words of the header. They stay valid when the log grows. */
  readonly #words: Int32Array
  readonly #peers: Peers = ourPeers()
  readonly #self = this.#peers.self
  /** The mark that this one leaves in a lock. */
  readonly #mark: number
  readonly #items: Bell
  readonly #slots: Bell
  /** STATE, as last read under PUT_LOCK. */
  #shut = false
  /** The creator lived at the first put since the last `announce`. Until the next `announce` this is not checked again. */
  #assured = false
  #deaths = -1
  #lost = false
  #small = new Uint8Array(SMALL)
  #smallWords = new Int32Array(this.#small.buffer)

  bytes: Uint8Array = this.#small
  start = 0
  end = 0
  tag = 0

  /** `first`: the value that the counters begin with, for tests of their wrap. */
  static create(maxsize: number, first = 0, largest: number = LARGEST_LOG): RingQueue {
    const memory = SegmentLog.create(largest, first)
    const words = new Int32Array(memory, 0, 128)
    words[MAXSIZE] = maxsize
    words[CREATOR] = ourPeers().self
    words[ITEM_BELL] = words[SLOT_BELL] = first & ~1
    return new RingQueue(memory)
  }

  constructor(memory: unknown) {
    if (!(memory instanceof SharedArrayBuffer)) throw new TypeError('the memory of a queue is a SharedArrayBuffer')
    this.#log = new SegmentLog(memory, false)
    this.#words = new Int32Array(memory, 0, 128)
    this.maxsize = this.#words[MAXSIZE] as number
    this.#mark = Atomics.add(this.#words, MARKS, 1) + 1
    this.#items = new Bell(this.#words, ITEM_BELL, () => this.#log.size > 0 || this.state !== 'open')
    this.#slots = new Bell(this.#words, SLOT_BELL, () => !this.full || this.state !== 'open')
  }

  get memory(): SharedArrayBuffer {
    return this.#log.memory
  }

  get size(): number {
    return this.#log.size
  }

  get full(): boolean {
    return this.maxsize > 0 && this.#log.size >= this.maxsize
  }

  get state(): 'open' | 'shut' | 'lost' {
    if (this.#isLost()) return 'lost'
    return Atomics.load(this.#words, STATE) === 0 ? 'open' : 'shut'
  }

  put(bytes: Uint8Array, start: number, end: number, tag: number): 'done' | 'full' | 'busy' | 'shut' | 'lost' {
    if (!this.#assured && this.#isLost()) return 'lost'
    if (!this.#lockPut()) return 'busy'
    let outcome: 'done' | 'full' | 'shut'
    if (this.#shut) outcome = 'shut'
    else if (this.full || !this.#log.append(bytes, start, end, tag)) outcome = 'full'
    else outcome = 'done'
    unlock(this.#words, PUT_LOCK, this.#mark)
    this.#assured = outcome === 'done'
    return outcome
  }

  #lockPut(): boolean {
    const words = this.#words
    if (lockAgain(words, PUT_LOCK, this.#self, this.#mark)) return true
    if (!lockSoon(words, PUT_LOCK, this.#peers)) return false
    this.#shut = Atomics.load(words, STATE) !== 0
    this.#log.findTail()
    return true
  }

  announce(): void {
    this.#assured = false
    this.#items.ring()
  }

  take(claim: (message: NativeMessage) => void): 'done' | 'empty' | 'busy' | 'shut' | 'lost' {
    if (this.#isLost()) return 'lost'
    const log = this.#log
    if (log.looksEmpty) return this.#none()
    if (!this.#lockGet()) return 'busy'
    if (!log.peek()) {
      unlock(this.#words, GET_LOCK, this.#mark)
      return this.#none()
    }
    const length = log.end - log.start
    this.tag = log.tag
    this.start = 0
    this.end = length
    if (length <= SMALL) {
      log.copyTo(this.#small, this.#smallWords)
      this.bytes = this.#small
    } else if (log.start === 0) {
      // The record was cut: `peek` has put it together in separate memory.
      this.bytes = log.bytes
    } else {
      this.bytes = log.bytes.slice(log.start, log.end)
    }
    if (log.tag !== 0) claim(this)
    log.take()
    unlock(this.#words, GET_LOCK, this.#mark)
    if (this.maxsize > 0) this.#slots.ring()
    return 'done'
  }

  #lockGet(): boolean {
    const words = this.#words
    if (lockAgain(words, GET_LOCK, this.#self, this.#mark)) return true
    if (!lockSoon(words, GET_LOCK, this.#peers)) return false
    this.#log.findHead()
    return true
  }

  shutDown(): void {
    while (!this.#lockPut()) this.#peers.check()
    Atomics.store(this.#words, STATE, 1)
    this.#shut = true
    unlock(this.#words, PUT_LOCK, this.#mark)
    this.#items.ringAll()
    this.#slots.ringAll()
  }

  watch(what: 'item' | 'slot', wake: () => boolean): void {
    this.#bell(what).watch(wake)
  }

  unwatch(what: 'item' | 'slot'): void {
    this.#bell(what).unwatch()
  }

  spin(what: 'item' | 'slot'): boolean {
    if (what === 'item') this.#items.spinWait.rest(this.#log.taken, true)
    return this.#bell(what).spinWait.briefly()
  }

  wait(what: 'item' | 'slot', timeout: number): void {
    if (what === 'item') this.#items.spinWait.rest(this.#log.taken, true)
    this.#bell(what).waitSync(timeout)
  }

  #bell(what: 'item' | 'slot'): Bell {
    return what === 'item' ? this.#items : this.#slots
  }

  /** After nothing was found. Reads the state first: once that says shut, all that was put before the shutdown is in the log. */
  #none(): 'empty' | 'shut' {
    return Atomics.load(this.#words, STATE) !== 0 && this.#log.size === 0 ? 'shut' : 'empty'
  }

  #isLost(): boolean {
    const { deaths } = this.#peers
    if (deaths !== this.#deaths) {
      this.#deaths = deaths
      this.#lost ||= this.#peers.lost(this.#words[CREATOR] as number)
    }
    return this.#lost
  }
}
