import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { hasCode, MpError } from '../errors.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { SemaphoreBackend } from './backend.js'
import type { Hold } from './grants.js'

export interface AcquireOptions extends WaitOptions {
  /** If false, the call does not wait: it gives false if it would have to. */
  block?: boolean | undefined
}

/** Options of a call that waits without limit. So it gives a guard, or rejects. */
export interface UnboundedAcquireOptions {
  block?: true | undefined
  timeout?: null | undefined
  signal?: AbortSignal | undefined
}

/** One acquisition of a Lock or a Semaphore. With `await using` it is released at the block's end, also after a throw. */
export class Guard implements AsyncDisposable {
  readonly #backend: SemaphoreBackend
  readonly #hold: Hold
  #released = false

  /** @internal */
  constructor(backend: SemaphoreBackend, hold: Hold) {
    this.#backend = backend
    this.#hold = hold
  }

  /** Whether the last holder ended, or was killed, while it held the permit. Then what this guards may be half done. */
  get abandoned(): boolean {
    return this.#hold.grant.abandoned
  }

  /** @internal The acquisition, if it is one of `backend` and not released yet. */
  holdOf(backend: SemaphoreBackend): Hold | undefined {
    return backend === this.#backend && backend.holds.has(this.#hold) ? this.#hold : undefined
  }

  /** Gives back what was acquired. Rejects with MP_INVALID_STATE if that was done before. */
  async release(): Promise<void> {
    this.releaseSync()
  }

  /** As `release`, but done when it returns. Only transports with the capability `sync` have it in their types. @internal */
  releaseSync(): void {
    if (!this.#backend.holds.has(this.#hold)) throw released()
    leave(this.#backend, this.#hold)
    this.#released = true
  }

  /** As `release`, but does nothing if it was released before, or if the home is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }

  /** @internal */
  [Symbol.dispose](): void {
    if (this.#released) return
    try {
      this.releaseSync()
    } catch (error) {
      if (!hasCode(error, 'MP_INVALID_STATE') && !hasCode(error, 'MP_SHUT_DOWN')) throw error
    }
  }
}

/** Leaves a hold once of the `depth` times that it was entered. The last time gives the permit back. */
export function leave(backend: SemaphoreBackend, hold: Hold): void {
  if (hold.depth === 1) backend.release(hold.grant)
  hold.depth--
}

export function released(): MpError {
  return new MpError('MP_INVALID_STATE', 'it is not held: released too many times')
}

/** What a Lock and a Semaphore have in common: they are acquired and released. */
export class Acquirable extends SharedHandle {
  readonly #backend: SemaphoreBackend

  /** @internal */
  constructor(transport: Transport, what: string, backend: SemaphoreBackend) {
    super(transport, what, backend)
    this.#backend = backend
  }

  /** @internal */
  get backend(): SemaphoreBackend {
    return this.#backend
  }

  /**
   * Waits until it is this caller's turn, first come, first served. Gives a guard. Its `release`, or `await using`, gives back
   * what was acquired.
   *
   * - Gives false after `timeout` ms, or with `block: false` if it would have to wait.
   * - Rejects with MP_SHUT_DOWN if the context that kept its state was killed.
   */
  acquire(options?: UnboundedAcquireOptions): Promise<Guard>
  acquire(options: AcquireOptions): Promise<Guard | false>
  async acquire(options?: AcquireOptions): Promise<Guard | false> {
    this.checkOpen()
    const limit = checkWait(options)
    const nowait = !blocks(options) || limit === 0
    const grant = await this.#backend.acquire('hold', options, nowait, this.waits)
    return grant ? new Guard(this.#backend, this.#backend.holds.of(grant)) : false
  }

  /** As `acquire`, but blocks this thread. Only transports with the capability `sync` have it in their types. @internal */
  acquireSync(options?: AcquireOptions): Guard | false {
    this.checkOpen()
    const limit = checkWait(options)
    if (!this.#backend.acquireSync) throw this.cannotBlock()
    const grant = this.#backend.acquireSync('hold', blocks(options) ? (limit ?? Number.POSITIVE_INFINITY) : 0)
    return grant ? new Guard(this.#backend, this.#backend.holds.of(grant)) : false
  }

  /** @internal */
  protected override pack(packing: HandlePacking): unknown {
    return this.#backend.pack(packing)
  }
}

function blocks(options: (AcquireOptions & { guard?: unknown }) | undefined): boolean {
  if (options?.guard !== undefined) throw new TypeError('only an RLock is entered again with a guard')
  const block = options?.block ?? true
  if (typeof block !== 'boolean') throw new TypeError(`block must be a boolean, not ${typeof block}`)
  return block
}

/**
 * Mutual exclusion between contexts. When the holder ends or is killed, the lock goes to the next call, whose guard says
 * `abandoned`. A holder that acquires it a second time waits for itself. An {@link RLock} can be entered again.
 */
export class Lock extends Acquirable {
  /** @internal Users call the Lock of their transport's package. */
  constructor(transport: Transport, backend: SemaphoreBackend, what = 'Lock') {
    super(transport, what, backend)
  }

  /** Releases the lock, whoever holds it. Rejects with MP_INVALID_STATE if nobody does. */
  async release(): Promise<void> {
    this.checkOpen()
    const own = this.backend.holds.first()
    if (own) leave(this.backend, own)
    else if (!(await this.backend.post(1, true))) throw released()
  }

  /** Whether anybody holds the lock. This is a hint, because others may act before you do. */
  async locked(): Promise<boolean> {
    this.checkOpen()
    return (await this.backend.value()) === 0
  }
}
