import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, freemem, loadavg, release, totalmem, type } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { formsOf } from './baselines/baseline.js'
import { findSeats, type Seats } from './core.js'
import type { Pattern } from './patterns/pattern.js'
import type { Payload } from './payloads.js'
import { rivals } from './rivals/index.js'
import type { LoadedTransport } from './transports.js'

export interface Environment {
  readonly date: string
  readonly quick: boolean
  readonly cpu: string
  readonly cores: number
  /** Over 1, 5 and 15 minutes, before the run. */
  readonly loadAverage: readonly number[]
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number }
  readonly os: string
  readonly node: string
  readonly v8: string
  readonly python: string | null
  /** With '+' if the work tree differs from it; null outside of a git work tree. */
  readonly commit: string | null
  readonly codec: string
  /** The cores of parent and child; null if the scheduler decides. */
  readonly seats: Seats | null
  readonly packages: Readonly<Record<string, string>>
  readonly payloads: Readonly<Record<string, string>>
  readonly inFlight: Readonly<Record<string, string>>
  readonly baselines: Readonly<Record<string, string>>
  /** The smallest and the largest number of counted rounds per side, over all results. */
  readonly rounds: { readonly min: number; readonly max: number }
}

export interface Setting {
  readonly quick: boolean
  readonly transports: readonly LoadedTransport[]
  readonly patterns: readonly Pattern[]
  readonly payloads: readonly Payload[]
}

/** Reads what is known before the first round. `rounds` and `python` come with the results. */
export async function readEnvironment(setting: Setting): Promise<Omit<Environment, 'rounds' | 'python'>> {
  const { quick, transports, patterns, payloads } = setting
  return {
    date: new Date().toISOString(),
    quick,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    loadAverage: loadavg().map(load => Math.round(load * 100) / 100),
    memory: { total: totalmem(), free: freemem() },
    os: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    commit: await readCommit(),
    codec: readCodec(),
    seats: findSeats(),
    packages: readPackages([...transports.map(transport => `@mp/${transport.name}`), ...librariesOf(setting)]),
    payloads: Object.fromEntries(payloads.map(({ name, definition }) => [name, definition])),
    inFlight: Object.fromEntries(patterns.map(({ name, inFlight }) => [name, inFlight])),
    baselines: Object.fromEntries(
      transports.flatMap(({ baseline }) => formsOf(baseline)).map(({ name, description }) => [name, description]),
    ),
  }
}

/** The other libraries that are measured. */
function librariesOf({ patterns, transports }: Setting): string[] {
  const measured = new Set(
    patterns.flatMap(pattern =>
      transports.flatMap(transport => pattern.rivals?.(transport, 'small') ?? []).map(({ name }) => name),
    ),
  )
  return rivals.map(({ name }) => name).filter(name => measured.has(name))
}

async function readCommit(): Promise<string | null> {
  const git = (...args: string[]) =>
    promisify(execFile)('git', args, { cwd: dirname(fileURLToPath(import.meta.url)), timeout: 5000 })
  try {
    const { stdout: commit } = await git('rev-parse', '--short', 'HEAD')
    const { stdout: changes } = await git('status', '--porcelain', '--untracked-files=no')
    return commit.trim() + (changes.trim() ? '+' : '')
  } catch {
    return null
  }
}

function readPackages(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    ['@mp/core', ...names].map(name => [name, versionOf(fileURLToPath(import.meta.resolve(name)))]),
  )
}

/** msgpackr as core finds it, and whether its native part is there, which makes messages with many strings several times faster. */
function readCodec(): string {
  try {
    const fromCore = createRequire(import.meta.resolve('@mp/core'))
    const file = fromCore.resolve('msgpackr')
    let native = 'without'
    try {
      createRequire(file).resolve('msgpackr-extract')
      native = 'with'
    } catch {
      // an optional package that is not installed here
    }
    return `msgpackr ${versionOf(file)}, ${native} msgpackr-extract`
  } catch {
    return 'unknown'
  }
}

/** The version in the nearest package.json above the file that has one. */
function versionOf(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
      if (version) return version
    } catch {
      // no package.json in this folder
    }
  }
  return 'unknown'
}
