import type { ByteBuffer } from '../runtime/byte-buffer.js'
import { BLOCK, BLOCK_HEAD, BlockKind } from './block.js'
import { MAX_DEPTH } from './graph-format.js'
import { FEWEST, LeadingNumbers } from './leading-numbers.js'
import { TextView } from './utf8-reader.js'
import { hasExtraKeys, isOdd } from './value-kinds.js'

/**
 * Writes the value as msgpack if msgpack carries it exactly. Many numbers, and long text, are blocks, which msgpack does not know. It
 * looks and writes in one pass: a small object takes half the time of a check followed by msgpackr's pack, and each getter of an object
 * is read once.
 *
 * Returns false if msgpack would lose something of the value. The caller then drops what was written.
 */
export function writePlain(value: unknown, out: ByteBuffer): boolean {
  const outer = target
  // A getter of the value's may encode another value, into another buffer.
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

/** Whether Object.prototype has a property that a for-in loop finds in every object. */
function everybodyInherits(): boolean {
  for (const _ in bare) return true
  return false
}

/** Writes the tree of the rich form: arrays, strings that are not odd, numbers, booleans and null. No array comes twice. */
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
 * The objects of one value. If one comes a second time the value is not plain, since msgpack cannot say that both are the same.
 * Each value has a new `Seen`: to store a young object in an old one costs 20 ns, for the garbage collector's sake.
 */
class Seen {
  #first: object | undefined
  #second: object | undefined
  #few: object[] | undefined
  #many: Set<object> | undefined

  /** Adds the object. Returns whether it was there before. */
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

/** Among more objects than this a Set finds one sooner. */
const MOST_COMPARED = 6

/** For values that hold no objects. */
const nothing = new Seen()

/** The buffer that is being written to, its bytes, and the position. Variables of the module are quicker than the buffer's fields. */
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
  // A switch over `typeof` would make the string first: 3 ns a value.
  if (typeof value === 'number') {
    writeNumber(value)
    return true
  }
  if (typeof value === 'string') {
    writeText(value)
    return true
  }
  if (typeof value === 'object' && value !== null) {
    if (depth >= MAX_DEPTH || seen.add(value)) return false
    // Each function asks for the prototype where V8 knows the object's shape, so that the answer is a constant.
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
  // If objects inherit enumerable properties, `writePlain` drops all of this. With Object.keys a small object took 20 ns more, of 190.
  for (const key in object) {
    if (key === '__proto__' || !writeKey(key) || !writeValue(object[key], seen, depth + 1)) return false
    count++
  }
  closeMap(start, count)
  return true
}

/** Writes the head of a map at `start`, where one byte is left for it. */
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
  let i = 0
  if (length >= FEWEST) {
    leading.collect(array, length)
    i = leading.length
    if (i === length) {
      writeNumbers()
      return !hasExtraKeys(array)
    }
    const { next } = leading
    leading.next = undefined
    writeHead(length, 0x90, 0xdc)
    for (let known = 0; known < i; known++) writeNumber(leading.at(known))
    if (!writeValue(next, seen, depth + 1)) return false
    i++
  } else writeHead(length, 0x90, 0xdc)
  // A hole reads as undefined, which is not plain.
  for (; i < length; i++) if (!writeValue(array[i], seen, depth + 1)) return false
  return !hasExtraKeys(array)
}

const leading = new LeadingNumbers()

function writeNumbers(): void {
  const numbers = leading.bytes()
  reserve(BLOCK_HEAD + numbers.length)
  writeBlockHead(leading.kind, leading.length)
  bytes.set(numbers, at)
  at += numbers.length
}

function writeBlockHead(kind: number, length: number): void {
  bytes[at++] = BLOCK
  bytes[at++] = kind
  writeBigEndian(length)
}

/** The head of a map or an array. The count is in the token itself, in 2 bytes behind `wide`, or in 4 behind the next token. */
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
  // -0 goes as a double.
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

/** Shorter strings are written by a loop, while they are ASCII. For longer ones a native call is quicker. */
const SHORT = 40

const encoder = new TextEncoder()

/** Gives false, and has written nothing, if the text is too long or not ASCII. */
function writeShort(text: string): boolean {
  const { length } = text
  if (length >= SHORT) return false
  reserve(length + 2)
  const out = bytes
  let end = at + 1
  if (length < 32) {
    out[at] = 0xa0 | length
  } else {
    out[at] = 0xd9
    out[end++] = length
  }
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return false
    out[end++] = code
  }
  at = end
  return true
}

/**
 * ASCII has a byte for each character, other text two. For 10,000 characters that are not ASCII Node needs 11 us to write UTF-8, and 50 to
 * 100 us to read it. With UTF-16 it needs 2 us and 1 to 3 us. UTF-16 also carries lone surrogates.
 */
function writeText(text: string): void {
  if (writeShort(text)) return
  const { length } = text
  if (length >= SHORT && seemsAscii(text, length)) {
    reserve(BLOCK_HEAD + length)
    const start = at + BLOCK_HEAD
    if (encoder.encodeInto(text, bytes.subarray(start, start + length)).read === length) {
      writeBlockHead(BlockKind.Ascii, length)
      at += length
      return
    }
  }
  reserve(BLOCK_HEAD + length * 2)
  writeBlockHead(BlockKind.Utf16, length)
  at += writeView.of(bytes).write(text, at, length * 2, 'utf16le')
}

const writeView = new TextView()

/** A guess by three of the characters. Where it is wrong, the text is written twice. */
function seemsAscii(text: string, length: number): boolean {
  return (text.charCodeAt(0) | text.charCodeAt(length >> 1) | text.charCodeAt(length - 1)) < 0x80
}

/** Gives false for a key that UTF-8 does not carry as it is. */
function writeKey(key: string): boolean {
  if (writeShort(key)) return true
  if (isOdd(key)) return false
  // UTF-8 takes at most 3 bytes for a UTF-16 unit.
  reserve(5 + key.length * 3)
  const { written } = encoder.encodeInto(key, bytes.subarray(at + 5))
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
