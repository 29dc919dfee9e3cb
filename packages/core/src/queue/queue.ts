import { type Handle, PACK, type PackedHandle, refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { checkTravels } from '../context/network-transport.js'
import { hasCode, MpError } from '../errors.js'
import { unwatchHandle, watchHandle } from '../runtime/collection.js'
import type { WaitingCall, Waits } from '../runtime/pending-call.js'
import { rejection } from '../runtime/turn.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { QueueBackend } from './backend.js'
import type { QueueHome } from './home.js'
import { NativeQueueBackend } from './native.js'
import { makeQueueBackend } from './open.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A first-in, first-out queue that any number of contexts may put into and get from. An item is as it was at the call of
 * `put`. Each item goes to one getter, once. The items of one producer arrive in its order.
 *
 * The items are not kept by their producer. They are with the queue's home (at first the context that made the queue), or in
 * memory that all contexts share. So a producer can end, and be joined, before anyone has taken what it put.
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
    watchHandle(this, this.#backend)
  }

  /**
   * Puts an item. On a bounded queue this resolves when the item has its slot; on others mostly at once. If it rejects, nothing
   * was put:
   *
   * - MP_FULL: `timeout` ms have passed.
   * - MP_ENCODE: the item cannot travel.
   * - MP_CLOSED: this object is closed.
   * - MP_SHUT_DOWN: the queue was shut down, or is gone.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.#put(item, options, false)
  }

  /** As `put`, but does not wait for a slot: rejects with MP_FULL if there is none. */
  putNowait(item: T): Promise<void> {
    return this.#put(item, undefined, true)
  }

  /** Takes the oldest item, and waits for one. Rejects with MP_EMPTY after `timeout` ms, with MP_SHUT_DOWN if none will come. */
  get(options?: WaitOptions): Promise<T> {
    return this.#get(options, false)
  }

  /** As `get`, but does not wait: rejects with MP_EMPTY if there is no item. */
  getNowait(): Promise<T> {
    return this.#get(undefined, true)
  }

  /** As `put`, but blocks this thread. Only transports with the capability `sync` have it in their types. @internal */
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

  /** How many items are in the queue. Like `empty` and `full` this is a hint, because others may act before you do. */
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

  /** Resolves when every put of this context so far has reached the queue's home. Then a `kill -9` of this context loses none. */
  async flush(options?: WaitOptions): Promise<void> {
    checkWait(options)
    await this.#counts(options)
  }

  /** Ends the use of this object; others go on. What was put arrives. Its waiting calls reject with MP_CLOSED. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    unwatchHandle(this)
    for (const pending of this.#waiting) pending.abandon(this.#closedError())
    this.#backend.close()
  }

  /** For all contexts: puts reject with MP_SHUT_DOWN; gets take what is there, then reject, too. `immediate` drops the items. */
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

  /** @internal Waits until a `get` would not wait. With `now`, gives whether that is so at this moment. */
  async readable(now: boolean, signal: AbortSignal): Promise<boolean> {
    this.#checkOpen()
    return this.#backend.readable(now, { signal }, this.#waits)
  }

  /** @internal Makes the queue itself: one of the medium's own if it has such, else one whose home is this context. */
  protected makeBackend(context: Context, maxsize: number): QueueBackend {
    return makeQueueBackend(context, this.#transport, maxsize)
  }

  /** @internal */
  protected get backend(): QueueBackend {
    this.#checkOpen()
    return this.#backend
  }

  /** @internal Makes a call for a subclass, after the checks that all calls need. */
  protected async wait<R>(options: WaitOptions | undefined, call: (waits: Waits) => Promise<R>): Promise<R> {
    this.#checkOpen()
    checkWait(options)
    return call(this.#waits)
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  /** @internal The queue's home, if it is in this context and this object is open. */
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
      return rejection(error)
    }
  }

  #get(options: WaitOptions | undefined, nowait: boolean): Promise<T> {
    try {
      this.#checkOpen()
      const none = checkWait(options) === 0
      return this.#backend.get(options, nowait || none, this.#waits) as Promise<T>
    } catch (error) {
      return rejection(error)
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
