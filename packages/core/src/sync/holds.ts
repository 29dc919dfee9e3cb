import type { Grant } from './backend.js'

/** One acquisition: a permit, entered `depth` times. A Condition's wait gives the permit back and puts a new one here. */
export interface Hold {
  grant: Grant
  depth: number
}

/** What this context has acquired of one semaphore, through whichever of its handles. */
export class Holds {
  readonly #byNumber = new Map<number, Hold>()

  get size(): number {
    return this.#byNumber.size
  }

  has(hold: Hold): boolean {
    return this.#byNumber.get(hold.grant.number) === hold
  }

  add(hold: Hold): Hold {
    this.#byNumber.set(hold.grant.number, hold)
    return hold
  }

  delete({ grant }: Hold): void {
    this.#byNumber.delete(grant.number)
  }

  /** The latest acquisition. */
  newest(): Hold | undefined {
    let newest: Hold | undefined
    for (const hold of this.#byNumber.values()) newest = hold
    return newest
  }

  /** The permit was given back on behalf of this context. */
  revoked(grant: number): void {
    this.#byNumber.delete(grant)
  }
}
