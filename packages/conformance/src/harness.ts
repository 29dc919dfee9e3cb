import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BoundContext, Connection, MpErrorCode, PipeOptions, Process, ProcessOptions } from '@mp/core'
import type { Capabilities, Transport } from '@mp/core/spi'
import { type Holdings, holdings, leftBeyond, longestSettling } from './leaks.js'

/** ms that one wait may take, also on a loaded machine. A wait that takes longer is a hang. The environment may set it. */
const longestWait = () => Number(process.env.MP_CONFORMANCE_PATIENCE ?? 8_000)
/** ms that one case may take. */
const LONGEST_CASE = 18_000

/** Bounds a wait. The error has the stack of the caller. */
export async function within<T>(promise: PromiseLike<T>, what: string, ms = longestWait()): Promise<T> {
  const late = new Error(`${what}: not within ${ms} ms`)
  Error.captureStackTrace(late, within)
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), ms)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether there is such a process. A zombie, which only its parent can take away, has ended too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const { readFileSync } = process.getBuiltinModule('node:fs')
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return process.platform !== 'linux'
  }
}

/** Waits until the condition holds; gives what it returned. */
export async function eventually<T>(condition: () => T | PromiseLike<T>, what: string, ms = longestWait()): Promise<T> {
  const late = new Error(`${what}: not within ${ms} ms`)
  Error.captureStackTrace(late, eventually)
  const end = performance.now() + ms
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > end) throw late
    await pause(5)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

type Expected = MpErrorCode | (new (...args: never[]) => Error) | { readonly reason: unknown }

/** The promise rejects in time, as expected: with a code, with a class, or with this very reason. Gives what it rejected with. */
export async function rejects(promise: PromiseLike<unknown>, expected: Expected, ms?: number): Promise<Error> {
  const settled = promise.then(
    value => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  )
  const said = typeof expected === 'string' ? expected : 'reason' in expected ? String(expected.reason) : expected.name
  const { value, error } = await within(settled, `a rejection with ${said}`, ms)
  if (error === undefined) fail(`resolved with ${brief(value)} where ${said} was expected`, rejects)
  check(error, expected, rejects)
  return error as Error
}

/** The call throws as expected. */
export function throws(call: () => unknown, expected: Expected): void {
  try {
    call()
  } catch (error) {
    return check(error, expected, throws)
  }
  fail('nothing was thrown', throws)
}

function check(error: unknown, expected: Expected, from: (...args: never[]) => unknown): void {
  if (typeof expected === 'string') {
    const code = (error as { code?: unknown })?.code
    if (code !== expected) fail(`expected ${expected}, got ${brief(error)}`, from, error)
  } else if ('reason' in expected) {
    if (error !== expected.reason) fail(`expected the reason itself, got ${brief(error)}`, from, error)
  } else if (!(error instanceof expected)) fail(`expected a ${expected.name}, got ${brief(error)}`, from, error)
}

function fail(message: string, from: (...args: never[]) => unknown, cause?: unknown): never {
  const error = new assert.AssertionError({ message, stackStartFn: from as never })
  throw Object.assign(error, { cause })
}

function brief(value: unknown): string {
  if (value instanceof Error) return `${value.name} ${(value as { code?: string }).code ?? ''}: ${value.message}`
  try {
    return String(JSON.stringify(value) ?? value).slice(0, 100)
  } catch {
    return String(value)
  }
}

/** How long it took, ms, and what came of it. */
export async function timed<T>(action: () => PromiseLike<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now()
  const value = await action()
  return { ms: performance.now() - start, value }
}

/** A limit of `expected` ms was kept: not before (timers may fire 1 ms early), and not much later. */
export function assertTook(ms: number, expected: number): void {
  assert.ok(ms >= expected - 5, `took ${ms} ms, which is before ${expected} ms`)
  assert.ok(ms < expected + 2_000, `took ${ms} ms, which is long after ${expected} ms`)
}

/** Nothing comes of the promise for a while. Can miss a settling that comes late; never fails without cause. */
export async function assertPending(promise: PromiseLike<unknown>, ms = 50): Promise<void> {
  const settled = promise.then(
    value => `resolved with ${brief(value)}`,
    error => `rejected with ${brief(error)}`,
  )
  const outcome = await Promise.race([settled, pause(ms).then(() => undefined)])
  if (outcome) fail(`still pending was expected; it ${outcome}`, assertPending)
}

