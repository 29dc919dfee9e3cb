import { createContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { describe, expect, test } from 'vitest'
import { plan, rows } from '../src/index.js'

/** It is never started: the tests only read what it declares. */
const transport = {
  name: 'able to do everything',
  capabilities: {
    reach: 'host',
    isolation: 'process',
    sync: true,
    network: true,
    sharedMemory: true,
    attachments: true,
  },
  spawn() {
    throw new Error('nothing is started here')
  },
  network: {},
} as unknown as Transport

const cases = plan(transport)
const vocabulary = new Set(Object.keys(createContext(transport)))

describe('the rows and their cases', () => {
  test('every MUST and SHOULD row of what core offers has a case', () => {
    const covered = new Set(cases.flatMap(each => each.rows))
    const due = rows.filter(({ level, part }) => level !== 'MAY' && (!part || vocabulary.has(part)))
    expect(due.length).toBeGreaterThan(100)
    expect(due.filter(({ id }) => !covered.has(id)).map(({ id }) => id)).toEqual([])
  })

  test('every ID in the name of a case is that of a row', () => {
    const known = new Set(rows.map(({ id }) => id))
    expect(cases.flatMap(each => each.rows).filter(id => !known.has(id))).toEqual([])
  })

  test('IDs and names of cases are unique', () => {
    expect(repeated(rows.map(({ id }) => id))).toEqual([])
    expect(repeated(cases.map(({ name }) => name))).toEqual([])
  })

  test('a row is one line', () => {
    for (const { text } of rows) expect(text.length).toBeLessThan(120)
  })
})

function repeated(all: readonly string[]): string[] {
  return all.filter((each, index) => all.indexOf(each) !== index)
}
