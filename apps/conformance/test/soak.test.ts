import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { patiently } from '@mp/conformance'
import { describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/soak.js', import.meta.url))

function soak(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { timeout: patiently(110_000) },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

describe('pnpm soak', () => {
  test.each([
    { args: ['x'], told: 'the time is a whole number above 0' },
    { args: ['--transport', 'memry'], told: "did you mean 'memory'?" },
    { args: ['--sed', '1'], told: 'did you mean --seed?' },
  ])('$args is refused with one line and exit code 2', async ({ args, told }) => {
    const { code, stdout, stderr } = await soak(...args)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^error: [^\n]+\n$/)
    expect(stderr).toContain(told)
    expect(code).toBe(2)
  })

  test('--help names all options', async () => {
    const { code, stdout } = await soak('--help')
    for (const text of ['[seconds]', '--transport', '--seed', '--scene', 'Exit code']) expect(stdout).toContain(text)
    expect(code).toBe(0)
  })

  test('a second of it tells the seed and all counts in one line', { timeout: patiently(120_000) }, async () => {
    const { code, stdout, stderr } = await soak('1', '-t', 'memory', '--seed', '7')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^memory: seed 7, .* [1-9]\d* items, .* 0 violations\n$/)
    expect(code).toBe(0)
  })
})
