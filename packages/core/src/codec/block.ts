/**
 * What msgpack has no short form for: many numbers, and long text. It goes as the memory of a typed array or of a string: behind the one
 * token that msgpack leaves unused come the kind (1 byte), how many there are (4 bytes, the most significant first), and the elements
 * (the least significant byte first: as everywhere in this codec, that is the order of the machine).
 */
export const BLOCK = 0xc1
/** Bytes before the elements. */
export const BLOCK_HEAD = 6

export const BlockKind = { Int8: 0, Int16: 1, Int32: 2, Float64: 3, Ascii: 4, Utf16: 5 } as const

/** How many numbers have room in the buffers that are kept. For more of them a buffer is made, and dropped. */
const KEPT = 8192
const buffers = [new Int8Array(KEPT), new Int16Array(KEPT), new Int32Array(KEPT), new Float64Array(KEPT)] as const

type Numbers = (typeof buffers)[number]

/** A buffer for `length` numbers of this kind. Its content is valid until the next call. */
export function numbersOf(kind: number, length: number): Numbers {
  const kept = buffers[kind] as Numbers
  return length <= KEPT ? kept : new (kept.constructor as new (length: number) => Numbers)(length)
}

const sizes = [1, 2, 4, 8, 1, 2]

/** The bytes of one element; 0 if there is no such kind. */
export function sizeOf(kind: number): number {
  return sizes[kind] ?? 0
}

/** Reads `length` numbers at `start`. All of their bytes must be there. 1,000 take 3 us; one by one they took 8 to 14. */
export function readNumbers(bytes: Uint8Array, start: number, kind: number, length: number): number[] {
  const from = numbersOf(kind, length)
  const size = length * from.BYTES_PER_ELEMENT
  new Uint8Array(from.buffer, 0, size).set(bytes.subarray(start, start + size))
  const array: number[] = new Array(length)
  for (let i = 0; i < length; i++) array[i] = from[i] as number
  return array
}
