import { decode } from '../codec/codec.js'
import type { PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { ParcelReader, readMessage } from '../context/message-reader.js'
import { Envelope, encodeMessage, type HandlePacking } from '../context/message-writer.js'
import { perContext } from '../context/per-context.js'
import { MpError } from '../errors.js'
import { discardParcels, type Parcel } from '../link/wire-end.js'
import { appendText, ByteBuffer, readText } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { atTurnEnd, roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { noteWakeUp, sendBatches, sendWakeUps, wakeUpSent } from '../runtime/unsent.js'
import { WaitList } from '../runtime/wait-list.js'
import { deadlineOf, type WaitOptions } from '../runtime/wait-options.js'
import type { NativeMessage, NativeQueue } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import type { AttachmentsAccess } from './attachments-remote.js'
import { empty, full, type QueueBackend, shutDown } from './backend.js'
import type { Counts } from './home.js'

const ACCEPTED = Promise.resolve()

/**
 * Waiting contexts are woken at the turn's end, or earlier: after this many puts, or this many ms. To wake costs a system call
 * here and a turn there. A loop of awaited puts moves twice as much if it does not wake for each.
 */
const UNANNOUNCED = 64
const UNANNOUNCED_MS = 1

/**
 * An item is an encoded value, and its tag is 0. If it has attachments, its tag is KEYED: then the key of these and the key's
 * length, in one byte, follow the value.
 */
const KEYED = 1

/** A put that waits, with its item as it was at the call. */
interface Putter {
  readonly item: Outgoing
  readonly nowait: boolean
  readonly pending: Pending<void>
}

interface Outgoing {
  readonly bytes: Uint8Array
  readonly end: number
  readonly key: string | undefined
  readonly envelope: Envelope
}

interface Getter {
  readonly nowait: boolean
  readonly pending: Pending<unknown>
}

/** An item that was taken and that waits for its attachments, or has them. */
interface Collected {
  readonly bytes: Uint8Array
  parcels: readonly Parcel[] | undefined
  state: 'waiting' | 'here' | 'gone'
  settle: (() => void) | undefined
}

/** The native queues that a context holds, by id. */
export const nativeQueues: (context: Context) => Map<string, NativeQueueBackend> = perContext()

/**
 * A queue on the medium's own engine. Any context acts on it within the call. There is one per context and queue, so that one
 * producer has one order. Invariants:
 *
 * - Awaited calls of this context are served in their order: while a put waits, later puts wait behind it, and gets likewise.
 * - An item whose attachments will never come is left out.
 */
export class NativeQueueBackend implements QueueBackend {
  readonly id: string
  readonly engine: NativeQueue
  readonly #context: Context
  readonly #transport: Transport
  readonly #attachments: AttachmentsAccess
  readonly #putters = new WaitList<Putter>()
  readonly #getters = new WaitList<Getter>()
  /** Calls that wait until there is an item, and do not take it. */
  readonly #watchers = new Set<Pending<boolean>>()
  /** Items whose call gave up before their attachments came. The next calls get them first. */
  readonly #returned = new Deque<Collected>()
  /** What the last take took, if it has attachments. */
  #collected: Collected | undefined
  #users = 0
  /** How many puts nobody was woken for. */
  #quiet = 0
  /** When the first of them was. */
  #quietSince = 0
  #turnEndAwaited = false
  #out: ByteBuffer | undefined = new ByteBuffer(1024)
  #envelope: Envelope | undefined
  readonly #reader: ParcelReader

  constructor(context: Context, transport: Transport, id: string, engine: NativeQueue, attachments: AttachmentsAccess) {
    this.#context = context
    this.#transport = transport
    this.id = id
    this.engine = engine
    this.#attachments = attachments
    this.#reader = new ParcelReader(context, transport, undefined)
    nativeQueues(context).set(id, this)
  }

  get maxsize(): number {
    return this.engine.maxsize
  }

  use(): this {
    this.#users++
    return this
  }

  put(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    const out = this.#takeBuffer()
    const item = this.#encode(value, out)
    const outcome = this.#putters.length > 0 ? 'full' : this.#append(item)
    if (outcome === 'done') {
      this.#giveBack(out, item)
      const now = roughNow()
      this.#announceSoon(now)
      return turnIsLong(now) ? turn() : ACCEPTED
    }
    if (outcome !== 'busy' && (nowait || outcome !== 'full')) {
      item.envelope.rollback()
      throw outcome === 'full' ? full() : gone(outcome)
    }
    const pending = new Pending<void>()
    const putter: Putter = { item, nowait, pending }
    this.#putters.push(putter)
    const forget = () => {
      this.#putters.delete(putter)
      item.envelope.rollback()
    }
    waits(pending.limit(options, () => pending.reject(full()), forget))
    if (outcome === 'busy') setImmediate(this.#pumpPutters)
    else this.engine.watch('slot', this.#pumpPutters)
    return pending.promise
  }

  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown> {
    // Of what is taken in a long turn the caller would hear a turn later. If the context exits before, it would be lost.
    const later = this.#getters.length === 0 && turnIsLong(roughNow())
    let outcome = later ? 'busy' : this.#getters.length > 0 ? 'empty' : this.#take()
    if (outcome === 'empty' && !nowait && this.#getters.length === 0 && this.engine.spin('item')) outcome = this.#take()
    if (outcome === 'done') {
      if (this.#collected) return this.#receive(this.#collected, options, waits)
      return Promise.resolve(this.#decode(this.engine))
    }
    if (outcome === 'shut' || outcome === 'lost') throw gone(outcome)
    if (outcome === 'empty' && nowait && this.#getters.length === 0) throw empty()
    const pending = new Pending<unknown>()
    const getter: Getter = { nowait, pending }
    this.#getters.push(getter)
    const forget = () => void this.#getters.delete(getter)
    waits(pending.limit(options, () => pending.reject(empty()), forget))
    // A call that does not wait is refused there, if those before it find nothing.
    if (outcome === 'busy' || nowait) setImmediate(this.#pumpGetters)
    else this.engine.watch('item', this.#pumpGetters)
    return pending.promise
  }

  /** As `put`, but blocks this thread. */
  putSync(value: unknown, options: WaitOptions | undefined, nowait: boolean): void {
    const deadline = deadlineOf(options)
    const out = this.#takeBuffer()
    const item = this.#encode(value, out)
    for (;;) {
      // Items that this context put earlier come first.
      if (this.#putters.length > 0) this.#pumpPutters()
      const outcome = this.#putters.length > 0 ? 'full' : this.#append(item)
      if (outcome === 'done') {
        this.announce()
        this.engine.announce()
        return this.#giveBack(out, item)
      }
      const left = deadline - performance.now()
      if (outcome === 'shut' || outcome === 'lost' || nowait || left <= 0) {
        item.envelope.rollback()
        throw outcome === 'shut' || outcome === 'lost' ? gone(outcome) : full()
      }
      sendWakeUps()
      this.engine.wait('slot', left)
    }
  }

  /** As `get`, but blocks this thread. */
  getSync(options: WaitOptions | undefined, nowait: boolean): unknown {
    const deadline = deadlineOf(options)
    let woken = false
    for (;;) {
      const outcome = this.#take()
      if (outcome === 'done') {
        const collected = this.#collected
        if (!collected) {
          const value = this.#decode(this.engine)
          // As in #pumpGetters.
          if (woken && this.engine.size > 0) this.engine.announce()
          return value
        }
        if (this.#collectSync(collected, deadline)) return this.#open(collected)
        if (collected.state === 'gone') continue
        this.#returned.push(collected)
        throw empty()
      }
      if (outcome === 'shut' || outcome === 'lost') throw gone(outcome)
      const left = deadline - performance.now()
      if (nowait || left <= 0) throw empty()
      sendWakeUps()
      this.engine.wait('item', left)
      woken = true
    }
  }

  readable(now: boolean, options: WaitOptions | undefined, waits: Waits): Promise<boolean> {
    const { engine } = this
    if (engine.size > 0 || engine.state !== 'open') return Promise.resolve(true)
    if (now) return Promise.resolve(false)
    const pending = new Pending<boolean>()
    this.#watchers.add(pending)
    const forget = () => void this.#watchers.delete(pending)
    waits(pending.limit(options, () => pending.resolve(false), forget))
    engine.watch('item', this.#pumpGetters)
    return pending.promise
  }

  async counts(): Promise<Counts> {
    if (this.engine.state === 'lost') throw gone('lost')
    return { size: this.engine.size, full: this.engine.full }
  }

  shutDown(immediate: boolean): void {
    if (this.engine.state === 'lost') return
    this.engine.shutDown()
    if (immediate) this.#dropAll()
    this.#pumpPutters()
    this.#pumpGetters()
  }

  collected(): void {
    this.close()
  }

  close(): void {
    this.announce()
    if (--this.#users > 0) return
    this.engine.unwatch('item')
    this.engine.unwatch('slot')
    this.#attachments.close()
    const all = nativeQueues(this.#context)
    if (all.get(this.id) === this) all.delete(this.id)
  }

  pack(packing: HandlePacking): PackedHandle {
    if (this.engine.state === 'lost') throw gone('lost')
    const { id, maxsize } = this
    const end = this.#attachments.share(packing)
    return { kind: 'queue', state: { id, maxsize, shutDown: false, end, memory: this.engine.memory } }
  }

  #announceSoon(now: number): void {
    if (this.#quiet++ === 0) {
      this.#quietSince = now
      noteWakeUp(this)
    } else if (this.#quiet >= UNANNOUNCED || now - this.#quietSince >= UNANNOUNCED_MS) {
      this.announce()
    }
    if (this.#turnEndAwaited) return
    this.#turnEndAwaited = true
    atTurnEnd(this)
  }

  turnEnded(): void {
    this.#turnEndAwaited = false
    this.announce()
  }

  /** As {@link Unsent.sendNow}. */
  sendNow(): void {
    this.announce()
  }

  /** Wakes the contexts that wait for what was put. */
  announce(): void {
    if (this.#quiet === 0) return
    this.#quiet = 0
    wakeUpSent(this)
    this.engine.announce()
  }

  #append(item: Outgoing): ReturnType<NativeQueue['put']> {
    const { bytes, end, key, envelope } = item
    if (key !== undefined) this.#attachments.open()
    sendBatches()
    const outcome = this.engine.put(bytes, 0, end, key === undefined ? 0 : KEYED)
    if (outcome === 'done' && !envelope.unused) {
      envelope.commit()
      if (key !== undefined) this.#attachments.deposit(key, envelope.parcels ?? [])
    }
    return outcome
  }

  #encode(value: unknown, out: ByteBuffer): Outgoing {
    const envelope = this.#envelope ?? new Envelope(this.#transport, undefined, Number.POSITIVE_INFINITY)
    this.#envelope = undefined
    encodeMessage(value, out, envelope)
    let key: string | undefined
    if (envelope.parcels) {
      key = this.#context.nextId()
      appendText(out, key)
      out.reserve(1)
      out.bytes[out.length++] = key.length
    }
    return { bytes: out.bytes, end: out.length, key, envelope }
  }

  /** Encoding may run user code that puts into this queue. So each encoding has a buffer of its own. */
  #takeBuffer(): ByteBuffer {
    const out = this.#out ?? new ByteBuffer(1024)
    this.#out = undefined
    out.length = 0
    return out
  }

  #giveBack(out: ByteBuffer, { envelope }: Outgoing): void {
    if (out.bytes.length <= 64 * 1024) this.#out = out
    if (envelope.unused) this.#envelope = envelope
  }

  readonly #pumpPutters = (): boolean => {
    let useful = this.#putters.length > 0
    for (const putter of this.#putters) {
      const { item, nowait, pending } = putter
      const outcome = this.#append(item)
      if (outcome === 'busy') {
        setImmediate(this.#pumpPutters)
        return true
      }
      if (outcome === 'full' && !nowait) {
        this.engine.watch('slot', this.#pumpPutters)
        break
      }
      this.#putters.delete(putter)
      if (outcome === 'done') {
        this.#announceSoon(roughNow())
        pending.resolve()
      } else {
        item.envelope.rollback()
        pending.reject(outcome === 'full' ? full() : gone(outcome))
      }
      useful = true
    }
    return useful
  }

  readonly #pumpGetters = (): boolean => {
    const { engine } = this
    // A watcher takes nothing. If this context only has watchers, the wake-up goes on to another context.
    const useful = this.#getters.length > 0
    if (this.#watchers.size > 0) {
      if (engine.size > 0 || engine.state !== 'open') {
        for (const watcher of this.#watchers) watcher.resolve(true)
        this.#watchers.clear()
      } else if (!useful) engine.watch('item', this.#pumpGetters)
    }
    let found = true
    for (const getter of this.#getters) {
      const { nowait, pending } = getter
      if (!found && !nowait) continue
      const outcome = found ? this.#take() : 'empty'
      if (outcome === 'busy') {
        setImmediate(this.#pumpGetters)
        return true
      }
      if (outcome === 'empty' && !nowait) {
        this.engine.watch('item', this.#pumpGetters)
        found = false
        continue
      }
      if (outcome === 'done') this.#deliver(getter)
      else pending.reject(outcome === 'empty' ? empty() : gone(outcome))
      this.#getters.delete(getter)
    }
    // One wake-up may be for several puts: who has no use for the rest passes it on.
    if (useful && this.#getters.length === 0 && engine.size > 0) engine.announce()
    return useful
  }

  /** Answers the call with the item that was just taken. */
  #deliver({ pending }: Getter): void {
    const collected = this.#collected
    if (!collected) {
      try {
        pending.resolve(this.#decode(this.engine))
      } catch (error) {
        pending.reject(error)
      }
      return
    }
    this.#answer(pending, collected)
  }

  /** Takes the oldest item. It is then in the engine's fields, or in `#collected` if it has attachments. */
  #take(): ReturnType<NativeQueue['take']> {
    for (let next = this.#returned.shift(); next; next = this.#returned.shift()) {
      this.#collected = next
      if (next.state !== 'gone') return 'done'
    }
    this.#collected = undefined
    return this.engine.take(this.#collect)
  }

  readonly #collect = ({ bytes, end }: NativeMessage): void => {
    const keyEnd = end - 1
    const keyStart = keyEnd - (bytes[keyEnd] as number)
    const collected: Collected = {
      bytes: bytes.slice(0, keyStart),
      parcels: undefined,
      state: 'waiting',
      settle: undefined,
    }
    this.#collected = collected
    this.#attachments.collect(readText(bytes, keyStart, keyEnd), parcels => {
      collected.parcels = parcels
      collected.state = parcels ? 'here' : 'gone'
      collected.settle?.()
    })
  }

  #receive(collected: Collected, options: WaitOptions | undefined, waits: Waits): Promise<unknown> {
    const pending = new Pending<unknown>()
    this.#answer(pending, collected)
    if (!pending.settled)
      waits(
        pending.limit(
          options,
          () => pending.reject(empty()),
          () => {},
        ),
      )
    return pending.promise
  }

  #answer(pending: Pending<unknown>, collected: Collected): void {
    const settle = () => {
      if (pending.settled) {
        // The call gave up meanwhile. The next call gets the item.
        if (collected.state === 'here') this.#returned.push(collected)
        this.#pumpGetters()
      } else if (collected.state === 'gone') {
        this.#getters.push({ nowait: false, pending })
        this.#pumpGetters()
      } else {
        try {
          pending.resolve(this.#open(collected))
        } catch (error) {
          pending.reject(error)
        }
      }
    }
    if (collected.state === 'waiting') collected.settle = settle
    else settle()
  }

  #collectSync(collected: Collected, deadline: number): boolean {
    collected.settle = undefined
    while (collected.state === 'waiting' && performance.now() < deadline) this.#attachments.receiveSync()
    return collected.state === 'here'
  }

  #open({ bytes, parcels }: Collected): unknown {
    return readMessage(this.#context, this.#transport, { bytes, start: 0, end: bytes.length, parcels })
  }

  #decode({ bytes, start, end }: NativeMessage): unknown {
    return decode(bytes, start, end, this.#reader)
  }

  #dropAll(): void {
    for (let outcome = this.#take(); outcome === 'done' || outcome === 'busy'; outcome = this.#take()) {
      const collected = this.#collected
      if (!collected || outcome === 'busy') continue
      const drop = () => discardParcels(collected.parcels, this.#transport)
      if (collected.state === 'waiting') collected.settle = drop
      else drop()
    }
  }
}

function gone(outcome: 'shut' | 'lost'): MpError {
  if (outcome === 'shut') return shutDown()
  return new MpError('MP_SHUT_DOWN', 'the context that made this queue was killed')
}
