import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { shapes } from '../src/patterns/index.js'
import type { Results } from '../src/results.js'
import { bench, type Ended } from './command.js'

interface Measured extends Ended {
  readonly report: Results
}

const test = base.extend<{ measure: (args: readonly string[], env?: Record<string, string>) => Promise<Measured> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures that are wanted from this pattern
  measure: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'))
    await use(async (args, env = {}) => {
      const ended = await bench(['--quick', ...args], { cwd: folder, env })
      expect(ended.code, ended.stderr).toBe(0)
      return { ...ended, report: JSON.parse(await readFile(join(folder, 'bench-results.json'), 'utf8')) }
    })
    await rm(folder, { recursive: true })
  },
})

const names = shapes.map(({ name }) => name)
const severalConsumers = ['queue-1-to-4', 'queue-4-to-4']
/** Neither Python nor a tool that gives cores to threads: this is about messages, not about figures. */
const alone = { PATH: '' }

function expectChecked({ report, stdout }: Measured, wanted: readonly string[]): void {
  expect(report.results.map(({ pattern }) => pattern).sort()).toEqual([...wanted].sort())
  for (const { pattern, value, rounds, checked } of report.results) {
    expect(value, pattern).toBeGreaterThan(0)
    expect(checked, pattern).toBeGreaterThanOrEqual(rounds)
    expect(stdout).toContain(pattern)
  }
}

test('memory: each shape is measured, and its messages are checked', { timeout: 40_000 }, async ({ measure }) => {
  expectChecked(await measure(['--transports', 'memory', '--patterns', 'shapes'], alone), names)
})

test('worker-threads: each shape with one consumer, likewise', { timeout: 40_000 }, async ({ measure }) => {
  const wanted = names.filter(name => !severalConsumers.includes(name))
  expectChecked(await measure(['--transports', 'worker-threads', '--patterns', wanted.join(',')], alone), wanted)
})

test('worker-threads: each shape with several consumers, likewise', { timeout: 40_000 }, async ({ measure }) => {
  const wanted = severalConsumers
  expectChecked(await measure(['--transports', 'worker-threads', '--patterns', wanted.join(',')], alone), wanted)
})

test.skipIf(!hasPython())('Python does each shape in the same run', { timeout: 40_000 }, async ({ measure }) => {
  const { report } = await measure(['--transports', 'memory', '--patterns', 'shapes'])
  expect(report.notes).toEqual([])
  for (const { pattern, references = [] } of report.results)
    expect(references.at(-1), pattern).toMatchObject({ name: `python ${pattern}`, value: expect.any(Number) })
})

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
