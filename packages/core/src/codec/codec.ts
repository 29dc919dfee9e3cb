import { MpError } from '../errors.js'
import type { ByteBuffer } from '../runtime/byte-buffer.js'
import { malformed } from './decode-error.js'
import { copyBytes, GraphReader } from './graph-reader.js'
import { GraphWriter } from './graph-writer.js'
import type { Packing, Unpacking } from './handle.js'
import { readMsgpack } from './msgpack-reader.js'
import { writePlain, writeTree } from './msgpack-writer.js'
import { copyToAttach, ridesBeside } from './out-of-band.js'
import { attempt, isDetached } from './value-kinds.js'

/** The first byte of an encoded value says what follows. */
const Form = {
  /** msgpack of a value that msgpack carries exactly. */
  Plain: 0,
  /** The length of the tree in 4 bytes, big-endian; the tree, as msgpack; the bytes that it refers to. See `Tag`. */
  Rich: 1,
  /** The value is a Uint8Array, and these are its bytes. */
  Bytes: 2,
  /** The value is a Uint8Array over the whole of an attachment, whose index follows in 4 bytes, big-endian. */
  AttachedBytes: 3,
} as const

/**
 * Appends `value` to `out` so that {@link decode} makes an equal value of it: same types, same identity of the objects in
 * it. Reads getters, ignores `toJSON` and non-enumerable properties.
 *
 * @param name what the path in an error starts with.
 * @throws {MpError} MP_ENCODE with the path of what cannot travel; MP_NOT_SHAREABLE and MP_NOT_SUPPORTED for memory and live
 * objects that this packing cannot carry; the MpError that `packing.handle` throws. `out` then holds what it held before.
 */
export function encode(value: unknown, out: ByteBuffer, packing: Packing, name = 'value'): void {
  const { length } = out
  try {
    write(value, out, packing, name)
  } catch (error) {
    out.length = length
    const known =
      error instanceof MpError
        ? error
        : new MpError('MP_ENCODE', `Cannot encode the ${name}: ${reason(error)}`, { cause: error })
    // The caller's line helps the user; the codec's own lines do not.
    Error.captureStackTrace(known, encode)
    throw known
  }
}

/**
 * Like {@link encode}, for what a target threw, an error or not: what cannot travel is replaced by a description, so that
 * there is always something to decode. Never throws.
 */
export function encodeError(error: unknown, out: ByteBuffer, packing: Packing): void {
  const { length } = out
  try {
    writeRich(error, out, packing, true, 'error')
  } catch {
    out.length = length
    writeRich(new MpError('MP_REMOTE', 'something was thrown that cannot be encoded'), out, packing, true, 'error')
  }
}

/**
 * The value in `bytes[start, end)`, which it does not alias.
 *
 * @throws {MpError} MP_DECODE if these are not the bytes of a value; what `unpacking` throws.
 */
export function decode(bytes: Uint8Array, start: number, end: number, unpacking: Unpacking): unknown {
  if (start < 0 || start >= end || end > bytes.length) throw malformed('the length')
  let reader: GraphReader | undefined
  try {
    switch (bytes[start]) {
      case Form.Plain:
        return readMsgpack(bytes, start + 1, end)
      case Form.Rich: {
        const body = start + 5
        const middle = body + readLength(bytes, start + 1, end)
        if (middle > end) throw malformed('the length of the tree')
        const tree = readMsgpack(bytes, body, middle)
        reader = new GraphReader(unpacking)
        return reader.read(tree, bytes, middle, end)
      }
      case Form.Bytes:
        return copyBytes(bytes, start + 1, end)
      case Form.AttachedBytes: {
        if (end !== start + 5) throw malformed('the index of an attachment')
        reader = new GraphReader(unpacking)
        return reader.attachedBytes(readLength(bytes, start + 1, end))
      }
      default:
        throw malformed('the form')
    }
  } catch (error) {
    if (error instanceof MpError || (reader !== undefined && error === reader.thrown)) throw error
    throw new MpError('MP_DECODE', `Cannot decode: ${reason(error)}`, { cause: error })
  }
}

/** Whether the value that is encoded at `start` is a Uint8Array that was encoded as such, not within another value. */
export function isBytes(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === Form.Bytes || bytes[start] === Form.AttachedBytes
}

/** The text of what was thrown, which may be anything: a getter of the user's may have thrown it. */
function reason(error: unknown): string {
  return String(attempt(() => String((error as Error).message)) ?? 'something odd was thrown')
}

function write(value: unknown, out: ByteBuffer, packing: Packing, name: string): void {
  const { length } = out
  out.reserve(1)
  out.bytes[out.length++] = Form.Plain
  if (writePlain(value, out)) return
  out.length = length
  if (!(value instanceof Uint8Array && writeBytes(value, out, packing))) {
    writeRich(value, out, packing, false, name)
  }
}

/** False if the bytes need the rich form. */
function writeBytes(value: Uint8Array, out: ByteBuffer, packing: Packing): boolean {
  const { buffer, byteOffset, byteLength } = value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Uint8Array.prototype && prototype !== Buffer.prototype) return false
  if (!(buffer instanceof ArrayBuffer) || isDetached(buffer)) return false
  const moves = packing.transfers(buffer)
  if (moves && byteLength < buffer.byteLength) return false
  if (ridesBeside(packing, byteLength, moves)) {
    const index = packing.attach(moves ? buffer : copyToAttach(packing, buffer, byteOffset, byteLength))
    out.reserve(5)
    out.bytes[out.length++] = Form.AttachedBytes
    appendLength(out, index)
    return true
  }
  out.reserve(1 + byteLength)
  out.bytes[out.length] = Form.Bytes
  out.bytes.set(value, out.length + 1)
  out.length += 1 + byteLength
  return true
}

function writeRich(value: unknown, out: ByteBuffer, packing: Packing, lenient: boolean, name: string): void {
  const writer = new GraphWriter(packing, lenient, name)
  writer.write(value)
  out.reserve(5)
  out.bytes[out.length] = Form.Rich
  const start = out.length + 5
  out.length = start
  writeTree(writer.tree, out)
  const size = out.length - start
  out.length = start - 4
  appendLength(out, size)
  out.length = start + size
  writer.writeBytes(out)
}

function appendLength(out: ByteBuffer, length: number): void {
  const { bytes } = out
  bytes[out.length++] = length >>> 24
  bytes[out.length++] = length >>> 16
  bytes[out.length++] = length >>> 8
  bytes[out.length++] = length
}

function readLength(bytes: Uint8Array, position: number, end: number): number {
  if (end - position < 4) throw malformed('a length')
  const at = (i: number) => bytes[position + i] as number
  return at(0) * 0x100_0000 + ((at(1) << 16) | (at(2) << 8) | at(3))
}
