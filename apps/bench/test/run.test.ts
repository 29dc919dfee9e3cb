import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { bench } from './command.js'

const test = base.extend<{ folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures that are wanted from this pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'))
    await use(folder)
    await rm(folder, { recursive: true })
  },
})

const narrow = ['--quick', '--transports', 'memory', '--patterns', 'ping-pong', '--payloads', 'small']

test('a run prints a table and writes both reports where the user is', async ({ folder }) => {
  const { code, stdout, stderr } = await bench(narrow, { cwd: '/', env: { INIT_CWD: folder } })
  expect(stderr).toBe('[1/1] ping-pong, memory\n')
  expect(code).toBe(0)
  expect((await readdir(folder)).sort()).toEqual(['bench-report.html', 'bench-results.json'])

  expect(stdout).toMatch(/small object +memory +[\d.]+ µs/)
  expect(stdout).toContain(join(folder, 'bench-report.html'))
  expect(stdout).toContain(join(folder, 'bench-results.json'))
  expect(stdout).not.toContain('\u001b')

  const { schema, environment, results, notes } = JSON.parse(await readFile(join(folder, 'bench-results.json'), 'utf8'))
  expect(schema).toBe(1)
  expect(notes).toEqual([])
  expect(environment).toMatchObject({
    quick: true,
    cpu: expect.any(String),
    cores: expect.any(Number),
    loadAverage: [expect.any(Number), expect.any(Number), expect.any(Number)],
    node: process.versions.node,
    codec: expect.stringContaining('msgpackr'),
    packages: { '@mp/core': expect.any(String), '@mp/memory': expect.any(String) },
    payloads: { small: expect.any(String) },
    inFlight: { 'ping-pong': '1' },
  })
  expect(results).toHaveLength(1)
  expect(results[0]).toMatchObject({
    pattern: 'ping-pong',
    transport: 'memory',
    payload: 'small',
    metric: 'round-trip',
    unit: 'us',
    better: 'lower',
    baseline: { name: 'MessageChannel', value: expect.any(Number) },
  })
  const { value, p50, p99, max, samples, ratio, baseline } = results[0]
  expect(value).toBeGreaterThan(0)
  expect(p50).toBe(value)
  expect(p99).toBeGreaterThanOrEqual(p50)
  expect(max).toBeGreaterThanOrEqual(p99)
  expect(samples).toBeGreaterThan(10)
  expect(ratio).toBeCloseTo(value / baseline.value, 3)
})

test('the report is one file: it loads nothing and holds the figures', async ({ folder }) => {
  const files = ['--json', join(folder, 'numbers.json'), '--html', join(folder, 'report.html')]
  const { code } = await bench([...narrow, ...files])
  expect(code).toBe(0)
  const html = await readFile(join(folder, 'report.html'), 'utf8')
  expect(html).not.toMatch(/https?:\/\//)
  expect(html).not.toMatch(/\b(src|href)=|@import|url\(/)
  expect(html).toContain('<canvas id="ping-pong-ratio"')
  expect(html).toContain('prefers-color-scheme: dark')
  for (const text of ['small object', 'MessageChannel', 'Load average', process.versions.node])
    expect(html).toContain(text)
})

test('a terminal of 80 columns gets a table that fits', async ({ folder }) => {
  const { stdout } = await bench(narrow, { cwd: folder, env: { COLUMNS: '80' } })
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(stdout).toContain('Left out at 80 columns')
})

test('Ctrl-C ends the run at once with exit code 130 and without reports', async ({ folder }) => {
  const args = ['--quick', '--transports', 'memory,worker-threads', '--patterns', 'ping-pong']
  const { code, stdout, stderr } = await bench(args, {
    cwd: folder,
    onStderr: (text, kill) => text.includes('worker-threads') && kill(),
  })
  expect(code).toBe(130)
  expect(stdout).toBe('')
  expect(stderr).not.toContain('error')
  expect(await readdir(folder)).toEqual([])
})
