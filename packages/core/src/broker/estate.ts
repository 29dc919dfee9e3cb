import { LiveObject, type Parcel } from '../end.js'
import type { HandlePacking } from '../envelope.js'
import type { Item } from './home.js'

/**
 * Home to its parent, on their link, when the home's context ends in order: take over this queue. Calls that wait are not
 * part of it: each holder makes its own again when it has moved.
 */
export interface Estate {
  readonly id: string
  readonly maxsize: number
  readonly shutDown: 'no' | 'draining' | 'dropping'
  /** How many items were handed out. */
  readonly delivered: number
  /** Indexes of the ends of wires that lead to the holders. */
  readonly holders: readonly number[]
  readonly items: readonly PackedItem[]
  /** Of a native queue: its memory, and what rides beside its items. */
  readonly memory: unknown
  readonly deposits: readonly PackedDeposit[]
}

export interface PackedDeposit {
  readonly key: string
  readonly parcels: readonly number[]
}

export interface PackedItem {
  readonly bytes: Uint8Array
  /** Indexes of the parcels that came with it. */
  readonly parcels: readonly number[]
}

export function packItem({ bytes, start, end, parcels }: Item, packing: HandlePacking): PackedItem {
  return { bytes: bytes.subarray(start, end), parcels: packParcels(parcels, packing) }
}

export function packParcels(parcels: readonly Parcel[] | undefined, packing: HandlePacking): readonly number[] {
  return (parcels ?? []).map(parcel => {
    return parcel instanceof LiveObject ? packing.attach(parcel.object) : packing.attachEnd(parcel)
  })
}

export function unpackItem({ bytes, parcels }: PackedItem, parcelAt: (index: number) => Parcel): Item {
  return { bytes, start: 0, end: bytes.length, parcels: parcels.length > 0 ? parcels.map(parcelAt) : undefined }
}
