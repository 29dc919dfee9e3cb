import { type Row, rows } from '@mp/conformance'
import Table from 'cli-table3'
import pc from 'picocolors'
import { outcomeOf, type RowOutcome, type TransportOutcome } from './outcomes.js'

/** Prints the outcome of each row on each transport, then the failures, then the counts. */
export function printTable(outcomes: readonly TransportOutcome[], out: NodeJS.WritableStream): void {
  const reasons: string[] = []
  const table = new Table({
    head: ['row', 'level', 'what holds', ...outcomes.map(each => each.transport)],
    style: { head: [], border: [], compact: true },
    colWidths: [null, null, 62],
    wordWrap: true,
  })
  let section = ''
  for (const row of rows) {
    if (row.section !== section) table.push([{ colSpan: 3 + outcomes.length, content: pc.bold(row.section) }])
    section = row.section
    const cells = outcomes.map(each => cell(outcomeOf(row, each), row, reasons))
    table.push([row.id, row.level, row.text, ...cells])
  }
  out.write(`${table}\n`)
  for (const [index, reason] of reasons.entries()) out.write(`skip ${index + 1}: needs ${reason}\n`)
  for (const outcome of outcomes) printFailures(outcome, out)
  for (const outcome of outcomes) out.write(`${summary(outcome)}\n`)
}

function cell({ state, count, skipped }: RowOutcome, { level, part }: Row, reasons: string[]): string {
  switch (state) {
    case 'pass':
      return pc.green(`pass ${count}`)
    case 'fail':
      return pc.red('FAIL')
    case 'planned':
      return `${count} ${count === 1 ? 'case' : 'cases'}`
    case 'missing':
      return level === 'MAY' ? pc.dim('missing') : pc.red('missing')
    case 'not due':
      return pc.dim(`no ${part}`)
    case 'skip': {
      const reason = skipped as string
      if (!reasons.includes(reason)) reasons.push(reason)
      return pc.yellow(`skip ${reasons.indexOf(reason) + 1}`)
    }
  }
}

function printFailures({ transport, cases, others }: TransportOutcome, out: NodeJS.WritableStream): void {
  const failed = [...cases.filter(each => each.state === 'failed'), ...others]
  for (const { name, error } of failed) out.write(`\n${pc.red('FAIL')} ${transport}: ${name}\n${indent(error ?? '')}\n`)
}

function summary({ transport, cases, others }: TransportOutcome): string {
  const count = (state: string) => cases.filter(each => each.state === state).length
  const planned = count('planned')
  if (planned > 0) return `${transport}: ${planned} cases, ${count('skipped')} skipped; nothing has run`
  const seconds = cases.reduce((sum, { ms = 0 }) => sum + ms, 0) / 1000
  return `${transport}: ${count('passed')} passed, ${count('failed') + others.length} failed, ${count('skipped')} skipped in ${seconds.toFixed(1)} s`
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
