import { type Handle, PACK, type PackedHandle, refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { checkTravels } from '../context/network-transport.js'
import { hasCode, MpError } from '../errors.js'
import type { WaitingCall, Waits } from '../runtime/pending-call.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { QueueBackend } from './backend.js'
import type { QueueHome } from './home.js'
import { NativeQueueBackend } from './native.js'
import { makeQueueBackend } from './open.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A first-in, first-out queue that any number of contexts may put into and get from. Items are taken as they are at the
 * call; each is received once, by one getter; one producer's arrive in its order.
 *
 * The context that made the queue is its home and keeps the items, so a producer can end, and be joined, before anyone has
 * taken what it put.
 */
export class Queue<T = unknown> implements AsyncIterable<T>, Handle {
  readonly #backend: QueueBackend
  readonly #transport: Transport
  #closed = false
  readonly #waiting = new Set<WaitingCall>()
  readonly #waits = (pending: WaitingCall) => {
    this.#waiting.add(pending)
    const forget = () => void this.#waiting.delete(pending)
    pending.promise.then(forget, forget)
  }

  /** @internal Users call the Queue of their transport's package. */
  constructor(context: Context, transport: Transport, source: number | QueueBackend) {
    this.#transport = transport
    if (typeof source === 'number') {
      this.#backend = this.makeBackend(context, Math.max(0, source))
    } else {
      this.#backend = source
    }
    refuseSerialisation(this, 'Queue')
  }

  /**
   * Puts an item. On a bounded queue resolves when the item has its slot (MP_FULL when `timeout` ms pass first); otherwise
   * at once, mostly. Rejects with MP_ENCODE when the item cannot travel, MP_CLOSED, or MP_SHUT_DOWN; then nothing was put.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.#put(item, options, false)
  }

  /** As `put`, but rejects with MP_FULL rather than wait for a slot. */
  putNowait(item: T): Promise<void> {
    return this.#put(item, undefined, true)
  }

  /** Takes the oldest item; waits for one, at most `timeout` ms (then MP_EMPTY). MP_SHUT_DOWN when none will come. */
  get(options?: WaitOptions): Promise<T> {
    return this.#get(options, false)
  }

  /** As `get`, but rejects with MP_EMPTY rather than wait. */
  getNowait(): Promise<T> {
    return this.#get(undefined, true)
  }

  /** As `put`, but blocks this thread. Typed where the transport can: its capability `sync` says so. @internal */
  putSync(item: T, options?: WaitOptions): void {
    this.#checkOpen()
    const none = checkWait(options) === 0
    this.#synchronous.putSync(item, options, none)
  }

  /** As `get`, but blocks this thread. @internal */
  getSync(options?: WaitOptions): T {
    this.#checkOpen()
    const none = checkWait(options) === 0
    return this.#synchronous.getSync(options, none) as T
  }

  /** How many items are in the queue. Others may act before you do: a hint, as `empty` and `full` are. */
  async qsize(): Promise<number> {
    return (await this.#counts()).size
  }

  async empty(): Promise<boolean> {
    return (await this.#counts()).size === 0
  }

  /** Whether a put would wait. */
  async full(): Promise<boolean> {
    return (await this.#counts()).full
  }

  /** Resolves when every put of this context so far has reached the queue's home: not even a `kill -9` loses them then. */
  async flush(options?: WaitOptions): Promise<void> {
    checkWait(options)
    await this.#counts(options)
  }

  /** This context puts and gets no more; others go on. What was put arrives. Pending calls here reject with MP_CLOSED. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const pending of this.#waiting) pending.abandon(this.#closedError())
    this.#backend.close()
  }

  /** For every holder: puts reject with MP_SHUT_DOWN, gets drain what is there and then reject so. `immediate` drops the items. */
  async shutdown(options?: { immediate?: boolean }): Promise<void> {
    this.#checkOpen()
    this.#backend.shutDown(options?.immediate ?? false)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let item: T
      try {
        item = await this.get()
      } catch (error) {
        if (hasCode(error, 'MP_SHUT_DOWN')) return
        throw error
      }
      yield item
    }
  }

  /** @internal Whether `get` would not wait; waits until that is so, unless it is asked how it is `now`. */
  async readable(now: boolean, signal: AbortSignal): Promise<boolean> {
    this.#checkOpen()
    return this.#backend.readable(now, { signal }, this.#waits)
  }

  /** @internal The queue itself: the medium's own where it has such, else one that this context brokers. */
  protected makeBackend(context: Context, maxsize: number): QueueBackend {
    return makeQueueBackend(context, this.#transport, maxsize)
  }

  /** @internal */
  protected get backend(): QueueBackend {
    this.#checkOpen()
    return this.#backend
  }

  /** @internal A call of a subclass. */
  protected async wait<R>(options: WaitOptions | undefined, call: (waits: Waits) => Promise<R>): Promise<R> {
    this.#checkOpen()
    checkWait(options)
    return call(this.#waits)
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  /** @internal Where the items are, if that is this context, and this object has not been closed. */
  get home(): QueueHome | undefined {
    return this.#closed ? undefined : this.#backend.home
  }

  [INSPECT](): string {
    return `Queue(${this.#closed ? 'closed' : this.#backend.maxsize > 0 ? `maxsize ${this.#backend.maxsize}` : 'unbounded'})`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  [PACK](packing: HandlePacking): PackedHandle {
    this.#checkOpen()
    checkTravels('Queue', this.#transport, packing.transport)
    return this.#backend.pack(packing)
  }

  #put(item: T, options: WaitOptions | undefined, nowait: boolean): Promise<void> {
    try {
      this.#checkOpen()
      const none = checkWait(options) === 0
      return this.#backend.put(item, options, nowait || none, this.#waits)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #get(options: WaitOptions | undefined, nowait: boolean): Promise<T> {
    try {
      this.#checkOpen()
      const none = checkWait(options) === 0
      return this.#backend.get(options, nowait || none, this.#waits) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  get #synchronous(): NativeQueueBackend {
    if (this.#backend instanceof NativeQueueBackend) return this.#backend
    throw new MpError('MP_NOT_SUPPORTED', `a Queue of ${this.#transport.name} has no blocking calls`)
  }

  async #counts(options?: WaitOptions): Promise<{ size: number; full: boolean }> {
    this.#checkOpen()
    return this.#backend.counts(options, this.#waits)
  }

  #checkOpen(): void {
    if (this.#closed) throw this.#closedError()
  }

  #closedError(): MpError {
    return new MpError('MP_CLOSED', `this Queue is closed in this context (${this.#transport.name})`)
  }
}
