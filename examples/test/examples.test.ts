import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

const directory = new URL('../', import.meta.url)

const transports = Object.keys(packageJson.dependencies)
  .map(name => name.replace('@mp/', ''))
  .sort()

/** All that a program prints, and what must hold between its parts. */
interface Example {
  readonly output: RegExp
  check?(parts: Record<string, string>): void
}

const squares: Example = { output: /^0\n1\n4\n9\n16\n$/ }

const examples: Record<string, Example> = {
  'serial-and-parallel': {
    output: /^serial: (?<serial>\d\.\d) s\nparallel: (?<parallel>\d\.\d) s\n$/,
    check({ serial, parallel }) {
      expect(Number(serial)).toBeGreaterThanOrEqual(5)
      expect(Number(parallel)).toBeGreaterThanOrEqual(1)
      // A busy machine starts five processes slowly. One after the other they would take more than 5 s.
      expect(Number(parallel)).toBeLessThan(4)
    },
  },
  'process-ids': {
    output:
      /^MainProcess: id (?<main>\d+), no parent\nProcess-1: id (?<child>\d+), child of MainProcess, id (?<parent>\d+)\n$/,
    check({ main, child, parent }) {
      expect(parent).toBe(main)
      expect(child).not.toBe(main)
    },
  },
  'is-alive': {
    output:
      /^before: alive false, exit code null\nduring: alive true, exit code null\nafter: alive false, exit code 0\n$/,
  },
  'queue-squares': squares,
  'pipe-squares': squares,
  'one-way-pipe': {
    output:
      /^reader: readable true, writable false\nwriter: readable false, writable true\nhello from the child\nMP_INVALID_STATE: this end of the pipe is read-only\n$/,
  },
  'pool-map': {
    output: /^worker: PoolWorker-[12]\nmap: 0 1 4 9 16\nimap: 0 1 4 9 16 25 36 49\nTypeError: not a number: two\n$/,
  },
  'producer-consumers': {
    output: /^Consumer-1 took (?<first>[\d ]*)\nConsumer-2 took (?<second>[\d ]*)\nall: (?<all>[\d ]*)\n$/,
    check({ first, second, all }) {
      const items = Array.from({ length: 20 }, (_, item) => item)
      const taken = [numbers(first), numbers(second)]
      // Each consumer sees the items in the order of their puts.
      for (const each of taken) expect(each).toEqual(each.toSorted((a, b) => a - b))
      expect(taken.flat().sort((a, b) => a - b)).toEqual(items)
      expect(numbers(all)).toEqual(items)
    },
  },
  'lock-counter': {
    output: /^without a lock: (?<without>\d+)\nwith a lock: 400\n$/,
    check({ without }) {
      // Some counts get lost, mostly about half; none counts twice.
      expect(Number(without)).toBeGreaterThan(0)
      expect(Number(without)).toBeLessThanOrEqual(400)
    },
  },
}

describe.concurrent.each(transports)('on %s', transport => {
  it.for(Object.entries(examples))('%s', async ([name, { output, check }], { expect }) => {
    const { stdout, ...rest } = await run(`${name}.mjs`, transport)
    expect(rest).toEqual({ stderr: '', code: 0, signal: null, leftOver: false })
    expect(stdout).toMatch(output)
    check?.(output.exec(stdout)?.groups ?? {})
  })

  it.skipIf(process.platform === 'win32')('ends promptly on Ctrl-C', async ({ expect }) => {
    const program = start('test/fixtures/endless.mjs', transport)
    const ended = end(program)
    await once(program.stdout as NodeJS.EventEmitter, 'data')
    const interrupted = performance.now()
    // A terminal sends the signal to every process of the group.
    process.kill(-(program.pid as number), 'SIGINT')
    expect(await ended).toEqual({ stdout: 'ready\n', stderr: '', code: null, signal: 'SIGINT', leftOver: false })
    expect(performance.now() - interrupted).toBeLessThan(2000)
  })
})

