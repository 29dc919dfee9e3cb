import type { Baseline } from '../baselines/baseline.js'
import type { PayloadName } from '../payloads.js'
import type { Open } from '../session.js'
import type { LoadedTransport } from '../transports.js'

/** What Python does beside a pattern, in this run. */
export interface PythonWork {
  readonly name: string
  /** The script beside the built program, and its arguments. */
  readonly script: string
  args(quick: boolean): readonly string[]
}

export interface Pattern {
  readonly name: string
  readonly title: string
  /** One sentence for the reports: what is done, from where to where the clock runs. */
  readonly description: string
  readonly metric: 'throughput' | 'round-trip' | 'time-to-first-line'
  readonly unit: 'messages/s' | 'tasks/s' | 'us' | 'ms'
  readonly better: 'higher' | 'lower'
  /** Messages under way at once, in words where it is no number. */
  readonly inFlight: string
  /** Empty where the pattern moves no payload. */
  readonly payloads: readonly PayloadName[]
  /** Latency of single events instead of a flow. */
  readonly latency: boolean
  /** Events that take long on their own are measured one a round, so that subject and baseline alternate event by event. */
  readonly onePerRound?: boolean
  /** ms that each case may take at most; absent: its share. */
  readonly allowance?: number
  /** Events in one batch at most, where the payload sets no narrower bound. */
  readonly maxBatch?: number
  /** Which transports can do it; absent: all. */
  needs?(transport: LoadedTransport): boolean
  subject(transport: LoadedTransport, payload: PayloadName): Open
  /** Null where raw Node has nothing that does the same. */
  baseline(baseline: Baseline, payload: PayloadName): Open | null
  /** Libraries that do the same, measured in turns with the subject. */
  rivals?(transport: LoadedTransport, payload: PayloadName): readonly NamedOpen[]
  /** The same in Python, measured once before all. */
  readonly python?: PythonWork
}

interface NamedOpen {
  readonly name: string
  readonly open: Open
}
