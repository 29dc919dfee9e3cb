import { MpError } from '../errors.js'
import { appendBytes, ByteBuffer, readU32, writeU32 } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import { type EndCarrier, readParcels } from './parcel-table.js'
import { LiveObject, type Parcel } from './wire-end.js'

/**
 * A frame is a sequence of messages. All numbers are little-endian.
 *
 *     u8 type | u32 length | body [length]
 *     after it, if the flag WITH_TABLE is set:
 *     u32 attachments | u32 length | table [length]
 *
 * `type` carries two flags:
 *
 * - CREDITED: the message counts against the sender's window until its reader took it.
 * - WITH_TABLE: live objects or ends of wires ride along. The table says what each one is, and `attachments` says how many of
 *   the frame's attachments belong to this message.
 */
export const WITH_TABLE = 0x80
export const CREDITED = 0x40
export const HEADER = 5
/** Before a table: its count of attachments and its length. */
export const TABLE_HEADER = 8

/**
 * A piece of a message that is larger than a frame. Body: u8 last | u32 total | bytes. The bytes of all pieces make up the
 * message.
 */
const FRAGMENT = 2
export const FRAGMENT_HEADER = 5

/** Bytes. Checked before anything is allocated. */
const LARGEST_MESSAGE = 1024 * 1024 * 1024

/** What a message costs in addition to its bytes, so that a window also bounds the number of tiny ones. */
const OVERHEAD = 64

/**
 * What a credited message counts for. Both sides compute the same. Buffers that ride along between threads count a quarter.
 * They are large: if only four of 1 MiB could be on their way, each side would wait for the other (0.7 of raw postMessage's
 * rate, not 1).
 */
export function cost(length: number, parcels: readonly Parcel[] | undefined, { capabilities }: Transport): number {
  if (!parcels) return length + OVERHEAD
  const bytes = attachedBytes(parcels)
  return length + OVERHEAD + (capabilities.attachments ? Math.ceil(bytes / 4) : bytes)
}

export function attachedBytes(parcels: readonly Parcel[]): number {
  let bytes = 0
  for (const parcel of parcels) {
    if (parcel instanceof LiveObject && parcel.object instanceof ArrayBuffer) bytes += parcel.object.byteLength
  }
  return bytes
}

/** Throws MP_FRAME_TOO_LARGE for what no message can hold. */
export function checkLength(length: number, { name }: Transport): void {
  if (length <= LARGEST_MESSAGE) return
  throw new MpError(
    'MP_FRAME_TOO_LARGE',
    `a message of ${length} bytes is larger than ${LARGEST_MESSAGE}, the most that ${name} carries`,
  )
}

export function malformedFrame(): MpError {
  return new MpError('MP_DECODE', 'a frame is malformed or cut short')
}

/** Takes what a reader finds in a frame. */
export interface FrameUser {
  /** `flags` is the type with its flags. The body is `bytes[start, end)`. */
  message(flags: number, bytes: Uint8Array, start: number, end: number, parcels: Parcel[] | undefined): void
  /** A fragment came. Its own bytes may get credit at once: they need not wait for a reader. */
  fragment(cost: number): void
  /** False if nobody needs the rest of the frame any more. */
  reading(): boolean
}

/** Takes frames apart, and puts messages together from their fragments. Throws MP_DECODE for what is no frame. */
export class FrameReader {
  readonly #user: FrameUser
  readonly #transport: Transport
  #assembly: ByteBuffer | undefined

  constructor(user: FrameUser, transport: Transport) {
    this.#user = user
    this.#transport = transport
  }

  read(frame: Uint8Array, attachments: readonly object[] | undefined, carrier: EndCarrier | undefined): void {
    let taken = 0
    for (let at = 0; at < frame.length && this.#user.reading(); ) {
      if (at + HEADER > frame.length) throw malformedFrame()
      const flags = frame[at] as number
      const start = at + HEADER
      const end = start + readU32(frame, at + 1)
      if (end > frame.length) throw malformedFrame()
      at = end
      let parcels: Parcel[] | undefined
      if (flags & WITH_TABLE) {
        const table = end + TABLE_HEADER
        if (table > frame.length) throw malformedFrame()
        const count = readU32(frame, end)
        at = table + readU32(frame, end + 4)
        if (at > frame.length) throw malformedFrame()
        const own = attachments?.slice(taken, taken + count) ?? []
        taken += count
        parcels = readParcels(frame, table, at, own, this.#transport, carrier)
      }
      if ((flags & ~(WITH_TABLE | CREDITED)) === FRAGMENT) this.#fragment(frame, start, end, parcels)
      else this.#user.message(flags, frame, start, end, parcels)
    }
  }

  #fragment(bytes: Uint8Array, start: number, end: number, parcels: Parcel[] | undefined): void {
    const size = end - start - FRAGMENT_HEADER
    if (size < 0) throw malformedFrame()
    const total = readU32(bytes, start + 1)
    if (total > LARGEST_MESSAGE + HEADER) {
      throw new MpError('MP_FRAME_TOO_LARGE', `a message of ${total} bytes was announced`)
    }
    this.#assembly ??= new ByteBuffer(Math.min(total, 1024 * 1024))
    const whole = this.#assembly
    if (whole.length + size > total) throw malformedFrame()
    appendBytes(whole, bytes, start + FRAGMENT_HEADER, end)
    this.#user.fragment(cost(end - start, undefined, this.#transport))
    if (bytes[start] !== 1) return
    this.#assembly = undefined
    if (whole.length !== total || total < HEADER) throw malformedFrame()
    const flags = whole.bytes[0] as number
    if ((flags & ~(WITH_TABLE | CREDITED)) === FRAGMENT) throw malformedFrame()
    this.#user.message(flags, whole.bytes, HEADER, whole.length, parcels)
  }
}

/** The frame of one piece of a message: `bytes[at, at + size)`. */
export function fragment(bytes: Uint8Array, at: number, size: number): ByteBuffer {
  const out = new ByteBuffer(HEADER + FRAGMENT_HEADER + size)
  out.bytes[0] = FRAGMENT | CREDITED
  writeU32(out.bytes, 1, FRAGMENT_HEADER + size)
  out.bytes[HEADER] = at + size === bytes.length ? 1 : 0
  writeU32(out.bytes, HEADER + 1, bytes.length)
  out.length = HEADER + FRAGMENT_HEADER
  appendBytes(out, bytes, at, at + size)
  return out
}
