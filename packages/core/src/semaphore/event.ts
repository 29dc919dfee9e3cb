import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { SemaphoreBackend } from './backend.js'

/** A flag that contexts wait for. */
export class Event extends SharedHandle {
  /** A semaphore of limit 1. Its permit is the flag. */
  readonly #backend: SemaphoreBackend

  /** @internal Users call the Event of their transport's package. */
  constructor(transport: Transport, backend: SemaphoreBackend) {
    super(transport, 'Event', backend)
    this.#backend = backend
  }

  /** Whether the flag is set. This is a hint, because others may act before you do. */
  async isSet(): Promise<boolean> {
    this.checkOpen()
    return (await this.#backend.value()) === 1
  }

  /** Sets the flag, and wakes all waiting calls. Resolves when that is done. */
  async set(): Promise<void> {
    this.checkOpen()
    await this.#backend.post(1, false)
  }

  /** Clears the flag. Resolves when that is done. */
  async clear(): Promise<void> {
    this.checkOpen()
    const grant = await this.#backend.acquire('hold', undefined, true, this.waits)
    if (grant) this.#backend.consume(grant)
  }

  /** Waits until the flag is set. Gives true if it is, false after `timeout` ms. */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.checkOpen()
    const nowait = checkWait(options) === 0
    return (await this.#backend.acquire('see', options, nowait, this.waits)) !== undefined
  }

  /** As `wait`, but blocks this thread. Only transports with the capability `sync` have it in their types. @internal */
  waitSync(options?: WaitOptions): boolean {
    this.checkOpen()
    const limit = checkWait(options) ?? Number.POSITIVE_INFINITY
    if (!this.#backend.acquireSync) throw this.cannotBlock()
    return this.#backend.acquireSync('see', limit) !== undefined
  }

  /** @internal */
  protected override pack(packing: HandlePacking): unknown {
    return this.#backend.pack(packing)
  }
}
