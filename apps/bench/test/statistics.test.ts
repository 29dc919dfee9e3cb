import { expect, test } from 'vitest'
import type { Round } from '../src/measure.js'
import { relativeSpread, summarizeLatency, summarizeThroughput } from '../src/statistics.js'

const round = (rate: number, latencies: number[] = []): Round => ({
  rate,
  moved: 1,
  latencies: Float64Array.from(latencies),
})

test('a throughput is the median of the rounds, per second, and one bad round does not move it', () => {
  const summary = summarizeThroughput([round(100), round(101), round(99), round(102), round(3)])
  expect(summary).toMatchObject({ value: 100_000, rounds: 5, samples: 5 })
  expect(summary.spread).toEqual({ low: 99_000, high: 101_000, min: 3000, max: 102_000 })
  expect(relativeSpread(summary)).toBeCloseTo(0.01)
})

test('latencies are pooled over the rounds, and numbers are ordered as numbers', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => (index + 1) / 10) // 0.1 to 10 ms: as text, 10 sorts before 2
  const summary = summarizeLatency([round(1, hundred.slice(50)), round(1, hundred.slice(0, 50))], 1000)
  expect(summary.p50).toBeCloseTo(5050)
  expect(summary.p99).toBeGreaterThanOrEqual(9900)
  expect(summary.max).toBeCloseTo(10_000)
  expect(summary).toMatchObject({ samples: 100, rounds: 2 })
  expect(summary.value).toBe(summary.p50)
  expect(summary.spread.min).toBeCloseTo(2550)
  expect(summary.spread.max).toBeCloseTo(7550)
})
