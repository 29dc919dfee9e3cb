import { refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import { Pending } from '../runtime/pending-call.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import { checkOptions, type ProcessOptions } from './process-options.js'
import { spawnChild } from './spawn-child.js'
import type { SpawnedChild } from './spawned-child.js'
import { checkStart } from './start-guard.js'
import { StartPromise } from './start-promise.js'
import type { Target } from './target.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** A function that runs elsewhere: in a thread or in a process, depending on its transport. */
export class Process<A extends unknown[] = unknown[], R = unknown> {
  readonly #context: Context
  readonly #transport: Transport
  readonly #target: unknown
  /** What it starts with. Once it has started, nobody needs that, and it may hold handles. */
  #args: unknown[]
  #options: Omit<ProcessOptions, 'target' | 'args'>
  readonly #path: readonly number[]
  #name: string
  #daemon: boolean
  #child: SpawnedChild | undefined
  #startError: unknown
  /** Somebody has asked how it went, so that a failed start needs no warning. */
  #looked = false
  #closed = false

  /** @internal Users call the Process of their transport's package. */
  constructor(context: Context, transport: Transport, options: ProcessOptions<A, R> = {}) {
    const { target, args = [], name, daemon } = checkOptions(options)
    this.#context = context
    this.#transport = transport
    refuseSerialisation(this, 'Process')
    this.#options = options as Omit<ProcessOptions, 'target' | 'args'>
    this.#target = target
    this.#args = Array.from(args)
    this.#path = context.nextPath()
    this.#name = name ?? `Process-${this.#path.join(':')}`
    this.#daemon = daemon ?? context.identity.daemon
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  get name(): string {
    return this.#name
  }

  set name(name: string) {
    if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${typeof name}`)
    this.#name = name
  }

  get daemon(): boolean {
    return this.#daemon
  }

  set daemon(daemon: boolean) {
    if (typeof daemon !== 'boolean') throw new TypeError(`daemon must be a boolean, not ${typeof daemon}`)
    if (this.#child) throw new MpError('MP_INVALID_STATE', `${this.#name} has been started: its daemon flag is settled`)
    this.#daemon = daemon
  }

  /** Null before the start. On thread transports 2 ** 22 + the thread's id, which is above any pid of the operating system. */
  get pid(): number | null {
    this.#checkOpen()
    return this.#child?.pid ?? null
  }

  /** Null while it runs. Then `n & 255`, or minus the signal's number: -15 after `terminate()`, -9 after `kill()`. */
  get exitCode(): number | null {
    this.#checkOpen()
    return this.#child?.exitCode ?? null
  }

  /**
   * Fulfils with the exit code when the process has ended. Throws MP_INVALID_STATE before `start`.
   *
   * This promise does not keep the program running: a program that has nothing else to do ends, and terminates its daemons, also
   * while somebody awaits the end of one (Node's exit code is 13 then). `join()` keeps the program running while it waits.
   */
  get exited(): Promise<number> {
    this.#checkOpen()
    return this.#started('exited').exited
  }

  /**
   * Starts the process. Spawning begins within the call. Resolves when the child has found its target. Nobody needs to await
   * it: a failure also rejects `join` and `result`, and warns if nobody looks.
   *
   * Rejects with MP_ENCODE, MP_BAD_TARGET, MP_SPAWN_FAILED, or MP_INVALID_STATE (started before). Then nothing is left running,
   * and the process may be started again.
   */
  start(): Promise<void> {
    const promise = StartPromise.of(this.#start())
    Promise.prototype.then.call(promise, undefined, error => this.#warnUnseen(promise, error))
    return promise
  }

  /** Waits for the end. Gives the exit code, or null when `timeout` ms pass first. */
  async join(options?: WaitOptions): Promise<number | null> {
    this.#looked = true
    this.#checkOpen()
    checkWait(options)
    const child = this.#started('join')
    if (child.exitCode !== null) return child.exitCode
    return limited<number | null>(child.over, options, pending => pending.resolve(null))
  }

  /**
   * Gives what the target returned, or rejects with what it threw; an error of a built-in or registered class keeps its class.
   * Rejects with MP_WORKER_LOST when the process ended before its target did, and with MP_ENCODE when the result could not travel.
   */
  async result(options?: WaitOptions): Promise<Awaited<R>> {
    this.#looked = true
    this.#checkOpen()
    checkWait(options)
    const child = this.#started('result')
    return limited(child.outcome() as Promise<Awaited<R>>, options, pending =>
      pending.reject(new MpError('MP_TIMEOUT', `${this.#name} gave no result in time`)),
    )
  }

  isAlive(): boolean {
    this.#checkOpen()
    return this.#child?.alive ?? false
  }

  /** Ends the process (SIGTERM where there are signals) without waiting for it. No-op when it has ended. */
  terminate(): void {
    this.#kill('SIGTERM')
  }

  /** As `terminate`, with SIGKILL. */
  kill(): void {
    this.#kill('SIGKILL')
  }

  /** Gives everything back. Throws MP_INVALID_STATE while the process runs. Afterwards only name, daemon and close work. */
  close(): void {
    if (this.#closed) return
    if (this.#child?.alive)
      throw new MpError('MP_INVALID_STATE', `${this.#name} is running: join or terminate it before close`)
    this.#closed = true
    this.#child?.discard()
    this.#child = undefined
  }

  /** Terminates the process if it runs, waits for its end, and closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#looked = true
    if (this.#child) {
      this.#child.kill('SIGTERM')
      await this.#child.exited
    }
    this.close()
  }

  [INSPECT](): string {
    const state = this.#closed ? 'closed' : !this.#child ? 'not started' : this.#child.alive ? 'running' : 'ended'
    return `Process(${this.#name}, ${state})`
  }

  async #start(): Promise<void> {
    this.#checkOpen()
    if (this.#child) throw new MpError('MP_INVALID_STATE', `${this.#name} was started before: a process starts once`)
    this.#startError = undefined
    try {
      checkStart(this.#name)
      this.#options.signal?.throwIfAborted()
      this.#child = this.#spawn()
      await this.#child.ready
      this.#args = []
      this.#options = {}
    } catch (error) {
      this.#startError = error
      this.#child = undefined
      throw error
    }
  }

  #spawn(): SpawnedChild {
    const { env, execArgv, cwd, stdio, resourceLimits, signal } = this.#options
    const child = spawnChild(this.#context, this.#transport, this, {
      path: this.#path,
      target: this.#target as Target<never[]> | undefined,
      args: this.#args,
      options: { env, execArgv, cwd, stdio, resourceLimits },
    })
    if (signal) child.endOn(signal)
    return child
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#checkOpen()
    this.#started(signal === 'SIGTERM' ? 'terminate' : 'kill').kill(signal)
  }

  #started(what: string): SpawnedChild {
    if (this.#child) return this.#child
    if (this.#startError !== undefined) throw this.#startError
    throw new MpError('MP_INVALID_STATE', `${what} needs a started process, and ${this.#name} was not started`)
  }

  #checkOpen(): void {
    if (this.#closed) throw new MpError('MP_CLOSED', `${this.#name} is closed`)
  }

  #warnUnseen(promise: StartPromise, error: unknown): void {
    setImmediate(() => {
      if (promise.looked || (this.#looked && error === this.#startError)) return
      process.emitWarning(`${this.#name} did not start: ${error instanceof Error ? error.message : error}`, {
        code: error instanceof MpError ? error.code : 'MP_SPAWN_FAILED',
      })
    })
  }
}

/** Waits for `answer` as `options` say. `onTimeout` settles the call when the time has passed first. */
function limited<T>(
  answer: Promise<T>,
  options: WaitOptions | undefined,
  onTimeout: (pending: Pending<T>) => void,
): Promise<T> {
  const pending = new Pending<T>()
  pending.limit(
    options,
    () => onTimeout(pending),
    () => {},
  )
  answer.then(
    value => pending.resolve(value),
    error => pending.reject(error),
  )
  return pending.promise
}
