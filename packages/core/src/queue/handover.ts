import type { HandlePacking } from '../context/message-writer.js'
import { LiveObject, type Parcel } from '../link/wire-end.js'
import type { Item } from './home.js'

/**
 * Home to its parent, on their link, when the home's context ends in order: take this over. Calls that wait are made again by
 * their holders when these have moved; of a queue's gets and puts the order is kept.
 */
export type Estate = QueueEstate | QueueItems | DepositEstate | SemaphoreEstate | BarrierEstate

export interface QueueEstate {
  readonly kind: 'queue'
  readonly id: string
  readonly maxsize: number
  readonly shutDown: 'no' | 'draining' | 'dropping'
  /** How many of the items that were put have not been dealt with. */
  readonly unfinished: number
  /** How many items were handed out. */
  readonly delivered: number
  /** Indexes of the ends of wires that lead to the holders. */
  readonly holders: readonly number[]
  /** The last ones; what comes before is in `QueueItems`. */
  readonly items: readonly PackedItem[]
  /** Calls that wait for an item, and for a slot, oldest first: for each the number of its holder among `holders`, and its own. */
  readonly getters: readonly number[]
  readonly putters: readonly number[]
}

/** Ahead of a QueueEstate: the first items of one that has too many for one message. */
interface QueueItems {
  readonly kind: 'items'
  readonly id: string
  readonly items: readonly PackedItem[]
}

/** Of a native queue, whose items are not here: what rides beside them. */
export interface DepositEstate {
  readonly kind: 'deposits'
  readonly id: string
  /** The queue's own. */
  readonly memory: unknown
  readonly deposits: readonly PackedDeposit[]
  readonly holders: readonly number[]
}

interface PackedDeposit {
  readonly key: string
  /** Indexes of the parcels. */
  readonly parcels: readonly number[]
}

export interface SemaphoreEstate {
  readonly kind: 'semaphore'
  readonly id: string
  readonly limit: number
  readonly value: number
  /** How many of the free permits were left by contexts that ended. */
  readonly abandoned: number
  readonly nextGrant: number
  readonly holders: readonly number[]
  /** The grants that each of the first holders has; later ones have none. */
  readonly grants: readonly (readonly number[])[]
}

export interface BarrierEstate {
  readonly kind: 'barrier'
  readonly id: string
  readonly parties: number
  readonly broken: boolean
  readonly holders: readonly number[]
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
