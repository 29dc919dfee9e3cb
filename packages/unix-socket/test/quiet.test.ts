import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { eventually, isAlive, within } from '@mp/conformance'
import { describe, it, onTestFinished } from 'vitest'

const ROUNDS = 2
const path = fileURLToPath(new URL('./fixtures/middle.mjs', import.meta.url))

/** Runs a program whose children are in the middle of puts and gets, until `end`. Gives what it, and they, wrote to stderr. */
async function run(transport: string, daemon: 'yes' | 'no', end: (main: number) => void): Promise<string> {
  const program = spawn(process.execPath, [path, transport, daemon], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const main = program.pid as number
  const stderr = text(program.stderr)
  onTestFinished(() => {
    try {
      process.kill(-main, 'SIGKILL')
    } catch {
      // All of its group have ended.
    }
  })
  const [told] = await within(once(program.stdout, 'data'), 'the pids', 30_000)
  const pids = JSON.parse(String(told)) as number[]
  end(main)
  for (const pid of pids) await eventually(() => !isAlive(pid), `the end of ${pid}`, 10_000)
  // It ends when the last process that has it has ended.
  return within(stderr, 'the end of stderr')
}

const ends: Record<string, (main: number) => void> = {
  'Ctrl-C': main => process.kill(-main, 'SIGINT'),
  'SIGTERM to the main process': main => process.kill(main, 'SIGTERM'),
  'SIGKILL to the main process': main => process.kill(main, 'SIGKILL'),
}

describe('children whose program ends say nothing of it', { timeout: 90_000 }, () => {
  for (const transport of ['@mp/unix-socket', '@mp/child-process']) {
    for (const daemon of ['yes', 'no'] as const) {
      for (const [what, end] of Object.entries(ends)) {
        it(`${transport}: ${what} (daemons: ${daemon})`, async ({ expect }) => {
          for (let i = 0; i < ROUNDS; i++) expect(await run(transport, daemon, end)).toBe('')
        })
      }
    }
  }
})
