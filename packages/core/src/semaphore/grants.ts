/** A permit that a context holds. */
export interface Grant {
  /** Unique among the grants of this semaphore; 0 where the wish was to see. */
  readonly number: number
  /** Its last holder ended while it held it: what it guards may be half done. */
  readonly abandoned: boolean
  /** Home has given it to this context twice running, and nobody waits: once released it may stay here until the turn's end. */
  readonly lingers?: boolean
}

/** One acquisition: a permit, entered `depth` times. A Condition's wait gives the permit back, and puts the next one here. */
export interface Hold {
  grant: Grant
  depth: number
}

/** What this context has acquired of one semaphore, through whichever of its handles. The backend adds and takes out. */
export class Holds {
  readonly #byNumber = new Map<number, Hold>()
  readonly #isHeld: ((grant: Grant) => boolean) | undefined

  /** `isHeld`: for a backend that is not told when another context gives a permit back. */
  constructor(isHeld?: (grant: Grant) => boolean) {
    this.#isHeld = isHeld
  }

  has(hold: Hold): boolean {
    return this.#byNumber.get(hold.grant.number) === hold && this.#check(hold)
  }

  add(grant: Grant): Grant {
    this.#byNumber.set(grant.number, { grant, depth: 1 })
    return grant
  }

  /** What was just acquired; not held any more if another context has already given it back. */
  of(grant: Grant): Hold {
    return this.#byNumber.get(grant.number) ?? { grant, depth: 1 }
  }

  /** The earliest acquisition. */
  first(): Hold | undefined {
    for (const hold of this.#byNumber.values()) if (this.#check(hold)) return hold
    return undefined
  }

  /** Goes on with the permit of `grant`, which was just acquired. */
  renew(hold: Hold, grant: Grant): void {
    hold.grant = grant
    if (this.#byNumber.has(grant.number)) this.#byNumber.set(grant.number, hold)
  }

  delete(grant: number): void {
    this.#byNumber.delete(grant)
  }

  clear(): void {
    this.#byNumber.clear()
  }

  #check({ grant }: Hold): boolean {
    if (!this.#isHeld || this.#isHeld(grant)) return true
    this.#byNumber.delete(grant.number)
    return false
  }
}
