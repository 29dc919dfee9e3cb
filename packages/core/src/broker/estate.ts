import { LiveObject, type Parcel } from '../end.js'
import type { HandlePacking } from '../envelope.js'
import type { Item } from './home.js'

/**
 * Home to its parent, on their link, when the home's context ends in order: take over this queue. Its items, the ends of
 * wires to its holders, and what the holders said that is not answered yet.
 */
export interface Estate {
  readonly id: string
  readonly maxsize: number
  readonly shutDown: boolean
  readonly holders: readonly { readonly end: number; readonly reserved: number }[]
  readonly items: readonly PackedItem[]
  /** Waiting calls, oldest first, and what arrived while the holders moved. */
  readonly unanswered: readonly (PackedItem & { readonly holder: number; readonly type: number })[]
}

export interface PackedItem {
  readonly bytes: Uint8Array
  /** Indexes of the parcels that came with it. */
  readonly parcels: readonly number[]
}

export function packItem({ bytes, start, end, parcels }: Item, packing: HandlePacking): PackedItem {
  const indexes = (parcels ?? []).map(parcel => {
    return parcel instanceof LiveObject ? packing.attach(parcel.object) : packing.attachEnd(parcel)
  })
  return { bytes: bytes.subarray(start, end), parcels: indexes }
}

export function unpackItem({ bytes, parcels }: PackedItem, parcelAt: (index: number) => Parcel): Item {
  return { bytes, start: 0, end: bytes.length, parcels: parcels.length > 0 ? parcels.map(parcelAt) : undefined }
}
