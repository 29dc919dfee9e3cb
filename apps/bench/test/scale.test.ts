import { expect, test } from 'vitest'
import { bench } from './command.js'

const scale = (args: readonly string[]) => bench(args, { program: 'scale-main' })

test.each([
  { args: ['--transprots', 'memory'], told: ["'--transprots'"] },
  { args: ['--transports', 'memry'], told: ["no transport 'memry'", "did you mean 'memory'?"] },
  { args: ['--settle', 'long'], told: ['long is no number of seconds'] },
  { args: ['memory'], told: ['too many arguments'] },
])('$args is refused with one line and exit code 2', async ({ args, told }) => {
  const { code, stdout, stderr } = await scale(args)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^error: [^\n]+\n$/)
  for (const text of told) expect(stderr).toContain(text)
  expect(code).toBe(2)
})

test('--help names its flags', async () => {
  const { code, stdout } = await scale(['--help'])
  for (const text of ['--transports', '--settle', 'memory']) expect(stdout).toContain(text)
  expect(code).toBe(0)
})

test('a run tells what each thing costs on a transport', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await scale(['--transports', 'memory', '--settle', '0'])
  expect(stderr).toBe('memory\n')
  for (const row of ['Queue, idle, KB', 'Lock, dropped', 'Pipe: 1,000 through 10', 'Pool: workers', '100 Queues'])
    expect(stdout).toContain(row)
  // Of 500 handles that were dropped nothing is left.
  for (const kind of ['Queue', 'Pipe', 'Lock']) {
    const left = Number(new RegExp(`${kind}, dropped without close\\(\\), KB\\s+│\\s+(\\S+)`).exec(stdout)?.[1])
    expect(left).toBeLessThan(3)
  }
  expect(code).toBe(0)
})
