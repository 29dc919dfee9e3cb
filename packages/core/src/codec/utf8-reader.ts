/** Bytes. Node's decoder takes 85 ns for a short string, whatever its length; up to here ASCII is quicker to read here. */
export const SHORT = 16
/** Bytes. Up to here the same holds for text that is not ASCII. */
const MEDIUM = 64

const { fromCharCode } = String

/** The text of `bytes[start, end)`. What is no UTF-8 in them reads as U+FFFD. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  const size = end - start
  if (size <= SHORT) {
    const text = readShort(bytes, start, size) ?? readMedium(bytes, start, end)
    if (text !== undefined) return text
  } else if (size <= MEDIUM && !seemsAscii(bytes, start, size)) {
    const text = readMedium(bytes, start, end)
    if (text !== undefined) return text
  }
  return readView.of(bytes).toString('utf8', start, end)
}

/**
 * At most {@link SHORT} bytes; undefined where one is not ASCII. Each length has a call of its own: `fromCharCode` takes 20 ns where
 * V8 sees its arguments, and twice that with an array.
 */
function readShort(bytes: Uint8Array, start: number, size: number): string | undefined {
  if (size === 0) return ''
  const a = bytes[start] as number
  if (a >= 0x80) return undefined
  if (size === 1) return fromCharCode(a)
  const b = bytes[start + 1] as number
  if (b >= 0x80) return undefined
  if (size === 2) return fromCharCode(a, b)
  const c = bytes[start + 2] as number
  if (c >= 0x80) return undefined
  if (size === 3) return fromCharCode(a, b, c)
  const d = bytes[start + 3] as number
  if (d >= 0x80) return undefined
  if (size === 4) return fromCharCode(a, b, c, d)
  const e = bytes[start + 4] as number
  if (e >= 0x80) return undefined
  if (size === 5) return fromCharCode(a, b, c, d, e)
  const f = bytes[start + 5] as number
  if (f >= 0x80) return undefined
  if (size === 6) return fromCharCode(a, b, c, d, e, f)
  const g = bytes[start + 6] as number
  if (g >= 0x80) return undefined
  if (size === 7) return fromCharCode(a, b, c, d, e, f, g)
  const h = bytes[start + 7] as number
  if (h >= 0x80) return undefined
  if (size === 8) return fromCharCode(a, b, c, d, e, f, g, h)
  const i = bytes[start + 8] as number
  if (i >= 0x80) return undefined
  if (size === 9) return fromCharCode(a, b, c, d, e, f, g, h, i)
  const j = bytes[start + 9] as number
  if (j >= 0x80) return undefined
  if (size === 10) return fromCharCode(a, b, c, d, e, f, g, h, i, j)
  const k = bytes[start + 10] as number
  if (k >= 0x80) return undefined
  if (size === 11) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k)
  const l = bytes[start + 11] as number
  if (l >= 0x80) return undefined
  if (size === 12) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l)
  const m = bytes[start + 12] as number
  if (m >= 0x80) return undefined
  if (size === 13) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m)
  const n = bytes[start + 13] as number
  if (n >= 0x80) return undefined
  if (size === 14) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n)
  const o = bytes[start + 14] as number
  if (o >= 0x80) return undefined
  if (size === 15) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
  const p = bytes[start + 15] as number
  if (p >= 0x80) return undefined
  if (size === 16) return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
  return undefined
}

/** A guess by five of the bytes. To look at all of them would cost text of ASCII, the most common one, a fifth of its time. */
export function seemsAscii(bytes: Uint8Array, start: number, size: number): boolean {
  const end = start + size
  const first = (bytes[start] as number) | (bytes[start + 1] as number)
  const last = (bytes[end - 1] as number) | (bytes[end - 2] as number)
  return (first | last | (bytes[start + (size >> 1)] as number)) < 0x80
}

/** Undefined for what is no UTF-8. */
function readMedium(bytes: Uint8Array, start: number, end: number): string | undefined {
  const units: number[] = []
  let at = start
  while (at < end) {
    const first = bytes[at++] as number
    if (first < 0x80) {
      units.push(first)
      continue
    }
    const second = at < end ? (bytes[at++] as number) : 0
    if ((second & 0xc0) !== 0x80) return undefined
    if (first < 0xe0) {
      // 0xc0 and 0xc1 would begin an ASCII character of two bytes.
      if (first < 0xc2) return undefined
      units.push(((first & 0x1f) << 6) | (second & 0x3f))
      continue
    }
    const third = at < end ? (bytes[at++] as number) : 0
    if ((third & 0xc0) !== 0x80) return undefined
    const most = ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f)
    if (first < 0xf0) {
      // Two bytes would do, or it is a surrogate.
      if (most < 0x800 || (most & 0xf800) === 0xd800) return undefined
      units.push(most)
      continue
    }
    const fourth = at < end ? (bytes[at++] as number) : 0
    const over = ((most << 6) | (fourth & 0x3f)) - 0x1_0000
    if ((fourth & 0xc0) !== 0x80 || first > 0xf4 || over < 0 || over > 0xf_ffff) return undefined
    units.push(0xd800 | (over >> 10), 0xdc00 | (over & 0x3ff))
  }
  return fromCharCode.apply(null, units)
}

/** Bytes. A view that is kept must not keep a frame alive that is larger. */
export const KEPT = 1024 * 1024

/** Node reads and writes text with methods of Buffer. A frame holds many strings, and one view serves them all. */
export class TextView {
  #bytes: Uint8Array = new Uint8Array(0)
  #view = Buffer.from(this.#bytes)

  of(bytes: Uint8Array): Buffer {
    if (bytes === this.#bytes) return this.#view
    const made = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
    if (made.buffer.byteLength <= KEPT) {
      this.#bytes = bytes
      this.#view = made
    }
    return made
  }
}

/** Of the bytes that are being read. */
export const readView: TextView = new TextView()