export interface ProgramResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

/** `descriptors`: how many it may have open. */
export function runProgram(
  name: string,
  module: string,
  settings: Record<string, string>,
  { ms = 15_000, descriptors }: { ms?: number; descriptors?: number },
): Promise<ProgramResult> {
  const path = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const env = { ...process.env, NODE_OPTIONS: '', MP_CONFORMANCE_MODULE: module, ...settings }
  const start = performance.now()
  const [file, args] =
    descriptors === undefined
      ? [process.execPath, [path]]
      : ['/bin/sh', ['-c', `ulimit -n ${descriptors}; exec "$0" "$1"`, process.execPath, path]]
  return new Promise(resolve => {
    const child = execFile(file, args, { env, timeout: ms, killSignal: 'SIGKILL' }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr, ms: performance.now() - start }),
    )
  })
}

type Target<A extends unknown[], R> = (...args: A) => R | PromiseLike<R>

/** Where a case runs. */
export interface Setting {
  readonly transport: Transport
  /** The vocabulary, bound to the transport. */
  readonly context: BoundContext
  /** What a child imports to have the same API. */
  readonly module: string
  /** Where what is chosen at random comes from. */
  readonly seed: number
}

/** How and when a process is abandoned: so many turns of the event loop after the word. */
export interface Moment {
  readonly how: 'terminate' | 'kill'
  readonly turns: number
}

interface Closable {
  close(): Promise<void>
}

/** One run of one case: the transport's API, and what the case made. */
export class Trial {
  readonly transport: Transport
  /** As the transport's package exports it, but for pipes: a case need not close those of which it keeps both ends. */
  readonly api: BoundContext
  readonly capabilities: Capabilities
  /** What a child imports to have the same API. */
  readonly module: string
  /** Something was chosen at random. */
  seeded = false
  readonly #seed: number
  /** Warnings since the case began; one that it expects is taken out. */
  readonly warnings: Error[] = []
  #folder: string | undefined
  #pipes: (readonly [Connection, Connection])[] = []
  #owned: Closable[] = []

  constructor({ transport, context, module, seed }: Setting) {
    this.transport = transport
    this.api = {
      ...context,
      Pipe: <S, R>(options?: boolean | PipeOptions) => {
        const pipe = context.Pipe<S, R>(options)
        this.#pipes.push(pipe as never)
        return pipe
      },
    }
    this.capabilities = transport.capabilities
    this.module = module
    this.#seed = seed
  }

  /** For what the case chooses at random. A failure then tells it. */
  get seed(): number {
    this.seeded = true
    return this.#seed
  }

  /** Different ones, among them one at once. */
  async moments(count: number, latest = 30): Promise<readonly Moment[]> {
    // Not before it is needed: it takes its time to load.
    const { default: fc } = await import('fast-check')
    const moment = fc.record({
      how: fc.constantFrom('terminate' as const, 'kill' as const),
      turns: fc.nat({ max: latest }),
    })
    const some = fc.sample(moment, { seed: this.seed, numRuns: count - 1 })
    return [{ how: 'kill', turns: 0 }, ...some]
  }

  /**
   * A crash: ends the process at whatever it is doing, without its consent, and waits until it is gone. With it goes what it
   * holds, waits for, and has half written.
   */
  async abandon(process: Process<never, never> | Process<never>, { how, turns }: Moment): Promise<void> {
    for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
    process[how]()
    await this.ends(process, how === 'kill' ? -9 : -15)
  }

  process<A extends unknown[], R>(target: Target<A, R>, args: A, options?: ProcessOptions<A, R>): Process<A, R> {
    return new this.api.Process<A, R>({ ...options, target, args })
  }

  async start<A extends unknown[], R>(
    target: Target<A, R>,
    args: A,
    options?: ProcessOptions<A, R>,
  ): Promise<Process<A, R>> {
    const process = this.process(target, args, options)
    await within(process.start(), `start of ${process.name}`)
    return process
  }

