import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually, isAlive, patiently, within } from '@mp/conformance'
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
    it(`when it is killed (daemons: ${daemon})`, async ({ expect }) => {
      const { pids, exited, files } = await start('wait', daemon)
      expect(files().length).toBeGreaterThan(3)
      process.kill(pids[0] as number, 'SIGKILL')
      await within(exited, 'the end')
      await eventually(() => files().length === 0, 'the removal')
    })
  }

  const alone = fileURLToPath(new URL('./fixtures/alone.mjs', import.meta.url))
  for (const what of ['a listener', 'an open pipe', 'a daemon', 'a child']) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL'] as const) {
      it(`when ${signal} ends it, and all of its group (it has ${what})`, async ({ expect }) => {
        const folder = temporaryFolder()
        const program = spawn(process.execPath, [alone, what], {
          env: { ...process.env, TMPDIR: folder },
          stdio: ['ignore', 'pipe', 'inherit'],
          detached: true,
        })
        const exited = new Promise(resolve => program.once('exit', (_, by) => resolve(by)))
        await within(new Promise(resolve => program.stdout.once('data', resolve)), 'its start')
        expect(readdirSync(folder).length).toBe(1)
        process.kill(-(program.pid as number), signal)
        expect(await within(exited, 'the end')).toBe(signal)
        await eventually(() => readdirSync(folder).length === 0, 'the removal')
      })
    }
  }
})

const breaks = fileURLToPath(new URL('./fixtures/breaks.mjs', import.meta.url))

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unix-socket-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What the program tells. */
function run(args: readonly string[], folder: string, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, TMPDIR: folder }, cwd, timeout: patiently(15_000) }
    execFile(process.execPath, [breaks, ...args], options, (error, stdout) => {
      if (error) reject(error)
      else resolve(stdout.trim())
    })
  })
}

describe('a child that breaks off', () => {
  for (const [descriptor, what] of [
    ['3', 'its wire'],
    ['4', 'its lifeline'],
  ] as const) {
    it(`does not remove what the living program uses (${what})`, { timeout: patiently(20_000) }, async ({ expect }) => {
      const folder = temporaryFolder()
      expect(await run([descriptor], folder, folder)).toBe('"hello"')
    })
  }
})

describe('a program', () => {
  it('has children in another directory, if TMPDIR is relative', async ({ expect }) => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'elsewhere'))
    expect(await run(['nothing', join(folder, 'elsewhere')], '.', folder)).toBe('"hello"')
  })

  it('shows no secret in the environment of its children', async ({ expect }) => {
    const folder = temporaryFolder()
    expect(JSON.parse(await run(['environment'], folder, folder))).not.toHaveProperty('secret')
  })

  it('removes what killed programs have left, and nothing else', async ({ expect }) => {
    const folder = temporaryFolder()
    const make = (name: string) => {
      mkdirSync(join(folder, name))
      return join(folder, name, 'rendezvous')
    }
    const age = (name: string) => utimesSync(join(folder, name), 0, 0)
    const [left, used, foreign, young] = ['mp-Left00', 'mp-Used00', 'mp-Other0', 'mp-Young0'].map(make)
    const listen = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
    for (const path of [left, young] as string[]) {
      const killed = spawn(process.execPath, ['-e', listen, path], { stdio: 'ignore' })
      await within(new Promise(resolve => killed.once('exit', resolve)), 'the end')
    }
    const server = createServer().listen(used)
    onTestFinished(() => void server.close())
    await within(new Promise(resolve => server.once('listening', resolve)), 'listening')
    writeFileSync(foreign as string, 'somebody else')
    for (const name of ['mp-Left00', 'mp-Used00', 'mp-Other0']) age(name)
    expect(await run(['nothing'], folder, folder)).toBe('"hello"')
    expect(readdirSync(folder).sort()).toEqual(['mp-Other0', 'mp-Used00', 'mp-Young0'])
  })
})
