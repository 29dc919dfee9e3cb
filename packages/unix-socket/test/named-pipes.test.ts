import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { eventually, isAlive, patiently } from '@mp/conformance'
import { describe, it, onTestFinished } from 'vitest'

const preload = new URL('./fixtures/as-on-windows.mjs', import.meta.url)
const everything = fileURLToPath(new URL('./fixtures/everything.mjs', import.meta.url))

/** Takes the way through the code that Windows takes. The packages were never tried on Windows itself. */
describe('where a pipe has a name, and no descriptor', () => {
  const parts = ['producers', 'sizes', 'siblings', 'lastWords', 'death']
  for (const [name, expected] of [
    ['@mp/child-process', parts],
    ['@mp/unix-socket', [...parts, 'strangers']],
  ] as const) {
    it(`${name} does all but write while it exits`, { timeout: patiently(60_000) }, async ({ expect }) => {
      const folder = mkdtempSync(join(tmpdir(), 'named-pipes-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const program = spawn(process.execPath, [`--import=${preload}`, everything, name], {
        env: { ...process.env, TEMP: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      onTestFinished(() => void program.kill('SIGKILL'))
      const ended = new Promise(resolve => program.once('exit', resolve))
      const [code, output] = await Promise.all([ended, text(program.stdout)])
      const [, pid] = /spinning (\d+)\n$/.exec(output) ?? []
      expect({ code, output }).toEqual({
        code: 0,
        output: `${expected.join('\n')}\nspinning ${pid}\n`,
      })
      await eventually(() => !isAlive(Number(pid)), 'the end of the daemon that spins')
    })
  }
})
