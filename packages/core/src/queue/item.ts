import { attachParcels, type HandlePacking } from '../context/message-writer.js'
import type { Parcel } from '../link/wire-end.js'

/** An item as the queue holds it: encoded. The queue never decodes it. */
export interface Item {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
  /** Counts the items that this home has sent to others, so that one that comes back goes to its old place. 0: never sent. */
  number: number
}

export function itemOf(bytes: Uint8Array, start: number, end: number, parcels: readonly Parcel[] | undefined): Item {
  return { bytes, start, end, parcels, number: 0 }
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
  return itemOf(bytes, 0, bytes.length, parcels.length > 0 ? parcels.map(parcelAt) : undefined)
}