  run<A extends unknown[], R>(target: Target<A, R>, ...args: A): Promise<Awaited<R>> {
    return within(this.api.Process.run<A, R>(target, ...args), `run of ${target.name}`)
  }

  /** Joins, and checks the exit code. */
  async ends(
    process: Process<never, never> | Process<never> | { join(): Promise<number | null> },
    exitCode = 0,
  ): Promise<void> {
    assert.equal(await within(process.join(), 'join'), exitCode)
  }

  /** A pipe whose second end is for a child; the first one's recv is bounded. */
  pipe<S = unknown, R = unknown>(): [Connection<S, R>, Connection<R, S>] {
    return this.api.Pipe<S, R>()
  }

  /**
   * For a handle that came here from elsewhere, and stays connected after the children have ended, as its other end, or its
   * home, is in this context, too: it is closed after the case.
   */
  own<H extends Closable>(handle: H): H {
    this.#owned.push(handle)
    return handle
  }

  /**
   * Closes what nobody but this context keeps open. Not an end whose other end has gone elsewhere: when that is closed, or lost
   * with its context, the transport must let go by itself.
   */
  async close(): Promise<void> {
    const inUse = this.#pipes.splice(0).filter(ends => ends.every(end => !end.closed))
    const closing = [...inUse.flat(), ...this.#owned.splice(0)].map(each => each.close())
    await within(Promise.all(closing), 'the closing of what the case used')
  }

  /** A file that the case's children may write to. */
  file(name: string): string {
    return join(this.folder(), name)
  }

  /** Its own, with no symbolic link in its path. */
  folder(): string {
    this.#folder ??= realpathSync(mkdtempSync(join(tmpdir(), 'mp-conformance-')))
    return this.#folder
  }

  /** Runs one of the programs beside this suite in a fresh `node`, with the transport. */
  program(name: string, settings: Record<string, string> = {}, ms = 15_000): Promise<ProgramResult> {
    return runProgram(name, this.module, settings, { ms })
  }

  dispose(): void {
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Runs a case; whatever it leaves behind fails it. */
export async function runCase(trial: Trial, name: string, body: (trial: Trial) => Promise<void>): Promise<void> {
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => void rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  const onWarning = (warning: Error) => void trial.warnings.push(warning)
  process.on('warning', onWarning)
  const before = holdings()
  try {
    // The limit's own timer is there before the case looks at what is.
    await within(
      Promise.resolve().then(() => body(trial)),
      name,
      LONGEST_CASE,
    )
    await trial.close()
    await assertNothingLeft(trial, before)
    if (rejections.length > 0) throw new Error('a rejection that nobody handles', { cause: rejections[0] })
  } catch (error) {
    throw trial.seeded ? withSeed(error, trial.seed) : error
  } finally {
    process.off('warning', onWarning)
    process.off('unhandledRejection', onRejection)
    // After a failure, which a close that fails must not hide.
    await trial.close().catch(() => {})
    await endChildren(trial.api)
    trial.dispose()
  }
}

/** Tells how to make the same choices again; the stack stays that of the failure. */
function withSeed(error: unknown, seed: number): unknown {
  if (error instanceof Error) {
    const told = `${error.message}\nMP_CONFORMANCE_SEED=${seed} makes the same choices again`
    if (error.stack) error.stack = error.stack.replace(error.message, told)
    error.message = told
  }
  return error
}

async function assertNothingLeft({ api, warnings }: Trial, before: Holdings): Promise<void> {
  await eventually(() => api.activeChildren().length === 0, 'the end of all children', longestSettling()).catch(() => {
    const names = api.activeChildren().map(each => each.name)
    throw new Error(`the case left children behind: ${names.join(', ')}`)
  })
  const left = await leftBeyond(before)
  if (left.length > 0) throw new Error(`the case left behind: ${left.join(', ')}`)
  if (warnings.length > 0) throw new Error(`unexpected warning: ${warnings[0]?.stack}`)
}

/** After a failure. What cannot be ended must not hide it. */
async function endChildren(api: BoundContext): Promise<void> {
  const ends = api.activeChildren().map(async child => {
    const { exited } = child
    child.kill()
    await exited
  })
  await within(Promise.allSettled(ends), 'the end of what a failed case left').catch(() => {})
}
