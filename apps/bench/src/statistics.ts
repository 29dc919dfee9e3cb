import { max, median, min, quantile, quantileSorted } from 'simple-statistics'
import type { Round } from './measure.js'

/** How far the rounds lie apart: their quartiles and their ends. */
export interface Spread {
  readonly low: number
  readonly high: number
  readonly min: number
  readonly max: number
}

export interface Summary {
  /** Throughput: the median of the rounds' rates. Latency: the median of all samples. */
  readonly value: number
  readonly spread: Spread
  readonly p50?: number
  readonly p99?: number
  readonly max?: number
  readonly samples: number
  readonly rounds: number
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    low: quantile([...values], 0.25),
    high: quantile([...values], 0.75),
    min: min([...values]),
    max: max([...values]),
  }
}

/** Messages per second. */
export function summarizeThroughput(rounds: readonly Round[]): Summary {
  const rates = rounds.map(round => round.rate * 1000)
  return { value: median(rates), spread: spreadOf(rates), samples: rates.length, rounds: rates.length }
}

/** `perMillisecond`: by what the samples, which are milliseconds, are multiplied for the report. */
export function summarizeLatency(rounds: readonly Round[], perMillisecond: number): Summary {
  const samples = Float64Array.from(rounds.flatMap(round => [...round.latencies])).sort()
  const at = (p: number) => quantileSorted(samples as unknown as number[], p) * perMillisecond
  const medians = rounds.map(round => median([...round.latencies]) * perMillisecond)
  return {
    value: at(0.5),
    spread: spreadOf(medians),
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    samples: samples.length,
    rounds: rounds.length,
  }
}

/** Half the distance between the quartiles, as a share of the value: the "± 3 %" of the reports. */
export function relativeSpread({ value, spread }: { value: number; spread: Spread }): number {
  return (spread.high - spread.low) / 2 / value
}
