import type { PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MessageReader } from '../context/message-reader.js'
import { type Envelope, Envelopes, encodeMessage, type HandlePacking } from '../context/message-writer.js'
import { ByteBuffer } from '../runtime/byte-buffer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { caughtUp, roughNow, turn, turnIsLong } from '../runtime/turn.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import { empty, full, type JoinableBackend, shutDown, tasksLeft } from './backend.js'
import type { Counts, QueueHome } from './home.js'
import { type Item, itemOf } from './item.js'
import type { Putter } from './slots.js'
import type { Getter } from './stock.js'

/** Bytes. Items that are put here are encoded one behind the other into buffers of about this size. */
const ARENA = 64 * 1024

/** A queue used in its home. There is no wire, but items are encoded all the same: an item is as it was at the call. */
export class LocalQueue implements JoinableBackend {
  readonly maxsize: number
  readonly home: QueueHome
  readonly #reader: MessageReader
  readonly #envelopes: Envelopes
  #arena: ByteBuffer | undefined = new ByteBuffer(256)

  constructor(home: QueueHome, context: Context, transport: Transport) {
    this.home = home
    this.#reader = new MessageReader(context, transport)
    this.#envelopes = new Envelopes(transport)
    this.maxsize = home.maxsize
    home.use()
  }

  put(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    const home = this.home
    if (home.isShutDown) throw shutDown()
    const envelope = this.#envelopes.take()
    const item = this.#encode(value, envelope)
    if (!home.full) {
      this.#envelopes.commit(envelope)
      home.put(item)
      return turnIsLong(roughNow()) ? turn() : Promise.resolve()
    }
    if (nowait) return this.#putNow(item, envelope)
    const pending = new Pending<void>()
    const putter: Putter = {
      grant: () => {
        envelope.commit()
        home.put(item)
        pending.resolve()
      },
      refuse: () => {
        envelope.rollback()
        pending.reject(shutDown())
      },
    }
    home.waitForSlot(putter)
    const forget = () => {
      home.forget(putter)
      envelope.rollback()
    }
    waits(pending.limit(options, () => pending.reject(full()), forget))
    return pending.promise
  }

  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown> {
    const home = this.home
    // What is taken in a long turn would be given only a turn later, when calls that wait may have got younger items.
    if (turnIsLong(roughNow())) return this.#getLater(options, nowait, waits)
    const item = home.take(nowait)
    if (item) return Promise.resolve(this.#reader.read(item))
    if (home.exhausted) throw shutDown()
    if (nowait) return this.#lookAgain()
    const pending = new Pending<unknown>()
    const getter = this.#wait(pending)
    waits(
      pending.limit(
        options,
        () => pending.reject(empty()),
        () => home.forget(getter),
      ),
    )
    return pending.promise
  }

  /** As `get`, but takes nothing before the next turn. */
  #getLater(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown> {
    const home = this.home
    const pending = new Pending<unknown>()
    let getter: Getter | undefined
    waits(
      pending.limit(
        nowait ? undefined : options,
        () => pending.reject(empty()),
        () => getter && home.forget(getter),
      ),
    )
    void turn().then(() => {
      if (pending.settled) return
      try {
        const item = home.take(nowait)
        if (item) pending.resolve(this.#reader.read(item))
        else if (home.exhausted) pending.reject(shutDown())
        else if (nowait)
          this.#lookAgain().then(
            value => pending.resolve(value),
            error => pending.reject(error),
          )
        else getter = this.#wait(pending)
      } catch (error) {
        pending.reject(error)
      }
    })
    return pending.promise
  }

  #wait(pending: Pending<unknown>): Getter {
    const getter: Getter = {
      deliver: arrived => {
        try {
          pending.resolve(this.#reader.read(arrived))
        } catch (error) {
          pending.reject(error)
        }
      },
      refuse: () => pending.reject(shutDown()),
    }
    this.home.waitForItem(getter)
    return getter
  }

  async readable(now: boolean, options: WaitOptions | undefined, waits: Waits): Promise<boolean> {
    const home = this.home
    if (now && !home.readable) await caughtUp()
    if (now || home.readable) return home.readable
    const pending = new Pending<boolean>()
    const watcher = { ready: () => pending.resolve(true) }
    home.watch(watcher)
    waits(
      pending.limit(
        options,
        () => pending.resolve(false),
        () => home.forget(watcher),
      ),
    )
    return pending.promise
  }

  async taskDone(): Promise<boolean> {
    return this.home.taskDone()
  }

  tasksDone(options: WaitOptions | undefined, waits: Waits): Promise<void> {
    const pending = new Pending<void>()
    const watcher = { ready: () => pending.resolve() }
    waits(
      pending.limit(
        options,
        () => pending.reject(tasksLeft()),
        () => this.home.forget(watcher),
      ),
    )
    this.home.watchTasks(watcher)
    return pending.promise
  }

  async counts(): Promise<Counts> {
    // Others may have sent something that this context has not read yet.
    if (this.home.size === 0) await caughtUp()
    return this.home.counts()
  }

  shutDown(immediate: boolean): void {
    this.home.shutDown(immediate)
  }

  close(): void {
    this.home.unuse()
  }

  collected(): void {
    this.home.unuse()
  }

  pack(packing: HandlePacking): PackedHandle {
    const end = packing.attachEnd(this.home.share())
    return { kind: 'queue', state: { id: this.home.id, maxsize: this.maxsize, shutDown: this.home.isShutDown, end } }
  }

  /** The queue looks full. It may not be: slots that were granted ahead may come back. */
  async #putNow(item: Item, envelope: Envelope): Promise<void> {
    const { home } = this
    await home.slotsSettled()
    if (home.full || home.isShutDown) {
      envelope.rollback()
      throw home.isShutDown ? shutDown() : full()
    }
    envelope.commit()
    home.put(item)
  }

  async #lookAgain(): Promise<unknown> {
    await caughtUp()
    const item = this.home.take(true)
    if (!item) throw empty()
    return this.#reader.read(item)
  }

  #encode(value: unknown, envelope: Envelope): Item {
    const spare = this.#arena
    const arena = spare && spare.length < ARENA ? spare : new ByteBuffer(ARENA + 4096)
    // Encoding may run user code that puts into this queue. Its item must not be written into the middle of this one.
    this.#arena = undefined
    const start = arena.length
    encodeMessage(value, arena, envelope)
    this.#arena = arena
    return itemOf(arena.bytes, start, arena.length, envelope.parcels)
  }
}
