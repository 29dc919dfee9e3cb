import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { patiently, rows } from '@mp/conformance'
import { describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function conformance(args: readonly string[], cwd?: string): Promise<Ended> {
  const { INIT_CWD: _, ...inherited } = process.env
  return new Promise(resolve => {
    const env = { ...inherited, NO_COLOR: '1' }
    const child = execFile(
      process.execPath,
      [main, ...args],
      { cwd, env, timeout: patiently(240_000) },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

describe('pnpm conformance', () => {
  test.each([
    { args: ['--lst'], told: ["'--lst'", 'did you mean --list?'] },
    { args: ['--transports', 'memry'], told: ["no transport 'memry'", "did you mean 'memory'?", 'worker-threads'] },
    { args: ['--transports', ','], told: ['name at least one of'] },
    { args: ['--seed', 'x'], told: ['a seed is a whole number'] },
    { args: ['memory'], told: ['too many arguments'] },
  ])('$args is refused with one line and exit code 2', async ({ args, told }) => {
    const { code, stdout, stderr } = await conformance(args)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^error: [^\n]+\n$/)
    for (const text of told) expect(stderr).toContain(text)
    expect(code).toBe(2)
  })

  test('--help says which figures are those of a run', async () => {
    const { code, stdout } = await conformance(['--help'])
    expect(code).toBe(0)
    for (const text of ['--transports', '--list', '--seed', '--json', 'have just run', 'nothing has run', 'Exit code'])
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(text)
  })

  test('--list prints every row of every transport, and runs nothing', async () => {
    const { code, stdout, stderr } = await conformance(['--list'])
    expect(stderr).toBe('')
    for (const { id } of rows) expect(stdout).toMatch(new RegExp(`^│ ${id} `, 'm'))
    for (const name of ['memory', 'worker-threads', 'child-process'])
      expect(stdout).toMatch(new RegExp(`^${name}: .*nothing has run`, 'm'))
    expect(stdout).not.toMatch(/pass \d/)
    expect(code).toBe(0)
  })

  test('a run prints what came of each row, and writes it to a file', { timeout: patiently(250_000) }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mp-conformance-app-'))
    try {
      const { code, stdout } = await conformance(['-t', 'memory', '--json', 'table.json', '--seed', '7'], folder)
      expect(stdout).toMatch(/^memory: \d+ passed, 0 failed, \d+ skipped/m)
      const { seed, rows: written } = JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8'))
      expect(seed).toBe(7)
      const states = new Map(written.map(({ id, transports }: Written) => [id, transports.memory]))
      expect(states.get('Q2')).toMatchObject({ state: 'pass', count: 3 })
      expect(states.get('P31')).toMatchObject({ state: 'skip', skipped: "isolation 'thread' or 'process'" })
      expect(code).toBe(0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

interface Written {
  readonly id: string
  readonly transports: { readonly memory: { readonly state: string; readonly cases: readonly unknown[] } }
}
