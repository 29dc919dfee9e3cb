import { registerType } from '@mp/core'

/** Registered without an encoding: its own fields travel. */
export class Point {
  x: number
  y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
}

/** Registered with an encoding, since its fields do not hold everything. */
export class Money {
  readonly #cents: bigint
  constructor(cents: bigint) {
    this.#cents = cents
  }
  get cents(): bigint {
    return this.#cents
  }
  /** For the comparison of two instances. */
  valueOf(): bigint {
    return this.#cents
  }
}

export class ShortageError extends Error {
  override name = 'ShortageError'
  readonly missing: readonly string[]
  constructor(message: string, missing: readonly string[]) {
    super(message)
    this.missing = missing
  }
}

/** To be called in each context that sends or receives instances. */
export function registerAll(): void {
  registerType(Point, { name: '@mp/conformance.Point' })
  registerType(Money, {
    name: '@mp/conformance.Money',
    encode: money => money.cents,
    decode: (cents: bigint) => new Money(cents),
  })
  registerType(ShortageError, { name: '@mp/conformance.ShortageError' })
}

registerAll()
