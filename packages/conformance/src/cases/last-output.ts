import assert from 'node:assert/strict'
import { group, needs } from '../case.js'
import type { ProgramOptions } from '../program.js'
import type { Trial } from '../trial.js'

/** Runs the program, and checks that every line came. Gives what it wrote to stderr. */
async function printsAll(
  t: Trial,
  how: string,
  stdio: 'inherit' | 'pipe',
  options: ProgramOptions = {},
): Promise<string> {
  const settings = { MP_CONFORMANCE_HOW: how, MP_CONFORMANCE_STDIO: stdio }
  const { code, stdout, stderr } = await t.program('last-output', settings, options)
  const prefix = stdio === 'inherit' ? /^/ : /^\[.*Process-1\] |^\[.*Worker-1\] /
  const numbers = stdout.split('\n').filter(line => prefix.test(line) && line.includes('line '))
  assert.equal(numbers.length, 3_000, `${how}, ${stdio}`)
  assert.match(numbers.at(-1) as string, /line 2999 -{80}$/)
  assert.equal(code, 0)
  assert.match(stderr, /joined after/)
  return stderr
}

const transfers = ['inherit', 'pipe'] as const

export const lastOutput = group('Process: output at the end', {
  'P60 what a child printed before it returned is all delivered': needs('isolation', async t => {
    for (const stdio of transfers) await printsAll(t, 'return', stdio)
  }),

  'P60 what a child printed before it threw is all delivered, and so is the error': needs('isolation', async t => {
    for (const stdio of transfers) assert.match(await printsAll(t, 'throw', stdio), /it threw/)
  }),

  'P60 what a child printed before an uncaught error is all delivered, and so is the error': needs(
    'isolation',
    async t => {
      for (const stdio of transfers) assert.match(await printsAll(t, 'uncaught', stdio), /it threw/)
    },
  ),

  "P60 what a pool's worker printed is all delivered": needs('isolation', async t => {
    for (const stdio of transfers) await printsAll(t, 'pool', stdio)
  }),

  'P60 what a child printed is all delivered to a reader who begins late': needs('isolation', async t => {
    for (const stdio of transfers) await printsAll(t, 'return', stdio, { reader: 'late' })
  }),

  'P60 a reader who is gone holds nobody up': needs('isolation', async t => {
    for (const stdio of transfers) {
      const settings = { MP_CONFORMANCE_HOW: 'return', MP_CONFORMANCE_STDIO: stdio, MP_CONFORMANCE_EXIT: 'yes' }
      const { code, stderr } = await t.program('last-output', settings, { reader: 'gone', ms: 10_000 })
      assert.match(stderr, /joined after/)
      assert.equal(code, 0)
    }
  }),

  'P60 a process that a child left behind, and that holds its output open, delays join() by a second at most': needs(
    'process',
    async t => {
      const settings = { MP_CONFORMANCE_HOW: 'leave', MP_CONFORMANCE_STDIO: 'pipe' }
      const { code, stdout, stderr } = await t.program('last-output', settings)
      const [, pid] = stdout.match(/\] (\d+)\n/) ?? []
      process.kill(Number(pid), 'SIGKILL')
      assert.match(stderr, /joined after/)
      assert.equal(code, 0)
    },
  ),
})
