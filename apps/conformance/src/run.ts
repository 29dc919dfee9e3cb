import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type CaseOutcome, planned, type TransportOutcome } from './outcomes.js'
import { loadTransport } from './transports.js'

const suite = fileURLToPath(new URL('./suite.js', import.meta.url))

/** Results that node:test adds for the file and for each group. Their failures repeat those of the cases. */
const isSummary = (details: { type?: string }, name: string) => details.type === 'suite' || name === suite

interface Verdict {
  readonly state: 'passed' | 'failed' | 'skipped'
  readonly ms: number
  readonly error?: string
}

/** Runs the suite in a separate process. `note` is called with the name of each case when it has ended. */
export async function runOn(transport: string, note: (name: string) => void): Promise<TransportOutcome> {
  const { context } = await loadTransport(transport)
  const plan = planned(transport, context)
  process.env.MP_CONFORMANCE_TRANSPORT = transport
  const verdicts = new Map<string, Verdict>()
  let crash: string | undefined
  for await (const { type, data } of run({ files: [suite], concurrency: 1 })) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const { name, details, skip } = data
    if (isSummary(details, name)) {
      if (name === suite && type === 'test:fail') crash = 'the program that ran the suite ended with a failure'
      continue
    }
    const state = skip ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    const error = type === 'test:fail' ? stackOf(details.error) : undefined
    // The checks between the groups all have one name. A failure is kept.
    if (verdicts.get(name)?.state !== 'failed')
      verdicts.set(name, { state, ms: details.duration_ms, ...(error && { error }) })
    note(name)
  }
  const cases = plan.cases.map((each): CaseOutcome => {
    const title = each.skipped ? `${each.name} (skip: needs ${each.skipped})` : each.name
    const verdict = verdicts.get(title)
    verdicts.delete(title)
    return { ...each, ...(verdict ?? { state: 'failed', error: 'it never ran' }) }
  })
  const others = [...verdicts].flatMap(([name, { error }]) => (error ? [{ name, error }] : []))
  const explained = others.length > 0 || cases.some(each => each.state === 'failed')
  if (crash && !explained) others.push({ name: 'the suite', error: crash })
  return { ...plan, cases, others }
}

/** The stack of what the test threw; node:test wraps that. */
function stackOf(error: Error): string {
  const { cause } = error
  return cause instanceof Error ? String(cause.stack) : String(cause ?? error.stack)
}
