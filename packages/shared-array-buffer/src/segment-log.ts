/**
 * Records in shared memory, first in, first out: one side appends, the other takes. Either side is one thread at a time: the
 * only one there is (`exclusive`, a pipe), or the holder of a lock (a queue). A side that dies at any instruction leaves a
 * sound log.
 *
 * Memory: a header of control words, then segments of 64 KiB. The segments form one circle. From the head's segment to the
 * tail's they hold records; those behind the tail, up to the head's, are free. The producer goes on to the next segment of
 * the circle; where that is the head's, it puts a new one in between. So memory follows the largest burst, and is used again.
 *
 *     word  0  segments in the circle           producer writes
 *     word 16  PUTS, records appended           producer writes; storing it publishes the record and the tail
 *     word 17  tail, valid while PUTS is even   word 18  tail, valid while PUTS is odd
 *     word 19  bytes appended
 *     word 32  GETS, records taken              consumer writes; storing it frees the record and publishes the head
 *     word 33  head, valid while GETS is even   word 34  head, valid while GETS is odd
 *     word 35  bytes taken
 *     words 48 to 127: the log's user
 *
 *     segment: i32 next | pad to 8 | records, each 8-aligned: u32 length | u32 tag | body, padded to 8
 *
 * Counts wrap at 2 ** 32. A position is `segment << 13 | offset / 8`; offset 0 stands for the end of the segment. A record of
 * up to 4 KiB lies in one segment (a length of SKIP says that the next segment goes on); a longer one begins where 4 KiB are
 * left at least, and continues in the segments behind.
 *
 * Why a death does no harm: all that a side changes is invisible to both until its one store of PUTS or GETS. The next
 * producer begins where the last published tail is. A segment joins the circle by one store of `next`; the count of segments
 * follows, and is put right by whoever finds it behind.
 *
 * An exclusive side keeps its position to itself: it stores PUTS with each record, but the tail only when it gives the side
 * up (`settle`), and tells what it has taken only now and then. It is never taken over after a death.
 */

const SEGMENTS = 0
const PUTS = 16
const TAIL = 17
const PUT_BYTES = 19
const GETS = 32
const HEAD = 33
const GOT_BYTES = 35
/** The first word that belongs to the log's user. */
export const USER_WORDS = 48

const HEADER_BYTES = 512
const SEGMENT_BYTES = 64 * 1024
const SEGMENT_WORDS = SEGMENT_BYTES / 4
const HEADER_WORDS = HEADER_BYTES / 4
const POSITION_BITS = 13
const OFFSET_MASK = (1 << POSITION_BITS) - 1
const RECORD_HEADER = 8
/** The largest record that is never cut. */
const WHOLE = 4096
const SKIP = -1
/** Bytes that a loop over words copies faster than a view and a native call do. */
const FEW = 512
/** Bytes that a buffer has at least that messages are encoded into. A view of it is kept; of the user's arrays none is made. */
const BUFFER = 1024
/** Bytes after which an exclusive consumer tells what it has taken, at the latest. */
const TELL = 16 * 1024

/** The most that Node 20 reserves for one growable buffer. */
export const LARGEST_LOG: number = 2 ** 32 - SEGMENT_BYTES

/** Bytes that were read: `bytes[start, end)`. */
interface RecordBytes {
  bytes: Uint8Array
  start: number
  end: number
  tag: number
}

export class SegmentLog implements RecordBytes {
  readonly memory: SharedArrayBuffer
  /** All control words. Made anew when the memory has grown: views that follow the length are many times slower. */
  words: Int32Array<SharedArrayBuffer>
  #bytes: Uint8Array<SharedArrayBuffer>
  #known: number

  /** The record that `peek` found. */
  bytes: Uint8Array
  start = 0
  end = 0
  tag = 0

  readonly #exclusive: boolean
  /** Where this side is: as it has read it under its lock, and none of its kind was there since, or, exclusive, since it began. */
  #puts = 0
  #tail = 0
  #putBytes = 0
  #gets = 0
  #head = 0
  #gotBytes = 0
  /** The position behind the record that `peek` found. */
  #after = 0
  /** The other side's counts, as last read. */
  #putsSeen = 0
  #gotSeen = 0
  #untold = 0
  /** The last buffer that was appended from, and its words. */
  #source: Uint8Array | undefined
  #sourceWords: Int32Array = new Int32Array(0)

