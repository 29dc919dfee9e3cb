import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { it } from 'vitest'

function start(program: string, address: string, key: string): ChildProcess {
  const path = fileURLToPath(new URL(`../shared-queue/${program}.mjs`, import.meta.url))
  return spawn(process.execPath, [path, address], {
    env: { ...process.env, SHARED_QUEUE_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function end(program: ChildProcess): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const output = Promise.all([program.stdout, program.stderr].map(stream => text(stream as NodeJS.ReadableStream)))
  const [code] = await once(program, 'exit')
  const [stdout, stderr] = (await output) as [string, string]
  return { stdout, stderr, code }
}

it.skipIf(process.platform === 'win32')(
  'shared-queue: two programs share queues by address and key',
  async ({ expect, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'shared-queue-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const address = join(folder, 'socket')
    const server = start('serve', address, 'the key')
    const served = end(server)
    await once(server.stdout as NodeJS.EventEmitter, 'data')
    const stranger = await end(start('work', address, 'another key'))
    expect(stranger.code).toBe(1)
    expect(stranger.stderr).toContain('MP_AUTH')
    expect(await end(start('work', address, 'the key'))).toEqual({
      stdout: 'worked on 10 tasks\n',
      stderr: '',
      code: 0,
    })
    expect(await served).toMatchObject({ stderr: '', code: 0 })
    expect(existsSync(address)).toBe(false)
  },
)
