import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BoundContext, Connection, PipeOptions, Process, ProcessOptions } from '@mp/core'
import type { Capabilities, Transport } from '@mp/core/spi'
import { within } from './harness.js'
import { type ProgramOptions, type ProgramResult, runProgram } from './program.js'
import { turns as waitTurns } from './turns.js'

type Target<A extends unknown[], R> = (...args: A) => R | PromiseLike<R>

/** What all cases of a transport have in common. */
export interface Setting {
  readonly transport: Transport
  /** The vocabulary, bound to the transport. */
  readonly context: BoundContext
  /** What a child imports to have the same API. */
  readonly module: string
  /** The seed of all random choices. */
  readonly seed: number
}

/** How a process is abandoned, and after how many turns of the event loop. */
export interface Moment {
  readonly how: 'terminate' | 'kill'
  readonly turns: number
}

interface Closable {
  close(): Promise<void>
}

/** One run of a case: the transport's API, and what the case has made. */
export class Trial {
  readonly transport: Transport
  /** As the transport's package exports it, except `Pipe`: a case need not close a pipe of which it keeps both ends. */
  readonly api: BoundContext
  /** As the transport's package exports it: for handles that the case drops, of which the trial must keep none. */
  readonly dropped: BoundContext
  readonly capabilities: Capabilities
  /** What a child imports to have the same API. */
  readonly module: string
  /** The case has made random choices. */
  seeded = false
  readonly #seed: number
  /** The warnings since the case began. A case removes those that it expects. */
  readonly warnings: Error[] = []
  #folder: string | undefined
  #pipes: (readonly [Connection, Connection])[] = []
  #owned: Closable[] = []

  constructor({ transport, context, module, seed }: Setting) {
    this.transport = transport
    this.dropped = context
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

  /** For the random choices of the case. A failure then tells the seed. */
  get seed(): number {
    this.seeded = true
    return this.#seed
  }

  /** `count` different moments; the first is at once. */
  async moments(count: number, latest = 30): Promise<readonly Moment[]> {
    // Loaded when it is needed, since that takes a while.
    const { default: fc } = await import('fast-check')
    const moment = fc.record({
      how: fc.constantFrom('terminate' as const, 'kill' as const),
      turns: fc.nat({ max: latest }),
    })
    const some = fc.sample(moment, { seed: this.seed, numRuns: count - 1 })
    return [{ how: 'kill', turns: 0 }, ...some]
  }

  /**
   * Crashes the process, whatever it is doing, and waits until it is gone. What it holds, waits for, and has half written goes
   * with it.
   */
  async abandon(process: Process<never, never> | Process<never>, { how, turns }: Moment): Promise<void> {
    await waitTurns(turns)
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

  /** Waits for the end of the process, and checks its exit code. */
  async ends(
    process: Process<never, never> | Process<never> | { join(): Promise<number | null> },
    exitCode = 0,
  ): Promise<void> {
    assert.equal(await within(process.join(), 'join'), exitCode)
  }

  /** A pipe whose second end is for a child. */
  pipe<S = unknown, R = unknown>(): [Connection<S, R>, Connection<R, S>] {
    return this.api.Pipe<S, R>()
  }

  /**
   * Closes the handle after the case. For a handle that came back here: it stays connected after the children have ended, since
   * its other end, or its home, is in this context too.
   */
  own<H extends Closable>(handle: H): H {
    this.#owned.push(handle)
    return handle
  }

  /**
   * Closes what only this context keeps open. An end whose other end is elsewhere stays open: when that is closed, or lost with
   * its context, the transport must let go of this one by itself.
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

  /** A folder for this case. Its path has no symbolic link. */
  folder(): string {
    this.#folder ??= realpathSync(mkdtempSync(join(tmpdir(), 'mp-conformance-')))
    return this.#folder
  }

  /** Runs one of the suite's programs in a new `node`, with the transport. */
  program(name: string, settings: Record<string, string> = {}, options: ProgramOptions = {}): Promise<ProgramResult> {
    return runProgram(name, this.module, settings, options)
  }

  dispose(): void {
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true })
  }
}
