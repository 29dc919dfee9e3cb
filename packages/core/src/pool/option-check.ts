/** Throws a TypeError that names an option which `what` does not have. */
export function checkKeys(what: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return
  const unknown = Object.keys(options).find(key => !known.includes(key))
  if (unknown !== undefined) throw new TypeError(`${what} has no option '${unknown}', only ${known.join(', ')}`)
}

export function checkCount(name: string, count: unknown, least = 1): void {
  if (count === undefined) return
  if (typeof count !== 'number') throw new TypeError(`${name} must be a number, not ${typeof count}`)
  if (!Number.isInteger(count) || count < least)
    throw new RangeError(`${name} must be an integer from ${least}, not ${count}`)
}

export function checkMilliseconds(name: string, ms: unknown): void {
  if (typeof ms !== 'number') throw new TypeError(`${name} must be a number of milliseconds, not ${typeof ms}`)
  if (!(ms >= 0)) throw new RangeError(`${name} must be a number of milliseconds from 0, not ${ms}`)
}
