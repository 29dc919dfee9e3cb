import type { Parcel } from '../link/wire-end.js'

/** Called once at most: with what was deposited, or with undefined if it will never come. */
export type Collect = (parcels: readonly Parcel[] | undefined) => void

/**
 * The attachments of a native queue's items: ends of wires and live objects, which shared memory cannot hold. The putter
 * deposits them with the queue's home, under a key that is part of the item. The taker asks for them before the item leaves the
 * queue. If the taker dies in between, the item stays in the queue, and the next taker asks again. It gets nothing if the
 * attachments went to the dead taker.
 */
export class Attachments {
  readonly #deposits = new Map<string, readonly Parcel[]>()
  readonly #waiting = new Map<string, Collect>()

  /** Gives false, and does nothing, if something was deposited with this key, and not collected. */
  add(key: string, parcels: readonly Parcel[]): boolean {
    if (this.#deposits.has(key)) return false
    const collect = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (collect) collect(parcels)
    else this.#deposits.set(key, parcels)
    return true
  }

  /** Gives whether it was here. Otherwise `collect` waits for it. What waited for this key before is told that it will not come. */
  collect(key: string, collect: Collect): boolean {
    const parcels = this.#deposits.get(key)
    if (parcels) {
      this.#deposits.delete(key)
      collect(parcels)
      return true
    }
    const before = this.#waiting.get(key)
    this.#waiting.set(key, collect)
    before?.(undefined)
    return false
  }

  /** The attachments with this key will not come any more. */
  giveUp(key: string): void {
    const collect = this.#waiting.get(key)
    this.#waiting.delete(key)
    collect?.(undefined)
  }

  /** Nothing will come from this context any more. */
  giveUpAll(context: string): void {
    for (const key of [...this.#waiting.keys()]) if (contextOf(key) === context) this.giveUp(key)
  }

  /** Takes out what was deposited and not collected. */
  drain(): readonly (readonly Parcel[])[] {
    const all = [...this.#deposits.values()]
    this.#deposits.clear()
    return all
  }

  [Symbol.iterator](): IterableIterator<[string, readonly Parcel[]]> {
    return this.#deposits.entries()
  }
}

/** The id of the depositor's context. A key is this id, a dot and a number. */
export function contextOf(key: string): string {
  return key.slice(0, key.lastIndexOf('.'))
}
