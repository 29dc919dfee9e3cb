import type { ByteBuffer } from '../runtime/byte-buffer.js'
import { MAX_DEPTH } from './graph-format.js'
import { hasExtraKeys, isOdd } from './value-kinds.js'

/**
 * Writes the msgpack of values that msgpack carries exactly, looking and writing in one pass: a small object takes half the
 * time of a check followed by msgpackr's pack, and a getter is read once. `codec-small` and msgpackr read it.
 *
 * False: msgpack alone would lose something of the value, and what was written so far is to be dropped.
 */
export function writePlain(value: unknown, out: ByteBuffer): boolean {
  const outer = target
  // A getter in the value may encode something itself, into another buffer.
  if (outer) outer.length = at
  begin(out)
  try {
    return writeValue(value, new Seen(), 0) && !everybodyInherits()
  } finally {
    out.length = at
    if (outer) begin(outer)
    else target = undefined
  }
}

const bare = {}

/** Whether somebody has given Object.prototype what a for-in loop finds in every object. */
function everybodyInherits(): boolean {
  for (const _ in bare) return true
  return false
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
    writeValue(node, nothing, 0)
    return
  }
  writeHead(node.length, 0x90, 0xdc)
  for (const child of node) writeNode(child)
}

/**
 * Objects of one value. One that comes again is an identity to keep, which plain msgpack cannot. New for each value: to store
 * young objects in an old one costs 20 ns each, for the garbage collector's sake.
 */
class Seen {
  #first: object | undefined
  #second: object | undefined
  #few: object[] | undefined
  #many: Set<object> | undefined

  /** Whether it was there; it is now. */
  add(value: object): boolean {
    if (this.#first === undefined) {
      this.#first = value
      return false
    }
    if (this.#first === value || this.#second === value) return true
    if (this.#second === undefined) {
      this.#second = value
      return false
    }
    return this.#addMore(value)
  }

  #addMore(value: object): boolean {
    if (this.#many) {
      if (this.#many.has(value)) return true
      this.#many.add(value)
      return false
    }
    this.#few ??= []
    if (this.#few.includes(value)) return true
    if (this.#few.length < MOST_COMPARED) this.#few.push(value)
    else this.#many = new Set(this.#few).add(value)
    return false
  }
}

/** Above, a Set finds an object sooner. */
const MOST_COMPARED = 6

const nothing = new Seen()

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
  // One question after the other: a switch over `typeof` makes its string first, 3 ns a value.
  if (typeof value === 'number') {
    writeNumber(value)
    return true
  }
  if (typeof value === 'string') return writeString(value)
  if (typeof value === 'object' && value !== null) {
    if (depth >= MAX_DEPTH || seen.add(value)) return false
    // Each asks for the prototype where V8 knows what it looks at, which makes that a constant.
    if (Array.isArray(value)) return writeArray(value, seen, depth)
    return writeObject(value as Record<string, unknown>, seen, depth)
  }
  if (value !== null && typeof value !== 'boolean') return false
  reserve(1)
  bytes[at++] = value === null ? 0xc0 : value ? 0xc3 : 0xc2
  return true
}

function writeObject(object: Record<string, unknown>, seen: Seen, depth: number): boolean {
  if (Object.getPrototypeOf(object) !== Object.prototype) return false
  const start = at
  reserve(1)
  at++
  let count = 0
  // Nobody inherits, or all is dropped. V8 knows here where the values are: by Object.keys a small object took 20 ns more, of 190.
  for (const key in object) {
    if (key === '__proto__' || !writeString(key) || !writeValue(object[key], seen, depth + 1)) return false
    count++
  }
  closeMap(start, count)
  return true
}

/** Writes the head at `start`, where a byte was left for it. */
function closeMap(start: number, count: number): void {
  if (count < 16) {
    bytes[start] = 0x80 | count
    return
  }
  const more = count < 0x1_0000 ? 2 : 4
  reserve(more)
  const end = at + more
  bytes.copyWithin(start + 1 + more, start + 1, at)
  at = start
  writeHead(count, 0x80, 0xde)
  at = end
}

function writeArray(array: readonly unknown[], seen: Seen, depth: number): boolean {
  const { length } = array
  if (Object.getPrototypeOf(array) !== Array.prototype) return false
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
