import { BLOCK, BlockKind, readNumbers, sizeOf } from './block.js'
import { malformed } from './decode-error.js'
import { MAX_DEPTH } from './graph-format.js'
import { KEPT, readUtf8, readView, SHORT, seemsAscii } from './utf8-reader.js'

/**
 * Reads the value that `writePlain` or `writeTree` wrote to `bytes[start, end)`. Checks and reads in one pass, so the bytes may come
 * from anybody. It refuses what those two never write: extensions, byte strings, 64-bit integers, 32-bit floats, a key
 * `__proto__`, something behind the value. The memory it takes is at most a fixed multiple of the bytes, whatever lengths they claim.
 */
export function readMsgpack(bytes: Uint8Array, start: number, end: number): unknown {
  // Nothing in here runs the user's code, so one set of variables serves.
  source = bytes
  at = start
  limit = end
  owed = 0
  doubles = 0
  const value = readValue(0)
  if (at !== limit) throw malformed('the length')
  source = none
  if (bytes === viewed && bytes.buffer.byteLength > KEPT) forgetView()
  return value
}

const none: Uint8Array = new Uint8Array(0)
let source: Uint8Array = none
let at = 0
let limit = 0
/** Items that the arrays around the current one still need. Each takes a byte at least; the current one cannot claim those bytes. */
let owed = 0

function readValue(depth: number): unknown {
  if (at >= limit) throw malformed('the length')
  const token = source[at++] as number
  if (token < 0x80) return token
  if (token >= 0xe0) return token - 0x100
  if (token >= 0xa0 && token < 0xc0) return readText(token & 0x1f)
  if (token < 0x90) return readObject(token & 0x0f, depth)
  if (token < 0xa0) return readArray(token & 0x0f, depth)
  switch (token) {
    case 0xc0:
      return null
    case BLOCK:
      return readBlock()
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xcb:
      return float64(source, skip(8))
    case 0xcc:
      return readUint8()
    case 0xcd:
      return readUint16()
    case 0xce:
      return readInt32() >>> 0
    case 0xd2:
      return readInt32()
    case 0xd9:
      return readText(readUint8())
    case 0xda:
      return readText(readUint16())
    case 0xdb:
      return readText(readInt32() >>> 0)
    case 0xdc:
      return readArray(readUint16(), depth)
    case 0xdd:
      return readArray(readInt32() >>> 0, depth)
    case 0xde:
      return readObject(readUint16(), depth)
    case 0xdf:
      return readObject(readInt32() >>> 0, depth)
    default:
      throw malformed('a token')
  }
}

/** Moves on by `size` bytes; gives where they are. */
function skip(size: number): number {
  const start = at
  if (size > limit - start) throw malformed('a length')
  at = start + size
  return start
}

function readUint8(): number {
  return source[skip(1)] as number
}

function readUint16(): number {
  const start = skip(2)
  return ((source[start] as number) << 8) | (source[start + 1] as number)
}

function readInt32(): number {
  return int32(source, skip(4))
}

function int32(bytes: Uint8Array, start: number): number {
  return (
    ((bytes[start] as number) << 24) |
    ((bytes[start + 1] as number) << 16) |
    ((bytes[start + 2] as number) << 8) |
    (bytes[start + 3] as number)
  )
}

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

const noView = new DataView(none.buffer)
/** Of `viewed`, the bytes of a frame, which may hold more messages. */
let view = noView
let viewed: Uint8Array = none
/** How many this message had while its bytes had no view. */
let doubles = 0
/** To make a view takes 350 ns; with it a double takes 3 ns, without it 15. */
const WORTH_A_VIEW = 32

function forgetView(): void {
  viewed = none
  view = noView
}

/** Big-endian, as all numbers of msgpack. */
function float64(bytes: Uint8Array, start: number): number {
  if (bytes === viewed) return view.getFloat64(start)
  if (doubles++ < WORTH_A_VIEW) {
    halves[1] = int32(bytes, start)
    halves[0] = int32(bytes, start + 4)
    return double[0] as number
  }
  viewed = bytes
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return view.getFloat64(start)
}

/** Each item takes a byte at least. */
function checkItems(items: number, depth: number): void {
  if (items > limit - at - owed) throw malformed('a length')
  if (depth > MAX_DEPTH + 2) throw malformed('the depth')
}

function readArray(length: number, depth: number): unknown[] {
  checkItems(length, depth)
  const next = depth + 1
  // A literal is the quickest to make.
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
  return readItems(length, next)
}

