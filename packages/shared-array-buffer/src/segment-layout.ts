/**
 * The memory of a {@link SegmentLog}: a header of control words, then segments of 64 KiB. The segments form one circle. From the
 * head's segment to the tail's they hold records; those behind the tail, up to the head's, are free.
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
 * up to 4 KiB lies in one segment; a length of SKIP says that the next segment goes on. A longer record begins where at least
 * 4 KiB are left, and continues in the segments behind.
 */

export const SEGMENTS = 0
export const PUTS = 16
export const TAIL = 17
export const PUT_BYTES = 19
export const GETS = 32
export const HEAD = 33
export const GOT_BYTES = 35
/** The first word that belongs to the log's user. */
export const USER_WORDS = 48

export const HEADER_BYTES = 512
export const SEGMENT_BYTES = 64 * 1024
const SEGMENT_WORDS = SEGMENT_BYTES / 4
const HEADER_WORDS = HEADER_BYTES / 4
export const POSITION_BITS = 13
export const OFFSET_MASK = (1 << POSITION_BITS) - 1
export const RECORD_HEADER = 8
/** The largest record that is never cut. */
export const WHOLE = 4096
/** The length of a record that stands for: the next segment goes on. */
export const SKIP = -1

/** The most that Node 20 reserves for one growable buffer. */
export const LARGEST_LOG: number = 2 ** 32 - SEGMENT_BYTES

export function position(segment: number, offset: number): number {
  return (segment << POSITION_BITS) | ((offset >>> 3) & OFFSET_MASK)
}

export function wordAt(segment: number, offset: number): number {
  return HEADER_WORDS + segment * SEGMENT_WORDS + (offset >>> 2)
}

export function byteAt(segment: number, offset: number): number {
  return HEADER_BYTES + segment * SEGMENT_BYTES + offset
}

/** New memory. `largest`: bytes that it may grow to. `first`: the value that PUTS and GETS begin with. */
export function createMemory(largest: number, first: number): SharedArrayBuffer {
  const bytes = HEADER_BYTES + 2 * SEGMENT_BYTES
  const memory = new SharedArrayBuffer(bytes, { maxByteLength: Math.max(largest, bytes) })
  const words = new Int32Array(memory, 0, bytes / 4)
  words[SEGMENTS] = 2
  words[PUTS] = words[GETS] = first
  const start = position(0, RECORD_HEADER)
  words[TAIL] = words[TAIL + 1] = words[HEAD] = words[HEAD + 1] = start
  words[HEADER_WORDS] = 1
  words[HEADER_WORDS + SEGMENT_WORDS] = 0
  return memory
}
