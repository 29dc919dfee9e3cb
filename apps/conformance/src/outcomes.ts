import { type PlannedCase, plan, type Row, rows } from '@mp/conformance'
import type { TransportPackage } from './transports.js'

export interface CaseOutcome extends PlannedCase {
  /** 'planned': nothing has run. */
  readonly state: 'passed' | 'failed' | 'skipped' | 'planned'
  readonly ms?: number
  /** The failure's stack. */
  readonly error?: string
}

/** What the suite found about a transport. */
export interface TransportOutcome {
  readonly transport: string
  readonly cases: readonly CaseOutcome[]
  /** Failures that belong to no case: leaks that show between groups, and a crash. */
  readonly others: readonly { readonly name: string; readonly error: string }[]
  /** The names that its package exports. A row about any other name is not due. */
  readonly vocabulary: ReadonlySet<string>
}

type RowState = 'pass' | 'fail' | 'skip' | 'planned' | 'missing' | 'not due'

export interface RowOutcome {
  readonly state: RowState
  /** How many cases ran, or would run. */
  readonly count: number
  /** What the transport lacks, if all cases are skipped. */
  readonly skipped: string | undefined
}

export function planned(transport: string, context: TransportPackage): TransportOutcome {
  const cases = plan(context.transport).map(
    (each): CaseOutcome => ({ ...each, state: each.skipped ? 'skipped' : 'planned' }),
  )
  return { transport, cases, others: [], vocabulary: new Set(Object.keys(context)) }
}

export function outcomeOf(row: Row, { cases, vocabulary }: TransportOutcome): RowOutcome {
  const about = cases.filter(each => each.rows.includes(row.id))
  const ran = about.filter(each => each.state !== 'skipped')
  const state = stateOf(row, about, ran, vocabulary)
  return { state, count: ran.length, skipped: state === 'skip' ? about[0]?.skipped : undefined }
}

function stateOf(
  { part }: Row,
  about: readonly CaseOutcome[],
  ran: readonly CaseOutcome[],
  vocabulary: ReadonlySet<string>,
): RowState {
  if (about.length === 0) return part && !vocabulary.has(part) ? 'not due' : 'missing'
  if (ran.some(each => each.state === 'failed')) return 'fail'
  if (ran.length === 0) return 'skip'
  return ran.every(each => each.state === 'passed') ? 'pass' : 'planned'
}

/** Whether nothing fails, and every row that must have a case has one. */
export function isConforming(outcomes: readonly TransportOutcome[]): boolean {
  return outcomes.every(
    outcome =>
      outcome.others.length === 0 &&
      outcome.cases.every(each => each.state !== 'failed') &&
      rows.every(row => row.level === 'MAY' || outcomeOf(row, outcome).state !== 'missing'),
  )
}
