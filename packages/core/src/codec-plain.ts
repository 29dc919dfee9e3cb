import type { ByteBuffer } from './byte-buffer.js'
import { hasExtraKeys, isOdd } from './object-facts.js'
import { MAX_DEPTH } from './rich-form.js'

/**
 * Writes the msgpack of values that msgpack carries exactly, looking and writing in one pass: a small object takes half the
 * time of a check followed by msgpackr's pack, and a getter is read once. `codec-small` and msgpackr read it.
 *
 * False: msgpack alone would lose something of the value, and what was written so far is to be dropped.
 */
export function writePlain(value: unknown, out: ByteBuffer): boolean {
  const outer = target
  // A getter in the value may encode something itself, into another buffer.
  const seen = outer ? new Seen() : shared
  if (outer) outer.length = at
  begin(out)
  try {
    return writeValue(value, seen, 0)
  } finally {
    out.length = at
    seen.clear()
    if (outer) begin(outer)
    else target = undefined
  }
}

/** The rich form's tree: arrays, strings without oddities, numbers, booleans, null, and each once. */
export function writeTree(node: unknown, out: ByteBuffer): void {
  const outer = target
  if (outer) outer.length = at
  begin(out)
  writeNode(node)
  out.length = at
  if (outer) begin(outer)
  else target = undefined
}

function writeNode(node: unknown): void {
  if (!Array.isArray(node)) {
    writeValue(node, shared, 0)
    return
  }
  writeHead(node.length, 0x90, 0xdc)
  for (const child of node) writeNode(child)
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

/** Where the value is written that is being written: the buffer, its bytes, and how many of them are. Quicker than its fields. */
let target: ByteBuffer | undefined
let bytes: Uint8Array = new Uint8Array(0)
let at = 0

function begin(out: ByteBuffer): void {
  target = out
  bytes = out.bytes
  at = out.length
}

function reserve(count: number): void {
  if (at + count <= bytes.length) return
  const out = target as ByteBuffer
  out.length = at
  out.reserve(count)
  bytes = out.bytes
}

function writeValue(value: unknown, seen: Seen, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      writeNumber(value)
      return true
    case 'boolean':
      reserve(1)
      bytes[at++] = value ? 0xc3 : 0xc2
      return true
    case 'object': {
      if (value === null) {
        reserve(1)
        bytes[at++] = 0xc0
        return true
      }
      if (depth >= MAX_DEPTH || seen.add(value)) return false
      const prototype: unknown = Object.getPrototypeOf(value)
      if (prototype === Object.prototype) return writeObject(value as Record<string, unknown>, seen, depth)
      return prototype === Array.prototype && writeArray(value as unknown[], seen, depth)
    }
    default:
      return false
  }
}

function writeObject(object: Record<string, unknown>, seen: Seen, depth: number): boolean {
  const keys = Object.keys(object)
  writeHead(keys.length, 0x80, 0xde)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    if (key === '__proto__' || !writeString(key) || !writeValue(object[key], seen, depth + 1)) return false
  }
  return true
}

function writeArray(array: unknown[], seen: Seen, depth: number): boolean {
  if (!Array.isArray(array)) return false
  const { length } = array
  writeHead(length, 0x90, 0xdc)
  // A hole reads as undefined, which is not plain either.
  for (let i = 0; i < length; i++) if (!writeValue(array[i], seen, depth + 1)) return false
  return !hasExtraKeys(array)
}

/** The head of a map or an array: the count in the token, in 2 bytes, or (the next token) in 4. */
function writeHead(count: number, fixed: number, wide: number): void {
  reserve(5)
  if (count < 16) {
    bytes[at++] = fixed | count
  } else if (count < 0x1_0000) {
    bytes[at++] = wide
    bytes[at++] = count >>> 8
    bytes[at++] = count
  } else {
    bytes[at++] = wide + 1
    writeBigEndian(count)
  }
}

const float = new Float64Array(1)
const floatBytes = new Uint8Array(float.buffer)

function writeNumber(value: number): void {
  reserve(9)
  // -0 is not among the integers here.
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0) {
      if (value < 0x80) {
        bytes[at++] = value
      } else if (value < 0x1_0000) {
        bytes[at++] = 0xcd
        bytes[at++] = value >>> 8
        bytes[at++] = value
      } else {
        bytes[at++] = 0xce
        writeBigEndian(value)
      }
    } else if (value >= -32) {
      bytes[at++] = value
    } else {
      bytes[at++] = 0xd2
      writeBigEndian(value)
    }
    return
  }
  float[0] = value
  bytes[at++] = 0xcb
  for (let i = 7; i >= 0; i--) bytes[at++] = floatBytes[i] as number
}

/** Strings up to this length are written by a loop while they are ASCII; longer ones are worth a native call. */
const SHORT = 40

const encoder = new TextEncoder()

function writeString(text: string): boolean {
  const { length } = text
  if (length < SHORT) {
    reserve(length + 2)
    const out = bytes
    let end = at + 1
    if (length < 32) {
      out[at] = 0xa0 | length
    } else {
      out[at] = 0xd9
      out[end++] = length
    }
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) break
      out[end++] = code
    }
    if (i === length) {
      at = end
      return true
    }
  }
  if (isOdd(text)) return false
  // UTF-8 takes at most 3 bytes for a UTF-16 unit.
  reserve(5 + length * 3)
  const { written } = encoder.encodeInto(text, bytes.subarray(at + 5))
  bytes[at++] = 0xdb
  writeBigEndian(written)
  at += written
  return true
}

function writeBigEndian(value: number): void {
  bytes[at++] = value >>> 24
  bytes[at++] = value >>> 16
  bytes[at++] = value >>> 8
  bytes[at++] = value
}
