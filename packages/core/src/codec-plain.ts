import type { ByteBuffer } from './byte-buffer.js'
import { hasExtraKeys, isOdd, MAX_DEPTH } from './codec-rich-write.js'

/**
 * Writes the msgpack of values that msgpack carries exactly, looking and writing in one pass: a small object takes 60 % of
 * the time of a check followed by msgpackr's pack, and a getter is read once. Reading is msgpackr's.
 */
export function writePlain(value: unknown, out: ByteBuffer): boolean {
  // A getter in the value may encode something itself.
  const seen = inUse ? new Seen() : shared
  const outer = inUse
  inUse = true
  try {
    return writeValue(value, out, seen, 0)
  } finally {
    seen.clear()
    inUse = outer
  }
}

/** Objects of one value. One that comes again is an identity to keep, which plain msgpack cannot. */
class Seen {
  readonly #few: unknown[] = new Array(8).fill(undefined)
  #count = 0
  #many: Set<object> | undefined

  /** Whether it was there; it is now. */
  add(value: object): boolean {
    if (this.#many) {
      if (this.#many.has(value)) return true
      this.#many.add(value)
      return false
    }
    const few = this.#few
    for (let i = 0; i < this.#count; i++) if (few[i] === value) return true
    if (this.#count < few.length) few[this.#count++] = value
    else this.#many = new Set(few as object[]).add(value)
    return false
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#few[i] = undefined
    this.#count = 0
    this.#many = undefined
  }
}

const shared = new Seen()
let inUse = false

/** False: msgpack alone would lose something of it, and what was written so far is to be dropped. */
function writeValue(value: unknown, out: ByteBuffer, seen: Seen, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return writeString(value, out)
    case 'number':
      writeNumber(value, out)
      return true
    case 'boolean':
      out.reserve(1)
      out.bytes[out.length++] = value ? 0xc3 : 0xc2
      return true
    case 'object': {
      if (value === null) {
        out.reserve(1)
        out.bytes[out.length++] = 0xc0
        return true
      }
      if (depth >= MAX_DEPTH || seen.add(value)) return false
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype === Object.prototype) return writeObject(value as Record<string, unknown>, out, seen, depth)
      return prototype === Array.prototype && writeArray(value as unknown[], out, seen, depth)
    }
    default:
      return false
  }
}

/** The rich form's tree: arrays, strings without oddities, numbers, booleans, null, and each once. */
export function writeTree(node: unknown, out: ByteBuffer): void {
  if (!Array.isArray(node)) {
    writeValue(node, out, shared, 0)
    return
  }
  writeHead(node.length, 0x90, 0xdc, out)
  for (const child of node) writeTree(child, out)
}

function writeObject(object: Record<string, unknown>, out: ByteBuffer, seen: Seen, depth: number): boolean {
  const keys = Object.keys(object)
  writeHead(keys.length, 0x80, 0xde, out)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    if (key === '__proto__' || !writeString(key, out) || !writeValue(object[key], out, seen, depth + 1)) return false
  }
  return Object.getOwnPropertySymbols(object).length === 0
}

function writeArray(array: unknown[], out: ByteBuffer, seen: Seen, depth: number): boolean {
  if (!Array.isArray(array)) return false
  const { length } = array
  writeHead(length, 0x90, 0xdc, out)
  // A hole reads as undefined, which is not plain either.
  for (let i = 0; i < length; i++) if (!writeValue(array[i], out, seen, depth + 1)) return false
  return !hasExtraKeys(array)
}

/** The head of a map or an array: the count in the token, in 2 bytes, or (the next token) in 4. */
function writeHead(count: number, fixed: number, wide: number, out: ByteBuffer): void {
  out.reserve(5)
  const { bytes } = out
  if (count < 16) {
    bytes[out.length++] = fixed | count
  } else if (count < 0x1_0000) {
    bytes[out.length++] = wide
    bytes[out.length++] = count >>> 8
    bytes[out.length++] = count
  } else {
    bytes[out.length++] = wide + 1
    writeBigEndian(count, out)
  }
}

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)

function writeNumber(value: number, out: ByteBuffer): void {
  out.reserve(9)
  const { bytes } = out
  // -0 is not among the integers here.
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0) {
      if (value < 0x80) {
        bytes[out.length++] = value
      } else if (value < 0x1_0000) {
        bytes[out.length++] = 0xcd
        bytes[out.length++] = value >>> 8
        bytes[out.length++] = value
      } else {
        bytes[out.length++] = 0xce
        writeBigEndian(value, out)
      }
    } else if (value >= -32) {
      bytes[out.length++] = value
    } else {
      bytes[out.length++] = 0xd2
      writeBigEndian(value, out)
    }
    return
  }
  float[0] = value
  bytes[out.length++] = 0xcb
  for (let i = 7; i >= 0; i--) bytes[out.length++] = floatBytes[i] as number
}

/** Strings up to this length are written by a loop while they are ASCII; longer ones are worth a native call. */
const SHORT = 40

const encoder = new TextEncoder()

function writeString(text: string, out: ByteBuffer): boolean {
  const { length } = text
  if (length < SHORT) {
    out.reserve(length + 2)
    const { bytes } = out
    const start = out.length
    let at = start + 1
    if (length < 32) {
      bytes[start] = 0xa0 | length
    } else {
      bytes[start] = 0xd9
      bytes[at++] = length
    }
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) break
      bytes[at++] = code
    }
    if (i === length) {
      out.length = at
      return true
    }
  }
  if (isOdd(text)) return false
  // UTF-8 takes at most 3 bytes for a UTF-16 unit.
  out.reserve(5 + length * 3)
  const { written } = encoder.encodeInto(text, out.bytes.subarray(out.length + 5))
  out.bytes[out.length++] = 0xdb
  writeBigEndian(written, out)
  out.length += written
  return true
}

function writeBigEndian(value: number, out: ByteBuffer): void {
  const { bytes } = out
  bytes[out.length++] = value >>> 24
  bytes[out.length++] = value >>> 16
  bytes[out.length++] = value >>> 8
  bytes[out.length++] = value
}
