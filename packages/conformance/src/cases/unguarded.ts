import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { group, needs } from '../case.js'
import type { ProgramResult } from '../program.js'
import type { Trial } from '../trial.js'

const ADVICE = /isMainProcess/
const preloaded = new URL('../programs/preloaded.js', import.meta.url)

/** Runs a program that notes its runs, with the notes that it made. */
async function noted(
  t: Trial,
  program: string,
  how: string,
  flags: readonly string[] = [],
): Promise<ProgramResult & { notes: string }> {
  const runs = t.file(`runs ${how}`)
  writeFileSync(runs, '')
  const settings = { MP_CONFORMANCE_HOW: how, MP_CONFORMANCE_RUNS: runs }
  const result = await t.program(program, settings, { flags })
  return { ...result, notes: readFileSync(runs, 'utf8') }
}

async function isRefused(t: Trial, how: string): Promise<void> {
  const { notes, stderr, signal } = await noted(t, 'unguarded-late', how)
  assert.equal(signal, null, `${how}: a hang`)
  assert.match(stderr, ADVICE, how)
  assert.match(notes, /^mc{1,4}$/, how)
}

export const unguarded = group('Process: programs without a guard', {
  'P61 a Process that is started without a guard, at top level or later, starts no storm': needs(
    'isolation',
    async t => {
      for (const how of ['at top level', 'after awaits', 'after timers']) await isRefused(t, how)
    },
  ),

  'P61 a Pool that is used without a guard, at top level or later, starts no storm': needs('isolation', async t => {
    for (const how of ['pool at top level', 'pool after awaits', 'pool after timers']) await isRefused(t, how)
  }),

  'P61 a preloaded module that starts a process, at once or later, starts no storm': needs('isolation', async t => {
    for (const how of ['top level', 'timers']) {
      const { notes, stderr, signal } = await noted(t, 'one-file', how, ['--import', preloaded.href])
      assert.equal(signal, null, `${how}: a hang`)
      assert.match(stderr, ADVICE, how)
      assert.match(notes, /^true\n(false\n){1,3}$/, how)
    }
  }),

  'P62 isMainProcess is false in what a child preloads': needs('isolation', async t => {
    const required = t.file('required.cjs')
    writeFileSync(
      required,
      `import(process.env.MP_CONFORMANCE_MODULE).then(({ isMainProcess }) =>
        require('node:fs').appendFileSync(process.env.MP_CONFORMANCE_RUNS, isMainProcess + '\\n'))`,
    )
    for (const flags of [
      ['--import', preloaded.href],
      ['--require', required],
    ]) {
      const { code, notes, stderr, stdout } = await noted(t, 'one-file', 'guarded', flags)
      assert.equal(stderr, '')
      assert.equal(stdout, '0,1,4,9,16\n')
      assert.equal(code, 0)
      assert.equal(notes, 'true\nfalse\n')
    }
  }),

  "P64 a child gets the program's arguments": needs('isolation', async t => {
    const args = ['one', '--two=2', '']
    const { stdout, stderr } = await t.program('arguments', {}, { args })
    assert.equal(stderr, '')
    assert.deepEqual(JSON.parse(stdout), args)
  }),

  'P64 a child of code that was given to Node as a flag runs its target, and not that code': needs(
    'isolation',
    async t => {
      const target = { module: new URL('../targets.js', import.meta.url).href, export: 'give' }
      const code = `const { Process } = await import(${JSON.stringify(t.module)})
        console.log(await Process.run(${JSON.stringify(target)}, 'given'))`
      const flags = ['--input-type=module', '--eval', code]
      const run = promisify(execFile)(process.execPath, flags, {
        timeout: 10_000,
        env: { ...process.env, NODE_OPTIONS: '--input-type=module' },
      })
      assert.deepEqual(await run, { stdout: 'given\n', stderr: '' })
    },
  ),
})
