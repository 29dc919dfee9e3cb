import { refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { Envelope, encodeMessage } from '../context/message-writer.js'
import { hasCode, MpError } from '../errors.js'
import { discardParcels, type Parcel } from '../link/wire-end.js'
import { ByteBuffer } from '../runtime/byte-buffer.js'
import { Pending } from '../runtime/pending-call.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Peer, SpawnOptions, Transport } from '../transport/transport.js'
import { handTarget } from './local-target.js'
import { checkOptions, type ProcessOptions, type ResourceLimits } from './process-options.js'
import type { StartOrder } from './protocol.js'
import { SpawnedChild } from './spawned-child.js'
import { StartPromise } from './start-promise.js'
import { describeTarget, type Target, type TargetReference } from './target.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** A function that runs elsewhere: in a thread, in a process, as its transport has it. */
export class Process<A extends unknown[] = unknown[], R = unknown> {
  readonly #context: Context
  readonly #transport: Transport
  readonly #target: unknown
  readonly #args: unknown[]
  readonly #options: Omit<ProcessOptions, 'target' | 'args'>
  readonly #path: readonly number[]
  #name: string
  #daemon: boolean
  #run: SpawnedChild | undefined
  #startError: unknown
  /** Somebody has asked how it went. */
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
    if (this.#run) throw new MpError('MP_INVALID_STATE', `${this.#name} has been started: its daemon flag is settled`)
    this.#daemon = daemon
  }

  /** Null before the start. On thread transports above any operating system's: 2 ** 22 + the thread's id. */
  get pid(): number | null {
    this.#checkOpen()
    return this.#run?.pid ?? null
  }

  /** Null while it runs; then `n & 255`, or minus the signal's number: -15 after `terminate()`, -9 after `kill()`. */
  get exitCode(): number | null {
    this.#checkOpen()
    return this.#run?.exitCode ?? null
  }

  /**
   * Fulfils with the exit code when the process has ended. Throws MP_INVALID_STATE before `start`.
   *
   * It tells, and holds nothing: a program ends, and terminates its daemons, although somebody would like to hear of a daemon's
   * end. So an `await` of it, with nothing else left to do, ends the program (with Node's exit code 13). `join()` is a call that
   * waits, and keeps the program running meanwhile.
   */
  get exited(): Promise<number> {
    this.#checkOpen()
    return this.#started('exited').exited
  }

  /**
   * Starts the process. Spawning begins within the call; resolves when the child has found its target. Need not be awaited: a
   * failure also rejects `join` and `result`, and warns if nobody looks.
   *
   * Rejects with MP_ENCODE or MP_BAD_TARGET, MP_SPAWN_FAILED, or MP_INVALID_STATE (started before); nothing is left running,
   * and it may be started again.
   */
  start(): Promise<void> {
    const promise = StartPromise.of(this.#start())
    Promise.prototype.then.call(promise, undefined, error => this.#warnUnseen(promise, error))
    return promise
  }

  /** Waits for the end: the exit code, or null when `timeout` ms pass first. */
  async join(options?: WaitOptions): Promise<number | null> {
    this.#looked = true
    this.#checkOpen()
    checkWait(options)
    const run = this.#started('join')
    if (run.exitCode !== null) return run.exitCode
    const pending = new Pending<number | null>()
    pending.limit(
      options,
      () => pending.resolve(null),
      () => {},
    )
    run.over.then(
      code => pending.resolve(code),
      error => pending.reject(error),
    )
    return pending.promise
  }

  /**
   * What the target returned, or rejects with what it threw: the same class where it is built in or registered. MP_WORKER_LOST
   * when the process ended before its target did; MP_ENCODE when the result could not travel.
   */
  async result(options?: WaitOptions): Promise<Awaited<R>> {
    this.#looked = true
    this.#checkOpen()
    checkWait(options)
    const run = this.#started('result')
    const pending = new Pending<unknown>()
    pending.limit(
      options,
      () => pending.reject(new MpError('MP_TIMEOUT', `${this.#name} gave no result in time`)),
      () => {},
    )
    run.outcome().then(
      value => pending.resolve(value),
      error => pending.reject(error),
    )
    return pending.promise as Promise<Awaited<R>>
  }

  isAlive(): boolean {
    this.#checkOpen()
    return this.#run?.alive ?? false
  }

  /** Ends the process (SIGTERM where there are signals) without waiting for it. No-op when it has ended. */
  terminate(): void {
    this.#kill('SIGTERM')
  }

  /** As `terminate`, with SIGKILL. */
  kill(): void {
    this.#kill('SIGKILL')
  }

  /** Gives everything back. Throws MP_INVALID_STATE while the process runs; afterwards only name, daemon and close work. */
  close(): void {
    if (this.#closed) return
    if (this.#run?.alive)
      throw new MpError('MP_INVALID_STATE', `${this.#name} is running: join or terminate it before close`)
    this.#closed = true
    this.#run?.discard()
    this.#run = undefined
  }

  /** Terminates it if it runs, waits, closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#looked = true
    if (this.#run) {
      this.#run.kill('SIGTERM')
      await this.#run.exited
    }
    this.close()
  }

  [INSPECT](): string {
    const state = this.#closed ? 'closed' : !this.#run ? 'not started' : this.#run.alive ? 'running' : 'ended'
    return `Process(${this.#name}, ${state})`
  }

  async #start(): Promise<void> {
    this.#checkOpen()
    if (this.#run) throw new MpError('MP_INVALID_STATE', `${this.#name} was started before: a process starts once`)
    const unguarded = this.#context.onUnguardedStart?.(this.#name)
    if (unguarded) throw unguarded
    this.#startError = undefined
    try {
      this.#options.signal?.throwIfAborted()
      const run = this.#spawn()
      this.#run = run
      await run.ready
    } catch (error) {
      this.#startError = error
      this.#run = undefined
      throw error
    }
  }

  #spawn(): SpawnedChild {
    const { identity } = this.#context
    const reference = this.#target === undefined ? null : describeTarget(this.#target as Target)
    const envelope = new Envelope(this.#transport)
    const args = new ByteBuffer(256)
    encodeMessage(this.#args, args, envelope, 'args')
    envelope.commit()
    const id = this.#context.nextId()
    const peer = this.#spawnPeer(id, envelope.parcels)
    const run = new SpawnedChild(this, this.#context, this.#transport, peer)
    const order: StartOrder = {
      id,
      name: this.#name,
      pid: peer.pid ?? null,
      daemon: this.#daemon,
      quiet: this.#options.stdio === 'ignore',
      handles: envelope.holdsHandles,
      path: this.#path,
      parent: { pid: identity.pid, name: identity.name },
      target: this.#targetFor(reference),
    }
    run.start(order, args, envelope.parcels)
    if (this.#options.signal) run.endOn(this.#options.signal)
    return run
  }

  #spawnPeer(id: string, parcels: readonly Parcel[] | undefined): Peer {
    const { env, execArgv, cwd, stdio, resourceLimits } = this.#options
    try {
      return this.#transport.spawn({
        id,
        name: this.#name,
        daemon: this.#daemon,
        ...(env && { env }),
        ...(execArgv && { execArgv }),
        ...(cwd !== undefined && { cwd }),
        ...(stdio && { stdio }),
        ...(resourceLimits && { resourceLimits: definedOf(resourceLimits) }),
      })
    } catch (error) {
      discardParcels(parcels, this.#transport)
      if (hasCode(error, 'MP_NOT_SUPPORTED')) throw error
      const message = `${this.#name} could not be started: ${(error as Error).message}`
      throw new MpError('MP_SPAWN_FAILED', message, { cause: error })
    }
  }

  /** Same-thread children get the function itself: the module that holds it may still be running. */
  #targetFor(reference: TargetReference | null): StartOrder['target'] {
    const target = this.#target
    const local = this.#transport.capabilities.isolation === 'none' && typeof target === 'function'
    return local ? handTarget(target as (...args: unknown[]) => unknown) : reference
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#checkOpen()
    this.#started(signal === 'SIGTERM' ? 'terminate' : 'kill').kill(signal)
  }

  #started(what: string): SpawnedChild {
    if (this.#run) return this.#run
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

function definedOf(limits: ResourceLimits): NonNullable<SpawnOptions['resourceLimits']> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}
