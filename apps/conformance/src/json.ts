import { writeFileSync } from 'node:fs'
import { rows } from '@mp/conformance'
import { outcomeOf, type TransportOutcome } from './outcomes.js'

/** `{ rows: [{ id, level, section, text, transports: { memory: { state, cases: [...] } } }], transports: [...] }` */
export function writeJson(path: string, outcomes: readonly TransportOutcome[], seed: number): void {
  const table = rows.map(row => ({
    ...row,
    transports: Object.fromEntries(
      outcomes.map(outcome => {
        const cases = outcome.cases.filter(each => each.rows.includes(row.id))
        return [outcome.transport, { ...outcomeOf(row, outcome), cases }]
      }),
    ),
  }))
  const others = outcomes.map(({ transport, cases, others }) => ({
    transport,
    casesWithoutRow: cases.filter(each => each.rows.length === 0),
    others,
  }))
  writeFileSync(path, `${JSON.stringify({ node: process.version, seed, rows: table, transports: others }, null, 2)}\n`)
}
