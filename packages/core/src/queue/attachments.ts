import type { Parcel } from '../link/wire-end.js'

/** Told once: what was deposited, or undefined where it is gone with its depositor. */
export type Collect = (parcels: readonly Parcel[] | undefined) => void

/**
 * What rides beside the items of a native queue: ends of wires and live objects, which shared memory cannot hold. The putter
 * deposits them with the queue's home, under a key that is part of the item; who takes the item collects them, before it leaves
 * the queue. So an item that stays because its taker died in between is collected again, and finds nothing: it went with the
 * dead one.
 */
export class Attachments {
  readonly #deposits = new Map<string, readonly Parcel[]>()
  readonly #waiting = new Map<string, Collect>()

  add(key: string, parcels: readonly Parcel[]): void {
    const collect = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (collect) collect(parcels)
    else this.#deposits.set(key, parcels)
  }

  /** Whether it was here. Otherwise `collect` waits for it, in place of an earlier claim. */
  collect(key: string, collect: Collect): boolean {
    const parcels = this.#deposits.get(key)
    if (parcels) {
      this.#deposits.delete(key)
      collect(parcels)
      return true
    }
    this.#waiting.set(key, collect)
    return false
  }

  /** It will not come any more. */
  giveUp(key: string): void {
    const collect = this.#waiting.get(key)
    this.#waiting.delete(key)
    collect?.(undefined)
  }

  /** Nothing comes from this context any more. */
  giveUpAll(context: string): void {
    for (const key of [...this.#waiting.keys()]) if (contextOf(key) === context) this.giveUp(key)
  }

  [Symbol.iterator](): IterableIterator<[string, readonly Parcel[]]> {
    return this.#deposits.entries()
  }
}

/** A key is the depositor's context, and a number. */
export function contextOf(key: string): string {
  return key.slice(0, key.lastIndexOf('.'))
}
