import { pythonShape } from '../reference/python.js'
import { square } from '../targets/square.js'
import type { Pattern } from './pattern.js'
import { squaring, workers } from './pool-session.js'

const limit = 100

export const poolApply100: Pattern = {
  name: 'pool-apply-100',
  title: `Pool.apply, ${limit} calls in flight`,
  description:
    `${limit} loops, each of which awaits pool.apply(square, [n]), share the numbers; ${workers} workers. ` +
    'From the first call to the last result. The other libraries do the same.',
  metric: 'throughput',
  unit: 'tasks/s',
  better: 'higher',
  inFlight: String(limit),
  payloads: [],
  latency: false,
  leftOut: 'quick',
  children: workers,
  ...squaring(
    (pool, numbers) => callAll(numbers, n => pool.apply(square, [n])),
    (pool, numbers) => callAll(numbers, pool.square),
  ),
  baseline: () => null,
  python: pythonShape('pool-apply-100'),
}

async function callAll(numbers: readonly number[], call: (n: number) => Promise<number>): Promise<number[]> {
  const results = new Array<number>(numbers.length)
  let next = 0
  const loop = async () => {
    while (next < numbers.length) {
      const at = next++
      results[at] = await call(numbers[at] as number)
    }
  }
  await Promise.all(Array.from({ length: limit }, loop))
  return results
}
