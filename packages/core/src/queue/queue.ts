import { type Handle, PACK, type PackedHandle, refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import type { HandleOpener } from '../context/message-reader.js'
import type { HandlePacking } from '../context/message-writer.js'
import { checkTravels } from '../context/network-transport.js'
import { hasCode, MpError } from '../errors.js'
import { discard, type End, open } from '../link/wire-end.js'
import { checkWait, type WaitOptions } from '../runtime/pending-call.js'
import type { Transport } from '../spi.js'
import { DepositHome } from './attachments-home.js'
import type { QueueBackend, WaitingCall, Waits } from './backend.js'
import { QueueHome } from './home.js'
import { LocalQueue } from './local.js'
import { NativeBackend } from './native.js'
import { HolderDesk, HomeDesk } from './native-desk.js'
import { QueueClient } from './remote.js'

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
    const transport = this.#transport
    const id = context.nextId()
    const engine = transport.engines?.queue?.create(maxsize)
    if (!engine) return new LocalQueue(new QueueHome(context, transport, id, maxsize), context, transport)
    const desk = new HomeDesk(new DepositHome(context, transport, id, engine))
    return new NativeBackend(context, transport, id, engine, desk).use()
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

  get #synchronous(): NativeBackend {
    if (this.#backend instanceof NativeBackend) return this.#backend
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

/** What another context needs to open a queue that arrives there. */
export interface PackedQueue {
  readonly id: string
  readonly maxsize: number
  readonly shutDown: boolean
  /** The end of a wire that leads to the queue's home. */
  readonly end: number
  /** Of a native queue. */
  readonly memory?: unknown
}

/** Makes a queue that arrived in a message usable in `context`. */
export function openQueueBackend(...[context, transport, state, endOf]: Parameters<HandleOpener>): QueueBackend {
  const { id, end, memory } = state as PackedQueue
  const wire = endOf(end)
  if (memory !== undefined) return openNative(context, transport, id, memory, wire)
  const home = context.homes.get(id)
  const known = context.clients.get(id)
  if (!home && !known) return new QueueClient(context, transport, state, open(wire, transport)).use()
  discard(wire, transport)
  // Who has put over a client goes on so, also where the home has come here since: one producer, one order.
  return known ? (known as QueueClient).use() : new LocalQueue(home as QueueHome, context, transport)
}

function openNative(context: Context, transport: Transport, id: string, memory: unknown, end: End): QueueBackend {
  const known = context.natives.get(id)
  const home = context.homes.get(id)
  if (known || home) discard(end, transport)
  if (known) return known.use()
  const local = home instanceof DepositHome ? home : undefined
  const engine = local?.engine ?? transport.engines?.queue?.open(memory)
  if (!engine) throw new MpError('MP_DECODE', `a native queue came to ${transport.name}, which has none`)
  const desk = local ? new HomeDesk(local) : new HolderDesk(context, transport, id, end)
  return new NativeBackend(context, transport, id, engine, desk).use()
}
