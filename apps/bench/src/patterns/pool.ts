import { findSeats, sit, standUp } from '../core.js'
import { pythonPool } from '../reference/python.js'
import { type Session, timed } from '../session.js'
import { sitHere, square } from '../targets/square.js'
import type { Pattern } from './pattern.js'
import { checkSquare, ended, rivalsOf, squaring, workers } from './pool-session.js'

const items = 200_000

const common = {
  payloads: [],
  baseline: () => null,
} as const satisfies Partial<Pattern>

const map = {
  ...common,
  metric: 'throughput',
  unit: 'tasks/s',
  better: 'higher',
  latency: false,
  maxBatch: items,
  allowance: 2500,
} as const satisfies Partial<Pattern>

export const poolMap: Pattern = {
  ...map,
  name: 'pool-map',
  title: 'Pool.map',
  description:
    `pool.map(square, numbers) with ${workers} workers and the default chunks, ${items.toLocaleString('en')} numbers; ` +
    'the other libraries know no chunks: Promise.all of one call each. From the call to the last result.',
  inFlight: 'chunks of an eighth of the numbers',
  ...mapping(undefined, items),
  python: pythonPool(items, 0),
}

export const poolMapSingly: Pattern = {
  ...map,
  name: 'pool-map-singly',
  title: 'Pool.map, one item a task',
  leftOut: 'always',
  description: `pool.map(square, numbers, { chunksize: 1 }) with ${workers} workers, so that each number is a task of its own.`,
  inFlight: 'as many as the pool gives its workers ahead',
  ...mapping(1),
  python: pythonPool(items / 10, 1),
}

export const poolApply: Pattern = {
  ...common,
  name: 'pool-apply',
  title: 'Round trip of Pool.apply',
  description: 'await pool.apply(square, [n]) in a loop, with one worker, which has a core of its own.',
  metric: 'round-trip',
  unit: 'us',
  better: 'lower',
  inFlight: '1',
  latency: true,
  allowance: 2500,
  subject:
    ({ module, baseline }) =>
    async () => {
      const pool = new module.Pool(1)
      return calling(
        n => pool.apply(square, [n]),
        baseline.apart ? core => pool.apply(sitHere, [core]) : null,
        () => ended(pool),
      )
    },
  rivals: transport =>
    rivalsOf(transport, rival => async () => {
      const pool = await rival.open(1)
      return calling(pool.square, pool.sit, pool.close)
    }),
}

function mapping(chunksize: number | undefined, batch?: number) {
  return squaring(
    (pool, numbers) => pool.map(square, numbers, { chunksize }),
    (pool, numbers) => Promise.all(numbers.map(n => pool.square(n))),
    batch,
  )
}

async function calling(
  call: (n: number) => Promise<number>,
  sitAt: ((core: number) => Promise<void>) | null,
  close: () => Promise<void>,
): Promise<Session> {
  checkSquare(await call(3), 3)
  const seats = sitAt && findSeats()
  if (seats) await sitAt(seats.child)
  return {
    ...(seats && { ready: sit }),
    async run(count) {
      const latencies = new Float64Array(count)
      let before = performance.now()
      for (let n = 0; n < count; n++) {
        checkSquare(await call(n), n)
        const now = performance.now()
        latencies[n] = now - before
        before = now
      }
      return timed(latencies)
    },
    async close() {
      standUp()
      await close()
    },
  }
}