  /** `first`: the value that PUTS and GETS begin with, for tests of their wrap. */
  static create(largest: number = LARGEST_LOG, first = 0): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(HEADER_BYTES + 2 * SEGMENT_BYTES, {
      maxByteLength: Math.max(largest, HEADER_BYTES + 2 * SEGMENT_BYTES),
    })
    const words = new Int32Array(memory, 0, (HEADER_BYTES + 2 * SEGMENT_BYTES) / 4)
    words[SEGMENTS] = 2
    words[PUTS] = words[GETS] = first
    const start = position(0, RECORD_HEADER)
    words[TAIL] = words[TAIL + 1] = words[HEAD] = words[HEAD + 1] = start
    words[HEADER_WORDS] = 1
    words[HEADER_WORDS + SEGMENT_WORDS] = 0
    return memory
  }

  constructor(memory: SharedArrayBuffer, exclusive: boolean) {
    this.memory = memory
    this.#exclusive = exclusive
    const length = memory.byteLength
    this.words = new Int32Array(memory, 0, length >>> 2)
    this.#bytes = new Uint8Array(memory, 0, length)
    this.#known = Math.floor((length - HEADER_BYTES) / SEGMENT_BYTES)
    this.bytes = this.#bytes
    this.findTail()
    this.findHead()
    this.#putBytes = Atomics.load(this.words, PUT_BYTES)
    this.#gotBytes = this.#gotSeen = Atomics.load(this.words, GOT_BYTES)
  }

  /** Records that were appended and not taken, where neither side is exclusive. */
  get size(): number {
    // GETS first: it never passes PUTS, so that the difference is never negative.
    const gets = Atomics.load(this.words, GETS)
    return (Atomics.load(this.words, PUTS) - gets) >>> 0
  }

  /**
   * Where neither side is exclusive: whether there is nothing to take. Looks at PUTS, which is in the producer's core, only
   * when all that was there at the last look has been taken.
   */
  get looksEmpty(): boolean {
    return this.#putsSeen === this.#gets && this.size === 0
  }

  /** How many records were taken, as the consumer knows; wraps. */
  get taken(): number {
    return this.#gets
  }

  /** For an exclusive consumer: whether there is a record. */
  get any(): boolean {
    return Atomics.load(this.words, PUTS) !== this.#gets
  }

  /** For an exclusive producer: whether fewer than `limit` bytes of bodies are unread. */
  below(limit: number): boolean {
    if ((this.#putBytes - this.#gotSeen) >>> 0 < limit) return true
    this.#gotSeen = Atomics.load(this.words, GOT_BYTES)
    return (this.#putBytes - this.#gotSeen) >>> 0 < limit
  }

  /** For an exclusive producer: the count of bytes taken from which on `below(limit)` holds. */
  belowFrom(limit: number): number {
    return (this.#putBytes - limit + 1) | 0
  }

  /** For an exclusive consumer: whether so many bytes were taken. */
  hasTaken(bytes: number): boolean {
    return ((this.#gotBytes - bytes) | 0) >= 0
  }

  /** For an exclusive producer: the longest record that fits in without being cut. */
  get piece(): number {
    const offset = (this.#tail & OFFSET_MASK) * 8
    const left = offset === 0 ? 0 : SEGMENT_BYTES - offset - RECORD_HEADER
    return left >= WHOLE ? left : SEGMENT_BYTES - 2 * RECORD_HEADER
  }

  /** For a producer, where another one may have appended since it did: where the tail is. */
  findTail(): void {
    const { words } = this
    this.#puts = Atomics.load(words, PUTS)
    this.#tail = Atomics.load(words, TAIL + (this.#puts & 1))
  }

  /** For the producer. False: the memory is at its limit, and nothing was appended. */
  append(bytes: Uint8Array, start: number, end: number, tag: number): boolean {
    let segment = this.#tail >>> POSITION_BITS
    let offset = (this.#tail & OFFSET_MASK) * 8
    this.#see(segment)
    const length = end - start
    const padded = RECORD_HEADER + ((length + 7) & ~7)
    let room = offset === 0 ? 0 : SEGMENT_BYTES - offset
    if (room < Math.min(padded, WHOLE)) {
      if (room > 0) this.words[wordAt(segment, offset)] = SKIP
      const next = this.#nextSegment(segment)
      if (next < 0) return false
      segment = next
      offset = RECORD_HEADER
      room = SEGMENT_BYTES - RECORD_HEADER
    }
    const at = wordAt(segment, offset)
    this.words[at] = length
    this.words[at + 1] = tag
    offset += RECORD_HEADER
    if (padded <= room) {
      this.#write(bytes, start, end, byteAt(segment, offset))
      offset += padded - RECORD_HEADER
    } else {
      let from = start
      for (;;) {
        const piece = Math.min(SEGMENT_BYTES - offset, end - from)
        this.#write(bytes, from, from + piece, byteAt(segment, offset))
        from += piece
        offset += (piece + 7) & ~7
        if (from === end) break
        segment = this.#nextSegment(segment)
        if (segment < 0) return false
        offset = RECORD_HEADER
      }
    }
    this.#tail = position(segment, offset)
    this.#puts = (this.#puts + 1) | 0
    this.#putBytes = (this.#putBytes + length) | 0
    if (!this.#exclusive) this.#tellTail()
    Atomics.store(this.words, PUTS, this.#puts)
    return true
  }

  /** For a consumer, where another one may have taken since it did: where the head is. */
  findHead(): void {
    const { words } = this
    this.#gets = Atomics.load(words, GETS)
    this.#head = Atomics.load(words, HEAD + (this.#gets & 1))
    // What was seen of PUTS says nothing then.
    this.#putsSeen = this.#gets
  }

  /** For the consumer. Whether there is a record; it is in `bytes`, `start`, `end`, `tag` until `take`. */
  peek(): boolean {
    if (this.#putsSeen === this.#gets && !this.#lookForMore()) return false
    let segment = this.#head >>> POSITION_BITS
    let offset = (this.#head & OFFSET_MASK) * 8
    this.#see(segment)
    if (offset === 0 || this.words[wordAt(segment, offset)] === SKIP) {
      segment = this.#follow(segment)
      offset = RECORD_HEADER
    }
    const { words } = this
    const at = wordAt(segment, offset)
    const length = (words[at] as number) >>> 0
    this.tag = words[at + 1] as number
    offset += RECORD_HEADER
    if (offset + length > SEGMENT_BYTES) {
      this.#gather(segment, offset, length)
      return true
    }
    this.bytes = this.#bytes
    this.start = byteAt(segment, offset)
    this.end = this.start + length
    this.#after = position(segment, offset + ((length + 7) & ~7))
    return true
  }

  /** For the consumer: the record that `peek` found is gone, and its memory is free. True: the producer may know of it now. */
  take(): boolean {
    const length = this.end - this.start
    const segment = this.#head >>> POSITION_BITS
    this.#head = this.#after
    this.#gets = (this.#gets + 1) | 0
    this.#gotBytes = (this.#gotBytes + length) | 0
    this.#untold += length + 1
    if (this.#exclusive && this.#untold < TELL && this.#head >>> POSITION_BITS === segment) return false
    this.#tellHead()
    return true
  }

  /**
   * For an exclusive consumer: takes the next record where it has this tag and lies in one segment, and gives a copy of it.
   * So a blocking receive of 64 bytes takes 83 ns; by `peek` and `take` it took 91.
   */
  takeCopy(tag: number): Uint8Array | undefined {
    if (this.#putsSeen === this.#gets && !this.#lookForMore()) return undefined
    const segment = this.#head >>> POSITION_BITS
    const offset = (this.#head & OFFSET_MASK) * 8
    this.#see(segment)
    const { words } = this
    const at = wordAt(segment, offset)
    const length = words[at] as number
    if (offset === 0 || words[at + 1] !== tag || length < 0 || offset + RECORD_HEADER + length > SEGMENT_BYTES) {
      return undefined
    }
    const start = byteAt(segment, offset + RECORD_HEADER)
    const copy = this.#bytes.slice(start, start + length)
    this.#head = position(segment, offset + RECORD_HEADER + ((length + 7) & ~7))
    this.#gets = (this.#gets + 1) | 0
    this.#gotBytes = (this.#gotBytes + length) | 0
    this.#untold += length + 1
    if (this.#untold >= TELL) this.#tellHead()
    return copy
  }

  /** Of an exclusive consumer: whether the producer can know of all that was taken. */
  get told(): boolean {
    return this.#untold === 0
  }

  /** For an exclusive side that another thread goes on with. */
  settle(side: 'producer' | 'consumer'): void {
    if (side === 'producer') this.#tellTail()
    else this.#tellHead()
  }

  #lookForMore(): boolean {
    this.#putsSeen = Atomics.load(this.words, PUTS)
    if (this.#putsSeen !== this.#gets) return true
    if (this.#untold > 0) this.#tellHead()
    return false
  }

  /** Before PUTS, which makes it valid. */
  #tellTail(): void {
    const { words } = this
    Atomics.store(words, TAIL + (this.#puts & 1), this.#tail)
    if (this.#exclusive) Atomics.store(words, PUT_BYTES, this.#putBytes)
  }

  #tellHead(): void {
    const { words } = this
    this.#untold = 0
    Atomics.store(words, HEAD + (this.#gets & 1), this.#head)
    if (this.#exclusive) Atomics.store(words, GOT_BYTES, this.#gotBytes)
    Atomics.store(words, GETS, this.#gets)
  }

  /** Puts a record together that was cut. */
  #gather(first: number, from: number, length: number): void {
    let segment = first
    let offset = from
    const whole = new Uint8Array(length)
    let read = 0
    for (;;) {
      const piece = Math.min(SEGMENT_BYTES - offset, length - read)
      const at = byteAt(segment, offset)
      whole.set(this.#bytes.subarray(at, at + piece), read)
      read += piece
      offset += (piece + 7) & ~7
      if (read === length) break
      segment = this.#follow(segment)
      offset = RECORD_HEADER
    }
    this.bytes = whole
    this.start = 0
    this.end = length
    this.#after = position(segment, offset)
  }

  /** Copies the record that `peek` found to `target[0, ...)`, which must have the room. Gives its length. */
  copyTo(target: Uint8Array, targetWords: Int32Array): number {
    const length = this.end - this.start
    if (length <= FEW && this.bytes === this.#bytes) {
      const { words } = this
      const from = this.start >>> 2
      const count = (length + 3) >>> 2
      for (let i = 0; i < count; i++) targetWords[i] = words[from + i] as number
    } else {
      target.set(this.bytes.subarray(this.start, this.end))
    }
    return length
  }

  #write(bytes: Uint8Array, start: number, end: number, to: number): void {
    const length = end - start
    if (length <= FEW && start === 0 && (bytes === this.#source || this.#seeWords(bytes))) {
      const { words } = this
      const source = this.#sourceWords
      const at = to >>> 2
      const count = (length + 3) >>> 2
      for (let i = 0; i < count; i++) words[at + i] = source[i] as number
    } else if (start === 0 && end === bytes.length) this.#bytes.set(bytes, to)
    else this.#bytes.set(bytes.subarray(start, end), to)
  }

  /** The buffer that messages are encoded into is mostly the same one. False: it is none of those. */
  #seeWords(bytes: Uint8Array): boolean {
    if (bytes.length < BUFFER || bytes.byteOffset % 4 !== 0) return false
    this.#source = bytes
    this.#sourceWords = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
    return true
  }

  /** The segment that the producer goes on with; -1 where there is no more memory. */
  #nextSegment(segment: number): number {
    const at = wordAt(segment, 0)
    const next = Atomics.load(this.words, at)
    const count = Atomics.load(this.words, SEGMENTS)
    // A producer died right after it had put a new segment into the circle.
    if (next >= count) Atomics.store(this.words, SEGMENTS, next + 1)
    if (next !== this.#headSegment()) {
      this.#see(next)
      return next
    }
    if (!this.#grow(count + 1)) return -1
    Atomics.store(this.words, wordAt(count, 0), next)
    Atomics.store(this.words, at, count)
    Atomics.store(this.words, SEGMENTS, count + 1)
    return count
  }

  /** Reads GETS again: the word of the head that it names is written anew only after GETS has changed. */
  #headSegment(): number {
    const { words } = this
    for (;;) {
      const gets = Atomics.load(words, GETS)
      const head = Atomics.load(words, HEAD + (gets & 1))
      if (Atomics.load(words, GETS) === gets) return head >>> POSITION_BITS
    }
  }

  #follow(segment: number): number {
    const next = Atomics.load(this.words, wordAt(segment, 0))
    this.#see(next)
    return next
  }

  #grow(count: number): boolean {
    const { memory } = this
    const needed = HEADER_BYTES + count * SEGMENT_BYTES
    if (memory.byteLength < needed) {
      const { maxByteLength: largest } = memory
      if (needed > largest) return false
      const ahead = Math.min(Math.max(count >>> 2, 1), 256) * SEGMENT_BYTES
      try {
        memory.grow(Math.min(needed + ahead, largest))
      } catch {
        return false
      }
    }
    this.#see(count - 1)
    return true
  }

  #see(segment: number): void {
    if (segment < this.#known) return
    const length = this.memory.byteLength
    this.words = new Int32Array(this.memory, 0, length >>> 2)
    this.#bytes = new Uint8Array(this.memory, 0, length)
    this.#known = Math.floor((length - HEADER_BYTES) / SEGMENT_BYTES)
  }
}

function position(segment: number, offset: number): number {
  return (segment << POSITION_BITS) | ((offset >>> 3) & OFFSET_MASK)
}

function wordAt(segment: number, offset: number): number {
  return HEADER_WORDS + segment * SEGMENT_WORDS + (offset >>> 2)
}

function byteAt(segment: number, offset: number): number {
  return HEADER_BYTES + segment * SEGMENT_BYTES + offset
}
