import type { PayloadName } from '../payloads.js'
import type { Session } from '../session.js'

/** Hand-written Node on the same medium: no library, no flow control, the same messages and the same checks. */
export interface Baseline {
  /** Short, for a table. */
  readonly name: string
  /** What exactly is done, for the reports. */
  readonly description: string
  /** The two ends run in threads or processes of their own. */
  readonly apart: boolean
  /** For these payloads one would write something else by hand. */
  readonly instead?: Partial<Record<PayloadName, Baseline>>
  /** One side posts `count` messages without waiting, the other checks them as they come. */
  flood(payload: PayloadName): Promise<Session>
  /** One message goes and comes back. */
  echo(payload: PayloadName): Promise<Session>
  /** Starts an almost empty child and waits for its first message. Gives the ms. Null if nothing can be started. */
  readonly hello: (() => Promise<number>) | null
}

/** `baseline` and all that it uses instead, for the reports. */
export function formsOf(baseline: Baseline): readonly Baseline[] {
  return [...new Set([baseline, ...Object.values(baseline.instead ?? {})])]
}
