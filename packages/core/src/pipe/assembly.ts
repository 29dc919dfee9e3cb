import type { HandlePacking } from '../context/message-writer.js'
import { readParcels } from '../link/parcel-table.js'
import { type End, LiveObject, type Parcel } from '../link/wire-end.js'
import { allocate, readU32 } from '../runtime/byte-buffer.js'
import type { NativeMessage, NativePipe } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import { BYTES, PARCELS, START } from './record.js'

/** A message that has left the pipe: a large one, as far as it has come, or one with which something rides along. */
export interface Assembly {
  /** Of the message's length. In the caller's memory where it fits: fresh memory is what large messages cost most. */
  bytes: Uint8Array
  readonly kind: number
  readonly parcels: readonly Parcel[] | undefined
  /** Bytes of it that have come. */
  length: number
}

export function isWhole({ bytes, length }: Assembly): boolean {
  return length === bytes.length
}

/**
 * Begins with the record that `pipe` has found, which is not a PIECE; the caller skips it then. The bytes of a large message
 * go to `room`, where there is one and they fit.
 */
export function beginAssembly(pipe: NativePipe, transport: Transport, room: Uint8Array | undefined): Assembly {
  const { bytes, start, end, tag } = pipe
  let bodyEnd = end
  let parcels: Parcel[] | undefined
  if (tag & PARCELS) {
    const tableEnd = end - 4
    bodyEnd = tableEnd - readU32(bytes, tableEnd)
    // The reader of tables reads ordinary memory.
    const table = bytes.slice(bodyEnd, tableEnd)
    parcels = readParcels(table, 0, table.length, pipe.attachments(), transport, undefined)
  }
  if ((tag & ~PARCELS) !== START) {
    const whole = bytes.slice(start, bodyEnd)
    return { bytes: whole, kind: tag & ~PARCELS, parcels, length: whole.length }
  }
  const total = readU32(bytes, start)
  const kind = readU32(bytes, start + 4)
  const fits = room !== undefined && kind === BYTES && !parcels && total <= room.length
  return { bytes: fits ? room.subarray(0, total) : allocate(total), kind, parcels, length: 0 }
}

/** Adds the PIECE that was found. */
export function addPiece(assembly: Assembly, { bytes, start, end }: NativeMessage): void {
  assembly.bytes.set(bytes.subarray(start, end), assembly.length)
  assembly.length += end - start
}

/** Takes an assembly out of the caller's `room`: it goes on in memory of its own. */
export function leaveRoom(assembly: Assembly, room: Uint8Array): void {
  if (assembly.bytes.buffer !== room.buffer) return
  const copy = allocate(assembly.bytes.length)
  copy.set(assembly.bytes.subarray(0, assembly.length))
  assembly.bytes = copy
}

/** An assembly that moves with its end. */
export interface PackedAssembly {
  readonly bytes: Uint8Array
  readonly total: number
  readonly kind: number
  readonly parcels: readonly PackedParcel[] | null
}

/** The index of a live object, or of the end of a wire. */
type PackedParcel = { readonly object: number } | { readonly end: number }

export function packAssembly({ bytes, kind, parcels, length }: Assembly, packing: HandlePacking): PackedAssembly {
  const packed = parcels?.map(each =>
    each instanceof LiveObject ? { object: packing.attach(each.object) } : { end: packing.attachMoved(each) },
  )
  return { bytes: bytes.slice(0, length), total: bytes.length, kind, parcels: packed ?? null }
}

export function unpackAssembly(
  { bytes, total, kind, parcels }: PackedAssembly,
  endOf: (index: number) => End,
  objectOf: (index: number) => object,
): Assembly {
  const whole = new Uint8Array(total)
  whole.set(bytes)
  const unpacked = parcels?.map(each => ('object' in each ? new LiveObject(objectOf(each.object)) : endOf(each.end)))
  return { bytes: whole, kind, parcels: unpacked, length: bytes.length }
}
