import type { Baseline } from '../baselines/baseline.js'
import type { PayloadName } from '../payloads.js'
import type { Open } from '../session.js'
import type { LoadedTransport } from '../transports.js'

/** The same work in Python, which is measured in this run. */
export interface PythonWork {
  readonly name: string
  /** The script, which lies beside the built program. */
  readonly script: string
  args(quick: boolean): readonly string[]
}

export interface Pattern {
  readonly name: string
  readonly title: string
  /** One sentence for the reports: what is done, and when the clock starts and stops. */
  readonly description: string
  readonly metric: 'throughput' | 'round-trip' | 'time-to-first-line'
  readonly unit: 'messages/s' | 'operations/s' | 'tasks/s' | 'us' | 'ms'
  readonly better: 'higher' | 'lower'
  /** How many messages are under way at once, in words if it is no number. */
  readonly inFlight: string
  /** Empty if the pattern moves no payload. */
  readonly payloads: readonly PayloadName[]
  /** Those that are measured where the caller names no payloads; absent: all. A quick run has its own. */
  readonly usualPayloads?: readonly PayloadName[]
  /** The runs that measure it only if the caller names it: quick ones, or all. Absent: none. */
  readonly leftOut?: 'quick' | 'always'
  /** Children that the subject starts; absent: 1. */
  readonly children?: number
  /** Whether the subject's children come from `hire`: most of them live already, and are warm. Those of a crowd are warmed up before. */
  readonly hires?: true
  /** Whether the latency of single events is measured instead of a flow. */
  readonly latency: boolean
  /** Whether there is one event per round, because events take long. Then subject and baseline alternate event by event. */
  readonly onePerRound?: boolean
  /** ms that each case may take at most; absent: its share. */
  readonly allowance?: number
  /** Events in a batch at most, unless the payload sets a lower bound. */
  readonly maxBatch?: number
  /** Which transports can do it; absent: all. */
  needs?(transport: LoadedTransport): boolean
  subject(transport: LoadedTransport, payload: PayloadName): Open
  /** Null if raw Node has nothing that does the same. */
  baseline(baseline: Baseline, payload: PayloadName): Open | null
  /** Libraries that do the same, or another shape of the same work, measured in turns with the subject. */
  rivals?(transport: LoadedTransport, payload: PayloadName): readonly NamedOpen[]
  /** The same in Python, measured once, before the first case. */
  readonly python?: PythonWork
}

interface NamedOpen {
  readonly name: string
  readonly open: Open
}
