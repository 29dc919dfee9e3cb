import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** ms. About 100 s on two cores that have nothing else to do. */
const LONGEST = 700_000

// The suite runs under node:test here: it must need no particular runner.
test('passes the suite, under node:test', { timeout: LONGEST }, async () => {
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', 'test/conformance.js'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: LONGEST - 10_000,
    killSignal: 'SIGKILL',
  })
  let report = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    report += text
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  const failures = report.split('\n').filter(line => /^\s*not ok /.test(line))
  expect(failures, report).toEqual([])
  expect(Number(/^# pass (\d+)$/m.exec(report)?.[1])).toBeGreaterThan(200)
  expect(code).toBe(0)
})
