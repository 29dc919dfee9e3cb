import { describeTarget } from '../process/describe-target.js'
import type { Target } from '../process/target.js'
import type { Callee } from './task.js'

/** The functions that a pool was asked to call. Each has a number; one that is both passed and named has two. */
export class Callees {
  readonly #byFunction = new WeakMap<object, Callee>()
  readonly #byName = new Map<string, Callee>()
  #next = 1

  /** Throws what {@link describeTarget} throws. */
  of(target: Target<never[]>): Callee {
    const isFunction = typeof target === 'function'
    const known = isFunction ? this.#byFunction.get(target) : undefined
    if (known) return known
    const reference = describeTarget(target)
    const key = `${reference.module}\0${reference.name}`
    const callee = (isFunction ? undefined : this.#byName.get(key)) ?? {
      number: this.#next++,
      name: reference.name,
      target,
      reference,
      pace: undefined,
    }
    if (isFunction) this.#byFunction.set(target, callee)
    else this.#byName.set(key, callee)
    return callee
  }
}
