import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually, isAlive, within } from '@mp/conformance'
import { describe, it } from 'vitest'

interface Program {
  readonly child: ChildProcess
  readonly pids: { parent: number; child: number }
}

/** A program in its own process group, as a terminal starts it. */
async function start(target: string, daemon: 'yes' | 'no'): Promise<Program> {
  const path = fileURLToPath(new URL('./fixtures/orphans.mjs', import.meta.url))
  const child = spawn(process.execPath, [path, target, daemon], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const told = await within(new Promise<string>(resolve => child.stdout?.once('data', resolve)), 'the pids')
  return { child, pids: JSON.parse(told) }
}

async function end({ child }: Program): Promise<void> {
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch {
    // The whole group is gone.
  }
}

describe('when the parent is gone', () => {
  for (const target of ['busy', 'busyAtOnce', 'busyAtImport', 'busyBelow', 'idle']) {
    it(`a daemon ends by itself (${target})`, async ({ expect, onTestFinished }) => {
      const program = await start(target, 'yes')
      onTestFinished(() => end(program))
      expect(isAlive(program.pids.child)).toBe(true)
      process.kill(program.pids.parent, 'SIGKILL')
      await eventually(() => !isAlive(program.pids.child), 'the end of the daemon', 1_500)
    })
  }
})

describe('Ctrl-C', () => {
  for (const daemon of ['yes', 'no'] as const) {
    it(`leaves nothing behind (daemon: ${daemon})`, async ({ onTestFinished }) => {
      const program = await start('idle', daemon)
      onTestFinished(() => end(program))
      process.kill(-program.pids.parent, 'SIGINT')
      await eventually(() => !isAlive(program.pids.parent), 'the end of the parent', 1_500)
      await eventually(() => !isAlive(program.pids.child), 'the end of the child', 1_500)
    })
  }

  it('is for the parent to handle: its children go on', async ({ expect, onTestFinished }) => {
    const program = await start('idle', 'no')
    onTestFinished(() => end(program))
    process.kill(program.pids.child, 'SIGINT')
    // SIGSTOP comes after the other signal: when the child has stopped, it has handled that one.
    process.kill(program.pids.child, 'SIGCONT')
    await expect(eventually(() => !isAlive(program.pids.child), 'an end', 200)).rejects.toThrow('not within')
  })
})
