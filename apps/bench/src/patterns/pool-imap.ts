import { pythonShape } from '../reference/python.js'
import { square } from '../targets/square.js'
import type { Pattern } from './pattern.js'
import { squaring, workers } from './pool-session.js'

/** Calls that a rival has in flight. Our pool, with its 16 a worker, has fewer. */
const ahead = 100

export const poolImap: Pattern = {
  name: 'pool-imap',
  title: 'Pool.imap over an async iterable',
  description:
    `for await over pool.imap(square, numbers), where an async generator gives the numbers; ${workers} workers. ` +
    'From the call to the last result. The other libraries have no imap: the same loop by hand, which calls as numbers come, ' +
    `has ${ahead} calls in flight, and takes the results in order.`,
  metric: 'throughput',
  unit: 'tasks/s',
  better: 'higher',
  inFlight: `as many as imap reads ahead; ${ahead} with the other libraries`,
  payloads: [],
  latency: false,
  leftOut: 'quick',
  children: workers,
  ...squaring(
    (pool, numbers) => collected(pool.imap(square, given(numbers))),
    (pool, numbers) => collected(inOrder(given(numbers), pool.square)),
  ),
  baseline: () => null,
  python: pythonShape('pool-imap'),
}

async function* given(numbers: readonly number[]): AsyncGenerator<number, void> {
  yield* numbers
}

async function collected(results: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = []
  for await (const result of results) all.push(result)
  return all
}

async function* inOrder(
  items: AsyncIterable<number>,
  call: (n: number) => Promise<number>,
): AsyncGenerator<number, void> {
  // A ring: an array that is shifted would cost a copy for each item.
  const calls = new Array<Promise<number>>(ahead)
  let called = 0
  let taken = 0
  for await (const item of items) {
    if (called - taken === ahead) yield await (calls[taken++ % ahead] as Promise<number>)
    calls[called++ % ahead] = call(item)
  }
  while (taken < called) yield await (calls[taken++ % ahead] as Promise<number>)
}
