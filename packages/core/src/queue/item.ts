import { attachParcels, type HandlePacking } from '../context/message-writer.js'
import type { Parcel } from '../link/wire-end.js'

/** An item as the queue holds it: encoded, never looked into. */
export interface Item {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
  /** Of an item that came back: its place. */
  readonly number?: number
}

export interface PackedItem {
  readonly bytes: Uint8Array
  /** Indexes of the parcels that came with it. */
  readonly parcels: readonly number[]
}

export function packItem({ bytes, start, end, parcels }: Item, packing: HandlePacking): PackedItem {
  return { bytes: bytes.subarray(start, end), parcels: attachParcels(parcels, packing) }
}

export function unpackItem({ bytes, parcels }: PackedItem, parcelAt: (index: number) => Parcel): Item {
  return { bytes, start: 0, end: bytes.length, parcels: parcels.length > 0 ? parcels.map(parcelAt) : undefined }
}