/** Reads numbers and short strings itself, with the position in a local variable: 1,000 integers take 6 us, and took 15. */
function readItems(length: number, depth: number): unknown[] {
  const array: unknown[] = new Array(length)
  const bytes = source
  const end = limit
  let position = at
  for (let i = 0; i < length; i++) {
    if (position >= end) throw malformed('the length')
    const token = bytes[position] as number
    if (token < 0x80) {
      position++
      array[i] = token
    } else if (token === 0xcb && end - position >= 9) {
      array[i] = float64(bytes, position + 1)
      position += 9
    } else if (token === 0xcd && end - position >= 3) {
      array[i] = ((bytes[position + 1] as number) << 8) | (bytes[position + 2] as number)
      position += 3
    } else if (token === 0xce && end - position >= 5) {
      array[i] = int32(bytes, position + 1) >>> 0
      position += 5
    } else if (token === 0xd2 && end - position >= 5) {
      array[i] = int32(bytes, position + 1)
      position += 5
    } else if (token >= 0xa0 && token < 0xc0) {
      at = position + 1
      array[i] = readText(token & 0x1f)
      position = at
    } else if (token === 0xc0) {
      position++
      array[i] = null
    } else if (token === 0xc2 || token === 0xc3) {
      position++
      array[i] = token === 0xc3
    } else {
      at = position
      const rest = length - i - 1
      owed += rest
      array[i] = readValue(depth)
      owed -= rest
      position = at
    }
  }
  at = position
  return array
}

function readBlock(): number[] | string {
  const kind = readUint8()
  const length = readInt32() >>> 0
  const size = sizeOf(kind)
  if (size === 0) throw malformed('a block')
  const start = skip(size * length)
  if (kind === BlockKind.Ascii) return readView.of(source).toString('latin1', start, at)
  if (kind === BlockKind.Utf16) return readView.of(source).toString('utf16le', start, at)
  return readNumbers(source, start, kind, length)
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

/** For a name that `Object.prototype` has. To assign would call a setter there, or throw where intrinsics are frozen. */
function defineValue(object: object, key: string, value: unknown): void {
  if (key === '__proto__') throw malformed('a key')
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

function readText(size: number): string {
  const start = skip(size)
  if (size > SHORT && size <= REMEMBERED && seemsAscii(source, start, size)) return recall(texts, start, size)
  return readUtf8(source, start, at)
}

/** Whether `Object.prototype` has the name that {@link readKey} gave last. */
let inherited = false

function readKey(): string {
  if (at >= limit) throw malformed('the length')
  const token = source[at++] as number
  let size: number
  if (token >= 0xa0 && token < 0xc0) size = token & 0x1f
  else if (token === 0xd9) size = readUint8()
  else if (token === 0xda) size = readUint16()
  else if (token === 0xdb) size = readInt32() >>> 0
  else throw malformed('a key')
  const start = skip(size)
  if (size > 0 && size <= REMEMBERED) {
    inherited = false
    return recall(keys, start, size)
  }
  const key = readUtf8(source, start, at)
  inherited = key in Object.prototype
  return key
}

/** Bytes. Longer strings seldom come again. */
const REMEMBERED = 24
const SLOTS = 2048

/**
 * Strings of ASCII that came before, each in the slot that its hash gives. A string is stored when its hash comes twice in a row
 * to its slot. Strings that all differ are so not stored: to store a young object in an old one costs 20 ns.
 */
interface Known {
  /** Of the last string that came to the slot. */
  readonly hashes: Int32Array
  readonly strings: string[]
}

const texts: Known = { hashes: new Int32Array(SLOTS), strings: new Array(SLOTS).fill('') }
/** Keys, remembered likewise. Names that `Object.prototype` has are left out, so a remembered key needs no check (8 ns). */
const keys: Known = { hashes: new Int32Array(SLOTS), strings: new Array(SLOTS).fill('') }

/** A string of 1 to {@link REMEMBERED} bytes. */
function recall(known: Known, start: number, size: number): string {
  const bytes = source
  const hash = hashOf(bytes, start, size)
  const slot = Math.imul(hash, 0x9e37_79b1) >>> 21
  const again = known.hashes[slot] === hash
  if (again) {
    const guess = known.strings[slot] as string
    if (guess.length === size) {
      let i = 0
      while (i < size && guess.charCodeAt(i) === bytes[start + i]) i++
      if (i === size) return guess
    }
  }
  const text = readUtf8(bytes, start, start + size)
  if (known === keys) inherited = text in Object.prototype
  if (!again) known.hashes[slot] = hash
  // Text that is not ASCII has fewer characters than bytes, or a U+FFFD, which equals no byte.
  else if (text.length === size && !inherited) known.strings[slot] = text
  return text
}

/**
 * Takes the first byte, the middle one, and the last three, in which `key-17` and `key-28` differ. With the first and the last byte
 * alone, 1,000 such strings shared 30 slots and took 100 us to read; now they take 25.
 */
function hashOf(bytes: Uint8Array, start: number, size: number): number {
  const end = start + size
  let hash = (size << 5) ^ ((bytes[start] as number) << 13) ^ ((bytes[start + (size >> 1)] as number) << 24)
  hash ^= bytes[end - 1] as number
  if (size > 3) hash ^= ((bytes[end - 2] as number) << 8) ^ ((bytes[end - 3] as number) << 16)
  return hash
}
