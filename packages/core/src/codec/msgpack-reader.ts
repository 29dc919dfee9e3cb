import { MAX_DEPTH } from './graph-format.js'
import { malformed } from './graph-reader.js'

/** Bytes. */
export const SMALL = 1024

/**
 * Reads the msgpack that `codec-plain` writes, checking and reading in one pass; nothing is allocated by what a length says.
 * For what is small: msgpackr, made for large messages, takes 260 ns for a small object, and 420 with the validation that
 * bytes from afar need before it sees them; this takes 140.
 */
export function readSmall(bytes: Uint8Array, start: number, end: number): unknown {
  // Nothing in here runs code of the user's, so one set of variables serves.
  source = bytes
  at = start
  limit = end
  const value = readValue(0)
  if (at !== limit) throw malformed('the length')
  source = none
  return value
}

const none: Uint8Array = new Uint8Array(0)
let source: Uint8Array = none
let at = 0
let limit = 0

function readValue(depth: number): unknown {
  if (at >= limit) throw malformed('the length')
  const token = source[at++] as number
  if (token < 0x80) return token
  if (token >= 0xe0) return token - 0x100
  if (token >= 0xa0 && token < 0xc0) return readText(token & 0x1f, texts)
  if (token < 0x90) return readObject(token & 0x0f, depth)
  if (token < 0xa0) return readArray(token & 0x0f, depth)
  switch (token) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xcb:
      return readDouble()
    case 0xcc:
      return readUint(1)
    case 0xcd:
      return readUint(2)
    case 0xce:
      return readUint(4)
    case 0xd2:
      return readUint(4) | 0
    case 0xd9:
      return readText(readUint(1), texts)
    case 0xda:
      return readText(readUint(2), texts)
    case 0xdb:
      return readText(readUint(4), texts)
    case 0xdc:
      return readArray(readUint(2), depth)
    case 0xdd:
      return readArray(readUint(4), depth)
    case 0xde:
      return readObject(readUint(2), depth)
    case 0xdf:
      return readObject(readUint(4), depth)
    default:
      throw malformed('a token')
  }
}

function readUint(size: number): number {
  if (limit - at < size) throw malformed('a length')
  let result = 0
  for (let i = 0; i < size; i++) result = result * 256 + (source[at++] as number)
  return result
}

const double = new Float64Array(1)
const doubleBytes = new Uint8Array(double.buffer)

function readDouble(): number {
  if (limit - at < 8) throw malformed('a length')
  for (let i = 7; i >= 0; i--) doubleBytes[i] = source[at++] as number
  return double[0] as number
}

function readArray(length: number, depth: number): unknown[] {
  checkItems(length, depth)
  const next = depth + 1
  // A literal is as long as it must be; the first push makes room for 17.
  switch (length) {
    case 0:
      return []
    case 1:
      return [readValue(next)]
    case 2:
      return [readValue(next), readValue(next)]
    case 3:
      return [readValue(next), readValue(next), readValue(next)]
  }
  const array: unknown[] = []
  for (let i = 0; i < length; i++) array.push(readValue(next))
  return array
}

function readObject(size: number, depth: number): object {
  checkItems(size * 2, depth)
  const object: Record<string, unknown> = {}
  for (let i = 0; i < size; i++) {
    const key = readKey()
    const define = inherited
    const value = readValue(depth + 1)
    if (define) defineValue(object, key, value)
    else object[key] = value
  }
  return object
}

/** For what `Object.prototype` has: it may be a setter, or read-only where intrinsics are frozen. */
function defineValue(object: object, key: string, value: unknown): void {
  if (key === '__proto__') throw malformed('a key')
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Each item takes a byte at least. */
function checkItems(items: number, depth: number): void {
  if (items > limit - at) throw malformed('a length')
  if (depth > MAX_DEPTH + 2) throw malformed('the depth')
}

/** Whether `Object.prototype` has what {@link readKey} gave last. */
let inherited = false

function readKey(): string {
  inherited = false
  if (at >= limit) throw malformed('the length')
  const token = source[at++] as number
  if (token >= 0xa0 && token < 0xc0) return readText(token & 0x1f, keys)
  if (token >= 0xd9 && token <= 0xdb) return readText(readUint(1 << (token - 0xd9)), keys)
  throw malformed('a key')
}

/** Bytes. Longer strings seldom come again. */
const REMEMBERED = 24
const SLOTS = 512

/** Strings of ASCII that came before, by a hash: to compare with one is five times as fast as to make it anew. */
const texts: string[] = new Array(SLOTS).fill('')
/** So, too, but none that `Object.prototype` has: to look there would cost 8 ns a key. */
const keys: string[] = new Array(SLOTS).fill('')

function readText(size: number, known: string[]): string {
  const start = at
  if (size > limit - start) throw malformed('a length')
  at = start + size
  const short = size > 0 && size <= REMEMBERED
  let slot = 0
  if (short) {
    const bytes = source
    slot = ((bytes[start] as number) * 31 + (bytes[start + size - 1] as number) * 7 + size * 131) & (SLOTS - 1)
    const guess = known[slot] as string
    if (guess.length === size) {
      let i = 0
      while (i < size && guess.charCodeAt(i) === bytes[start + i]) i++
      if (i === size) return guess
    }
  }
  const text = buffer().toString('utf8', start, start + size)
  if (known === keys) inherited = text in Object.prototype
  // Whatever was not ASCII has fewer characters than bytes, or such as no byte is.
  if (short && text.length === size && !inherited) known[slot] = text
  return text
}

/** Bytes. The view below must not keep a huge frame alive. */
const KEPT = 1024 * 1024

let viewed: Uint8Array = none
let view = Buffer.from(none)

/** Node's decoding of strings is a method of Buffer; a frame holds many messages, and one view serves all. */
function buffer(): Buffer {
  if (source === viewed) return view
  const made = Buffer.from(source.buffer as ArrayBuffer, source.byteOffset, source.length)
  if (made.buffer.byteLength <= KEPT) {
    viewed = source
    view = made
  }
  return made
}
