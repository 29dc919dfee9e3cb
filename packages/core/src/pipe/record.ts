import type { Envelope } from '../context/message-writer.js'
import { writeParcels } from '../link/parcel-table.js'
import { appendBytes, appendU32, ByteBuffer } from '../runtime/byte-buffer.js'
import { IN_PLACE, type NativePipe } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'

/*
 * The tag of a record of a native pipe says what the record holds:
 *
 * - VALUE: one message, an encoded value.
 * - BYTES: one message, the bytes of a Uint8Array.
 * - START: that a message larger than a record begins (u32 length | u32 kind, which is VALUE or BYTES).
 * - PIECE: the next bytes of that message. Its pieces follow its START, with nothing between them.
 *
 * PARCELS is added to VALUE or START where something rides along: the table of that follows, then the table's length (u32).
 */
export const VALUE = 0
export const BYTES = IN_PLACE
export const PARCELS = 2
export const START = 4
export const PIECE = 5

/** A message that is to be written: `bytes[0, end)`. */
export interface Unsent {
  readonly bytes: Uint8Array
  readonly end: number
  /** VALUE or BYTES. */
  readonly kind: number
  /** What rides along with it, if anything does. */
  readonly envelope: Envelope | undefined
  /** Bytes of it that were written as pieces; -1: not even its START. */
  written: number
}

/** Writes as many records of it as there is room for. With `beyond` there always is. */
export function writeRecords(
  pipe: NativePipe,
  message: Unsent,
  transport: Transport,
  beyond: boolean,
): 'done' | 'full' | 'gone' {
  const { bytes, end } = message
  if (message.written < 0) {
    const outcome = writeFirst(pipe, message, transport, beyond)
    if (outcome !== 'done' || end <= pipe.largest) return outcome
    message.written = 0
  }
  while (message.written < end) {
    const size = Math.min(pipe.piece, end - message.written)
    const outcome = pipe.write(bytes, message.written, message.written + size, PIECE, undefined, beyond)
    if (outcome !== 'done') return outcome
    message.written += size
  }
  return 'done'
}

/** The whole message, or the START of one that is larger than a record. */
function writeFirst(
  pipe: NativePipe,
  { bytes, end, kind, envelope }: Unsent,
  transport: Transport,
  beyond: boolean,
): 'done' | 'full' | 'gone' {
  // Asked first: a commit cannot be undone.
  const { room } = pipe
  if (room === 'gone') envelope?.rollback()
  if (room === 'gone' || (room === 'full' && !beyond)) return room
  const large = end > pipe.largest
  const out = new ByteBuffer(large ? 64 : end + 256)
  if (large) {
    appendU32(out, end)
    appendU32(out, kind)
  } else appendBytes(out, bytes, 0, end)
  const parcels = envelope?.parcels
  let attachments: object[] | undefined
  if (parcels) {
    attachments = []
    const tableStart = out.length
    writeParcels(parcels, out, attachments, transport, undefined)
    appendU32(out, out.length - tableStart)
  }
  envelope?.commit()
  const tag = (large ? START : kind) | (parcels ? PARCELS : 0)
  return pipe.write(out.bytes, 0, out.length, tag, attachments, beyond)
}
