import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { patiently } from '@mp/conformance'
import { describe, expect, test } from 'vitest'
import { all } from './broken/all.mjs'

const run = fileURLToPath(new URL('./broken/run.mjs', import.meta.url))

/** Runs the cases in a new process. Gives the outcome of each: null if it passed, else why it failed. */
async function outcomes(what: string): Promise<Record<string, string | null>> {
  const { stdout } = await promisify(execFile)(process.execPath, [run, what], {
    // ms. Short, since a fault often shows as something that never comes.
    env: { ...process.env, MP_CONFORMANCE_PATIENCE: '1000' },
    timeout: patiently(40_000),
    killSignal: 'SIGKILL',
  })
  return JSON.parse(stdout)
}

describe.concurrent('a suite that does not fail a broken transport is no suite', () => {
  test.each(Object.keys(all))('%s', { timeout: patiently(45_000) }, async name => {
    const came = Object.entries(await outcomes(name))
    expect(came).toHaveLength(all[name]?.fails.length as number)
    for (const [where, why] of came) expect(why, `"${where}" passes`).toEqual(expect.any(String))
  })

  test('without a fault they all pass', { timeout: patiently(45_000) }, async () => {
    const came = Object.entries(await outcomes('sound'))
    expect(came.filter(([, why]) => why !== null)).toEqual([])
    expect(came.length).toBeGreaterThan(20)
  })
})
