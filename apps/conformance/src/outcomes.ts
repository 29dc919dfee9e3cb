import { type PlannedCase, plan, type Row, rows } from '@mp/conformance'
import type { TransportPackage } from './transports.js'

export interface CaseOutcome extends PlannedCase {
  /** 'planned': nothing has run. */
  readonly state: 'passed' | 'failed' | 'skipped' | 'planned'
  readonly ms?: number
  /** The failure's stack. */
  readonly error?: string
}

/** What came of a transport. */
export interface TransportOutcome {
  readonly transport: string
  readonly cases: readonly CaseOutcome[]
  /** Failures that belong to no case: leaks between groups, a crash. */
  readonly others: readonly { readonly name: string; readonly error: string }[]
  /** The names that its package exports: a row about another is not due. */
  readonly vocabulary: ReadonlySet<string>
}

type RowState = 'pass' | 'fail' | 'skip' | 'planned' | 'missing' | 'not due'

export interface RowOutcome {
  readonly state: RowState
  /** How many cases ran, or would. */
  readonly count: number
  /** What was missing where all are skipped. */
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

/** Nothing fails, and no row that must have a case is without. */
export function isConforming(outcomes: readonly TransportOutcome[]): boolean {
  return outcomes.every(
    outcome =>
      outcome.others.length === 0 &&
      outcome.cases.every(each => each.state !== 'failed') &&
      rows.every(row => row.level === 'MAY' || outcomeOf(row, outcome).state !== 'missing'),
  )
}
