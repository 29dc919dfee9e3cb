/** What children run that get values of registered classes, which this module registers. */

import type { Connection, Queue } from '@mp/core'
import * as targets from './targets.js'
import './values/registered.js'

export function giveValues<T extends unknown[]>(...values: T): T {
  return values
}

export function echoValues(pipe: Connection): Promise<void> {
  return targets.echo(pipe)
}

export function echoValueItems(from: Queue, to: Queue): Promise<void> {
  return targets.echoItems(from, to, Number.POSITIVE_INFINITY).catch(() => {})
}

/** Throws an error that has the values in a field, and in its cause. */
export function throwValues(values: unknown[]): never {
  throw Object.assign(new RangeError('the holder', { cause: { values } }), { values })
}
