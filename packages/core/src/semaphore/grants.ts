/** A permit that a context holds. */
export interface Grant {
  /** Unique among the grants of this semaphore. 0 if the wish was 'see'. */
  readonly number: number
  /** Whether the permit's last holder ended while it held it. Then what the permit guards may be half done. */
  readonly abandoned: boolean
  /**
   * Whether the permit may stay in this context until the turn's end after its release. It may if home has given a permit to
   * this context twice running, and nobody waited.
   */
  readonly lingers?: boolean
  /** The turn in which it was granted, as this context counts. In a later one it does not linger. */
  readonly turn?: number
}

/** One acquisition: a permit, entered `depth` times. A Condition's wait gives the permit back, and later puts another one here. */
export interface Hold {
  grant: Grant
  depth: number
}

/** What this context has acquired of one semaphore, through any of its handles. The backend adds grants and takes them out. */
export class Holds {
  readonly #byNumber = new Map<number, Hold>()
  readonly #isHeld: ((grant: Grant) => boolean) | undefined

  /** `isHeld`: given by a backend that is not told when another context gives a permit back. */
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

  /** The hold of a grant that was just acquired. It is not held any more if another context has already given it back. */
  of(grant: Grant): Hold {
    return this.#byNumber.get(grant.number) ?? { grant, depth: 1 }
  }

  /** The earliest acquisition. */
  first(): Hold | undefined {
    for (const hold of this.#byNumber.values()) if (this.#check(hold)) return hold
    return undefined
  }

  get none(): boolean {
    return this.first() === undefined
  }

  /** Continues `hold` with the permit of `grant`, which was just acquired. */
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
