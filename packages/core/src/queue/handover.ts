import type { PackedItem } from './item.js'

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