describe.concurrent('examples', () => {
  it('run on worker-threads unless told otherwise', async ({ expect }) => {
    const { stdout, stderr } = await run('process-ids.mjs')
    // The ids of threads are larger than 2 ** 22, and smaller than those of children in the same thread.
    expect(Number(/^Process-1: id (\d+)/m.exec(stdout)?.[1]) >> 22).toBe(1)
    expect(stderr).toBe('')
  })

  it('can mix transports in one program', async ({ expect }) => {
    const { stdout, ...rest } = await run('test/fixtures/all-transports.mjs')
    expect(rest).toEqual({ stderr: '', code: 0, signal: null, leftOver: false })
    const sums = Array(5).fill(124_750).join(' ')
    const names = ['workerThreads', 'childProcess', 'sharedArrayBuffer', 'unixSocket']
    expect(stdout).toBe(names.map(name => `${name}: ${sums}\n`).join(''))
  })

  it('refuse an unknown transport in one line', async ({ expect }) => {
    const { stderr, ...rest } = await run('is-alive.mjs', 'pigeon')
    expect(rest).toEqual({ stdout: '', code: 2, signal: null, leftOver: false })
    const valid = /^Unknown transport 'pigeon': choose one of (.+)\n$/.exec(stderr)?.[1]
    expect(valid?.split(', ').sort()).toEqual(transports)
  })

  it('are all listed, with their output, in the README', ({ expect }) => {
    const readme = readFileSync(new URL('README.md', directory), 'utf8')
    const rows = readme.matchAll(/^\| \[(.+)\.mjs\]\(\1\.mjs\) +\| .+ \| (.+?) +\|$/gm)
    const documented = new Map(Array.from(rows, ([, name, output]) => [name, output?.replace(/`/g, '')]))
    const programs = readdirSync(directory)
      .filter(name => name.endsWith('.mjs') && name !== 'transport.mjs')
      .map(name => name.replace('.mjs', ''))
    expect([...documented.keys()].sort()).toEqual(programs)
    expect(Object.keys(examples).sort()).toEqual(programs)
    for (const [name, { output, check }] of Object.entries(examples)) {
      const shown = `${documented.get(name)?.replaceAll('<br>', '\n')}\n`
      expect(shown).toMatch(output)
      check?.(output.exec(shown)?.groups ?? {})
    }
  })
})

function numbers(list = ''): number[] {
  return list.split(' ').filter(Boolean).map(Number)
}

/** Runs `node <program> [transport]` to its end. */
function run(program: string, ...args: string[]): Promise<Ending> {
  return end(start(program, ...args))
}

/** A group of its own, so that what outlives the program can be found. */
function start(program: string, ...args: string[]): ChildProcess {
  const { MP_EXAMPLE_TRANSPORT: _, ...env } = process.env
  const path = fileURLToPath(new URL(program, directory))
  return spawn(process.execPath, [path, ...args], { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

interface Ending {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether a process of the program's group went on running. */
  readonly leftOver: boolean
}

async function end(program: ChildProcess): Promise<Ending> {
  const output = Promise.all([program.stdout, program.stderr].map(stream => text(stream as NodeJS.ReadableStream)))
  const [code, signal] = await once(program, 'exit')
  const leftOver = await outlives(program.pid as number)
  const [stdout, stderr] = (await output) as [string, string]
  return { stdout, stderr, code, signal, leftOver }
}

/** Children that end because their parent has may take a moment. What is left is killed. */
async function outlives(group: number): Promise<boolean> {
  const deadline = performance.now() + 1000
  try {
    while (performance.now() < deadline) {
      process.kill(-group, 0)
      if (onlyZombies(group)) return false
      await setTimeout(10)
    }
    process.kill(-group, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

/** What has ended, and waits for its new parent to take notice: how soon that does is the machine's affair. */
function onlyZombies(group: number): boolean {
  if (process.platform !== 'linux') return false
  const states = readdirSync('/proc').flatMap(pid => {
    try {
      const [state, , its] = /\) (\S) (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.slice(1) ?? []
      return Number(its) === group ? [state] : []
    } catch {
      return []
    }
  })
  return states.every(state => state === 'Z')
}
