import type { Baseline } from '../baselines/baseline.js'
import type { PayloadName } from '../payloads.js'
import type { Open } from '../session.js'
import type { LoadedTransport } from '../transports.js'

export interface Pattern {
  readonly name: string
  readonly title: string
  /** One sentence for the reports: what is done, from where to where the clock runs. */
  readonly description: string
  readonly metric: 'throughput' | 'round-trip' | 'time-to-first-line'
  readonly unit: 'messages/s' | 'us' | 'ms'
  readonly better: 'higher' | 'lower'
  /** Messages under way at once, in words where it is no number. */
  readonly inFlight: string
  /** Empty where the pattern moves no payload. */
  readonly payloads: readonly PayloadName[]
  /** Latency of single events instead of a flow. */
  readonly latency: boolean
  /** Events that take long on their own are measured one a round, so that subject and baseline alternate event by event. */
  readonly onePerRound?: boolean
  subject(transport: LoadedTransport, payload: PayloadName): Open
  /** Null where raw Node has nothing that does the same. */
  baseline(baseline: Baseline, payload: PayloadName): Open | null
}
