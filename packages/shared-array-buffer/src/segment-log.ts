/**
 * Records in shared memory, first in, first out: one side appends, the other takes. Either side is one thread at a time: the
 * only one there is (a pipe), or the holder of a lock (a queue). A side that dies at any instruction leaves a sound log.
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
 * up to 4 KiB lies in one segment (a length of SKIP says that the next segment goes on); a longer one fills what is left and
 * continues in the segments behind.
 *
 * Why a death does no harm: all that a side changes is invisible to both until its one store of PUTS or GETS. The next
 * producer begins where the last published tail is. A segment joins the circle by one store of `next`; the count of segments
 * follows, and is put right by whoever finds it behind.
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

/** The most that Node 20 reserves for one growable buffer. */
export const LARGEST_LOG: number = 2 ** 32 - SEGMENT_BYTES

/** Bytes that were read: `bytes[start, end)`. */
export interface RecordBytes {
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
  #after = 0

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

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    const length = memory.byteLength
    this.words = new Int32Array(memory, 0, length >>> 2)
    this.#bytes = new Uint8Array(memory, 0, length)
    this.#known = Math.floor((length - HEADER_BYTES) / SEGMENT_BYTES)
    this.bytes = this.#bytes
  }

  /** Records that were appended and not taken. */
  get size(): number {
    // GETS first: it never passes PUTS, so that the difference is never negative.
    const gets = Atomics.load(this.words, GETS)
    return (Atomics.load(this.words, PUTS) - gets) >>> 0
  }

  /** Bytes of bodies that were appended and not taken; exact where neither side has died. */
  get unread(): number {
    const got = Atomics.load(this.words, GOT_BYTES)
    return (Atomics.load(this.words, PUT_BYTES) - got) >>> 0
  }

  /** For the producer. False: the memory is at its limit, and nothing was appended. */
  append(bytes: Uint8Array, start: number, end: number, tag: number): boolean {
    const puts = Atomics.load(this.words, PUTS)
    const tail = Atomics.load(this.words, TAIL + (puts & 1))
    let segment = tail >>> POSITION_BITS
    let offset = (tail & OFFSET_MASK) * 8
    this.#see(segment)
    const length = end - start
    const padded = RECORD_HEADER + ((length + 7) & ~7)
    let room = offset === 0 ? 0 : SEGMENT_BYTES - offset
    if (room < (padded <= WHOLE ? padded : 2 * RECORD_HEADER)) {
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
    const { words } = this
    Atomics.store(words, TAIL + ((puts + 1) & 1), position(segment, offset))
    Atomics.store(words, PUT_BYTES, Atomics.load(words, PUT_BYTES) + length)
    Atomics.store(words, PUTS, puts + 1)
    return true
  }

  /** For the consumer. Whether there is a record; it is in `bytes`, `start`, `end`, `tag` until `take`. */
  peek(): boolean {
    let { words } = this
    const gets = Atomics.load(words, GETS)
    if (Atomics.load(words, PUTS) === gets) return false
    const head = Atomics.load(words, HEAD + (gets & 1))
    let segment = head >>> POSITION_BITS
    let offset = (head & OFFSET_MASK) * 8
    this.#see(segment)
    words = this.words
    if (offset === 0 || words[wordAt(segment, offset)] === SKIP) {
      segment = this.#follow(segment)
      offset = RECORD_HEADER
      words = this.words
    }
    const at = wordAt(segment, offset)
    const length = (words[at] as number) >>> 0
    this.tag = words[at + 1] as number
    offset += RECORD_HEADER
    if (offset + length <= SEGMENT_BYTES) {
      this.bytes = this.#bytes
      this.start = byteAt(segment, offset)
      this.end = this.start + length
      this.#after = position(segment, offset + ((length + 7) & ~7))
      return true
    }
    const whole = new Uint8Array(length)
    let read = 0
    for (;;) {
      const piece = Math.min(SEGMENT_BYTES - offset, length - read)
      const from = byteAt(segment, offset)
      whole.set(this.#bytes.subarray(from, from + piece), read)
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
    return true
  }

  /** For the consumer: the record that `peek` found is gone, and its memory is free. */
  take(): void {
    const { words } = this
    const gets = Atomics.load(words, GETS)
    Atomics.store(words, HEAD + ((gets + 1) & 1), this.#after)
    Atomics.store(words, GOT_BYTES, Atomics.load(words, GOT_BYTES) + this.end - this.start)
    Atomics.store(words, GETS, gets + 1)
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
    const target = this.#bytes
    if (length <= 128) for (let i = 0; i < length; i++) target[to + i] = bytes[start + i] as number
    else if (start === 0 && end === bytes.length) target.set(bytes, to)
    else target.set(bytes.subarray(start, end), to)
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
