import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { hasCode, MpError } from '../errors.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { SemaphoreBackend } from './backend.js'
import type { Hold } from './grants.js'

export interface AcquireOptions extends WaitOptions {
  /** False: gives false rather than wait. */
  block?: boolean | undefined
}

/** Of a call that gives a guard, or rejects: it waits without limit. */
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

  /** Whether the last holder ended, or was killed, while it held this: what it guards may be half done. */
  get abandoned(): boolean {
    return this.#hold.grant.abandoned
  }

  /** @internal The acquisition, where it is one of `backend` and not yet released. */
  holdOf(backend: SemaphoreBackend): Hold | undefined {
    return backend === this.#backend && backend.holds.has(this.#hold) ? this.#hold : undefined
  }

  /** Gives it back. Rejects with MP_INVALID_STATE where that was done before. */
  async release(): Promise<void> {
    this.releaseSync()
  }

  /** As `release`, done when it returns. Typed where the transport has blocking calls. @internal */
  releaseSync(): void {
    if (!this.#backend.holds.has(this.#hold)) throw released()
    leave(this.#backend, this.#hold)
    this.#released = true
  }

  /** As `release`, where there is something to give back, and somebody to take it. */
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

/** One of the `depth` times that it was entered. */
export function leave(backend: SemaphoreBackend, hold: Hold): void {
  if (hold.depth === 1) backend.release(hold.grant)
  hold.depth--
}

export function released(): MpError {
  return new MpError('MP_INVALID_STATE', 'it is not held: released too many times')
}

/** A Lock or a Semaphore: what is acquired, and released. */
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
   * Waits until it is this caller's turn, first come first served; gives a guard, whose `release` (or `await using`) gives it
   * back. False after `timeout` ms, or at once with `block: false`. MP_SHUT_DOWN when the context that made it was killed.
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

  /** As `acquire`, but blocks this thread. Typed where the transport can: its capability `sync` says so. @internal */
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
 * Mutual exclusion between contexts. When its holder ends or is killed it passes on, and the next holder's guard says
 * `abandoned`. Whoever acquires it twice waits for itself: see {@link RLock}.
 */
export class Lock extends Acquirable {
  /** @internal Users call the Lock of their transport's package. */
  constructor(transport: Transport, backend: SemaphoreBackend, what = 'Lock') {
    super(transport, what, backend)
  }

  /** Gives it back, whoever holds it. MP_INVALID_STATE where nobody does. */
  async release(): Promise<void> {
    this.checkOpen()
    const own = this.backend.holds.first()
    if (own) leave(this.backend, own)
    else if (!(await this.backend.post(1, true))) throw released()
  }

  /** Whether anybody holds it. Others may act before you do: a hint. */
  async locked(): Promise<boolean> {
    this.checkOpen()
    return (await this.backend.value()) === 0
  }
}
