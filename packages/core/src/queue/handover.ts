import type { Pack } from '../context/context.js'
import { attachedBytes } from '../link/frame.js'
import { type Item, type PackedItem, packItem } from './item.js'

/** What a queue's home leaves to the next one. Items that do not fit into this message go ahead of it, in {@link QueueItems}. */
export interface QueueEstate {
  readonly kind: 'queue'
  readonly id: string
  readonly maxsize: number
  readonly shutDown: 'no' | 'draining' | 'dropping'
  /** How many of the items that were put have not been dealt with. */
  readonly unfinished: number
  /** Indexes of the ends of wires that lead to the holders. */
  readonly holders: readonly number[]
  /** The last items of the queue. Those before them are in `QueueItems`. */
  readonly items: readonly PackedItem[]
  /** Calls that wait for an item, oldest first: for each call the index of its holder in `holders`. */
  readonly getters: readonly number[]
  /** Calls that wait for a slot, oldest first: for each call two numbers, the index of its holder and the number of the call. */
  readonly putters: readonly number[]
}

/** Comes ahead of a QueueEstate, if a queue has too many items for one message: the first of them. */
export interface QueueItems {
  readonly kind: 'items'
  readonly id: string
  readonly items: readonly PackedItem[]
}

/** Bytes of items, about, that one message to the next home holds. */
const PART = 16 * 1024 * 1024

/** Packs items until the rest, which it gives, fits into one message. */
export function packFirst(id: string, items: Iterable<Item>, pack: Pack): readonly Item[] {
  let part: Item[] = []
  let bytes = 0
  for (const item of items) {
    const size = item.end - item.start + attachedBytes(item.parcels ?? [])
    if (part.length > 0 && bytes + size > PART) {
      const full = part
      pack(packing => ({ kind: 'items', id, items: full.map(each => packItem(each, packing)) }) as QueueItems)
      part = []
      bytes = 0
    }
    part.push(item)
    bytes += size
  }
  return part
}
