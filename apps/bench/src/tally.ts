import { CheckError, type Messages } from './payloads.js'

/**
 * What one consumer has taken, as it tells the parent. Where several consumers share the items, none of them knows which ones it will
 * get: each checks content and order, and the parent checks with the sums that together they got every item once.
 */
export interface Tally {
  readonly items: number
  /** Of the sequence numbers. */
  readonly sum: number
  /** Of the squares of the sequence numbers. With `sum` it tells if up to two items were lost and as many came twice. */
  readonly squares: number
  /** Milliseconds of the machine's clock, at which the first item and the last item arrived. */
  readonly first: number
  readonly last: number
}

/** Items in a batch at most: up to here the sum of the squares is an exact number. */
export const largestTally = 200_000

/**
 * Takes `count` items and checks each. Producer p of n numbers its items p, p + n, p + 2n, ...: the numbers of one producer must
 * rise, those of different producers may mix.
 */
export async function tally(
  count: number,
  producers: number,
  receive: () => Promise<unknown>,
  { check }: Messages,
): Promise<Tally> {
  const latest = new Array<number>(producers).fill(-1)
  let sum = 0
  let squares = 0
  let first = 0
  for (let items = 0; items < count; items++) {
    const item = await receive()
    if (items === 0) first = machineTime()
    const { id = Number.NaN } = (item ?? {}) as { id?: number }
    const before = latest[id % producers] ?? Number.NaN
    if (!(id > before)) throw new CheckError(`expected a number above ${before}, got ${JSON.stringify(item)}`)
    latest[id % producers] = id
    check(item, id)
    sum += id
    squares += id * id
  }
  return { items: count, sum, squares, first, last: machineTime() }
}

/** Throws unless the consumers have taken the items 0 to `count - 1`, each once. Gives the ms from the first item to the last. */
export function elapsedOf(tallies: readonly Tally[], count: number): number {
  const total = (part: (each: Tally) => number) => tallies.reduce((sum, each) => sum + part(each), 0)
  const n = BigInt(count)
  const squares = Number(((n - 1n) * n * (2n * n - 1n)) / 6n)
  const complete =
    total(({ items }) => items) === count &&
    total(({ sum }) => sum) === (count * (count - 1)) / 2 &&
    total(each => each.squares) === squares
  if (!complete) throw new CheckError(`of ${count} items some were lost, or came twice: ${JSON.stringify(tallies)}`)
  return Math.max(...tallies.map(({ last }) => last)) - Math.min(...tallies.map(({ first }) => first))
}

/** Milliseconds of the clock that all processes of a machine share. `performance.now()` begins anew in each thread. */
function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
