import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually, isAlive, within } from '@mp/conformance'
import { describe, it, onTestFinished } from 'vitest'

/** Starts the program. Gives its temporary directory, and all pids, its own first. */
async function start(how: string, daemon: 'yes' | 'no') {
  const folder = mkdtempSync(join(tmpdir(), 'unix-socket-test-'))
  const path = fileURLToPath(new URL('./fixtures/program.mjs', import.meta.url))
  const child = spawn(process.execPath, [path, how, daemon], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const told = await within(new Promise<string>(resolve => child.stdout.once('data', resolve)), 'the pids')
  const pids = JSON.parse(told) as number[]
  onTestFinished(() => {
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  return { pids, exited, files: () => readdirSync(folder, { recursive: true }) }
}

describe('a program leaves no socket behind', () => {
  for (const how of ['end', 'exit', 'throw', 'lost child']) {
    it(`when it ends by: ${how}`, async ({ expect }) => {
      const { pids, exited, files } = await start(how, 'yes')
      await within(exited, 'the end')
      for (const pid of pids) await eventually(() => !isAlive(pid), `the end of ${pid}`)
      expect(files()).toEqual([])
    })
  }

  for (const daemon of ['yes', 'no'] as const) {
    it(`but its listener's when it is killed (daemons: ${daemon})`, async ({ expect }) => {
      const { pids, exited, files } = await start('wait', daemon)
      expect(files().length).toBeGreaterThan(3)
      process.kill(pids[0] as number, 'SIGKILL')
      await within(exited, 'the end')
      // A listener may be anywhere. The next listener at the address replaces the socket that is left there.
      await eventually(() => files().length === 2, 'the removal of what the contexts used')
      expect(files().some(each => String(each).endsWith('listener'))).toBe(true)
    })
  }
})
