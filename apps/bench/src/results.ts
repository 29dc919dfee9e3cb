import { median } from 'simple-statistics'
import type { Environment } from './environment.js'
import type { Measured, Round } from './measure.js'
import type { Pattern } from './patterns/pattern.js'
import type { Payload } from './payloads.js'
import { type Spread, type Summary, spreadOf, summarizeLatency, summarizeThroughput } from './statistics.js'

/** The content of the JSON file, from which the reports are made. Fields may be added; a change of meaning needs a new schema. */
export interface Results {
  readonly schema: 1
  readonly environment: Environment
  readonly results: readonly Result[]
  /** What was left out, and why. */
  readonly notes: readonly string[]
}

export interface Result extends Summary {
  readonly pattern: string
  readonly transport: string
  /** 'none' where the pattern moves no payload. */
  readonly payload: string
  readonly metric: Pattern['metric']
  readonly unit: Pattern['unit']
  readonly better: Pattern['better']
  readonly bytesPerSecond?: number
  /** Messages, trips or tasks in the rounds that count. Each was checked. */
  readonly checked: number
  readonly baseline: BaselineResult | null
  /**
   * The figure divided by the baseline's. For throughput above 1 is better, for latencies below 1. For throughput it is the median
   * of the rounds' quotients, so that a machine that is slow for a while slows both. For latencies it is `value / baseline.value`.
   */
  readonly ratio: number | null
  /** The quotient round by round. */
  readonly ratioSpread?: Spread
  readonly references?: readonly Reference[]
}

interface BaselineResult extends Summary {
  readonly name: string
  readonly bytesPerSecond?: number
}

/** The same work done by another library, or in Python, in the same run. */
export interface Reference {
  readonly name: string
  readonly value: number
  readonly spread: Spread
  /** `result.value / value` */
  readonly ratio: number
}

export function resultOf(
  pattern: Pattern,
  transport: string,
  baselineName: string,
  payload: Payload | null,
  measured: Measured,
  rivals: readonly string[],
  python: Omit<Reference, 'ratio'> | null,
): Result {
  const summarize = (rounds: readonly Round[]) =>
    pattern.latency ? summarizeLatency(rounds, pattern.unit === 'us' ? 1000 : 1) : summarizeThroughput(rounds)
  const withBytes = (summary: Summary) =>
    pattern.latency || !payload?.bytes ? summary : { ...summary, bytesPerSecond: summary.value * payload.bytes }

  const subject = summarize(measured.subject)
  const baseline = measured.baseline.length > 0 ? summarize(measured.baseline) : null
  const compared = [
    ...measured.rivals.map((rounds, index) => ({ name: rivals[index] ?? '', ...summarize(rounds) })),
    ...(python ? [python] : []),
  ]
  const quotients = ratios(measured, round => summarize([round]).value)
  const references = compared.map(({ name, value, spread }) => ({ name, value, spread, ratio: subject.value / value }))
  return {
    pattern: pattern.name,
    transport,
    payload: payload?.name ?? 'none',
    metric: pattern.metric,
    unit: pattern.unit,
    better: pattern.better,
    ...withBytes(subject),
    checked: measured.subject.reduce((sum, { moved }) => sum + moved, 0),
    baseline: baseline && { name: baselineName, ...withBytes(baseline) },
    ratio: baseline && (pattern.latency ? subject.value / baseline.value : median(quotients)),
    ...(baseline && { ratioSpread: spreadOf(quotients) }),
    ...(references.length > 0 && { references }),
  }
}

function ratios({ subject, baseline }: Measured, figure: (round: Round) => number): number[] {
  return subject.flatMap((round, index) => {
    const other = baseline[index]
    return other ? [figure(round) / figure(other)] : []
  })
}
