import { type Broker, type Holder, Holders } from '../broker/holders.js'
import * as protocol from '../broker/protocol.js'
import type { Context, Pack } from '../context/context.js'
import { MpError } from '../errors.js'
import { attachedBytes } from '../link/frame.js'
import type { Link, Message } from '../link/link.js'
import { discardParcels, type End, LiveObject, open, type Parcel } from '../link/wire-end.js'
import { appendBytes, appendU32, type ByteBuffer, readU32 } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { WaitList } from '../runtime/wait-list.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import type { QueueEstate } from './handover.js'
import { type Item, packItem, unpackItem } from './item.js'

/** A call that waits for an item. */
export interface Getter {
  deliver(item: Item): void
  refuse(): void
  readonly holder?: QueueHolder
  readonly call?: number
}

/** A call that waits for a slot of a bounded queue. */
export interface Putter {
  grant(): void
  refuse(): void
  readonly holder?: QueueHolder
  readonly call?: number
}

/** A call that waits for the queue to be in some state, and takes nothing. */
export interface Watcher {
  ready(): void
  readonly holder?: QueueHolder
  readonly call?: number
}

interface QueueHolder extends Holder {
  /** Slots granted and not filled: they are free again if it dies. */
  reserved: number
  /** Calls that wait here since the home has moved, or were answered since; it makes them again once it learns of the move. */
  readonly adopted: Set<number>
}

/** Bytes of items, about, that one message to the next home holds. */
const PART = 16 * 1024 * 1024

/**
 * The broker of one queue, in the context that is its home. Invariants:
 *
 * - `getters` and `items` are never both non-empty; nor are `putters` and a free slot.
 * - `items.length + reserved <= maxsize`, where it is bounded. A slot is reserved from the grant of a put until its item is
 *   here, so that what `put` has promised never exceeds the bound, and a holder's death gives its slots back.
 * - `watchers` wait only while a get would; `joiners` only while `unfinished > 0`, which counts the items that were put and
 *   not dealt with since.
 * - Items leave in the order in which they came; one producer's come in the order in which it put them.
 */
export class QueueHome implements Broker<QueueHolder> {
  readonly id: string
  readonly maxsize: number
  readonly transport: Transport
  readonly #items = new Deque<Item>()
  readonly #getters = new WaitList<Getter>()
  readonly #putters = new WaitList<Putter>()
  readonly #watchers = new WaitList<Watcher>()
  readonly #joiners = new WaitList<Watcher>()
  readonly #holders: Holders<QueueHolder>
  #unfinished = 0
  #reserved = 0
  #delivered = 0
  #granting = false
  #shutDown: QueueEstate['shutDown'] = 'no'

  constructor(context: Context, transport: Transport, id: string, maxsize: number) {
    this.transport = transport
    this.id = id
    this.maxsize = maxsize
    this.#holders = new Holders(context, this)
  }

  get size(): number {
    return this.#items.length
  }

  get full(): boolean {
    return this.maxsize > 0 && this.#items.length + this.#reserved >= this.maxsize
  }

  get isShutDown(): boolean {
    return this.#shutDown !== 'no'
  }

  /** Stores the item, or gives it to the longest waiting getter. */
  put(item: Item): void {
    this.#unfinished++
    const getter = this.#getters.shift()
    if (!getter) {
      this.#items.push(item)
      if (this.#watchers.length > 0) wake(this.#watchers)
      return
    }
    getter.deliver(item)
    this.#slotsChanged()
  }

  /** The oldest item, if there is one. */
  take(): Item | undefined {
    const item = this.#items.shift()
    if (item) this.#slotsChanged()
    return item
  }

  /** An item that its getter could not use any more comes before all that were never handed out, in the old order. */
  #putBack(item: Numbered): void {
    const getter = this.#holders.moving ? undefined : this.#getters.shift()
    if (getter) return getter.deliver(item)
    const earlier: Item[] = []
    for (let next = this.#items.peek(); next && isBefore(next, item); next = this.#items.peek()) {
      earlier.push(this.#items.shift() as Item)
    }
    this.#items.unshift(item)
    for (const each of earlier.reverse()) this.#items.unshift(each)
    wake(this.#watchers)
  }

  /** Whether a get would be refused rather than wait: nothing is here, and nothing more will come. */
  get exhausted(): boolean {
    return this.isShutDown && this.#items.length === 0 && this.#reserved === 0
  }

  waitForItem(getter: Getter): void {
    this.#getters.push(getter)
  }

  waitForSlot(putter: Putter): void {
    this.#putters.push(putter)
  }

  /** Whether a get would not wait. */
  get readable(): boolean {
    return this.#items.length > 0 || this.exhausted
  }

  /** Tells the watcher when a get would not wait. */
  watch(watcher: Watcher): void {
    if (this.readable) watcher.ready()
    else this.#watchers.push(watcher)
  }

  /** Tells the watcher when every item has been dealt with. */
  watchTasks(watcher: Watcher): void {
    if (this.#unfinished === 0) watcher.ready()
    else this.#joiners.push(watcher)
  }

  /** An item has been dealt with; false where none is left. */
  taskDone(): boolean {
    if (this.#unfinished === 0) return false
    this.#finish(1)
    return true
  }

  forget(waiter: Getter | Putter | Watcher): void {
    for (const line of [this.#getters, this.#putters, this.#watchers, this.#joiners] as WaitList<unknown>[]) {
      if (line.delete(waiter)) return
    }
  }

  shutDown(immediate: boolean): void {
    if (this.#shutDown !== 'dropping') this.#shutDown = immediate ? 'dropping' : 'draining'
    for (let next = this.#putters.shift(); next; next = this.#putters.shift()) next.refuse()
    if (immediate) {
      for (const item of this.#items) discardParcels(item.parcels, this.transport)
      this.#finish(Math.min(this.#items.length, this.#unfinished))
      this.#items.clear()
    }
    this.#refuseGetters()
    for (const holder of this.#holders) holder.link.control(protocol.WAS_SHUT_DOWN)
  }

  /** A new wire to this queue; the returned end goes to whoever shall hold it. */
  share(): End {
    return this.#holders.share()
  }

  /** Lets another program hold this queue. */
  admit(wire: Wire, transport: Transport): void {
    this.#holders.join(wire, transport)
  }

  flush(): void {
    this.#holders.flush()
  }

  handOver(pack: Pack, deadline?: number): Promise<void> {
    const inParts: Pack = estate => {
      this.#packFirst(pack)
      pack(estate)
    }
    return this.#holders.handOver(inParts, deadline, (packing, ends, holders) => ({
      kind: 'queue',
      id: this.id,
      maxsize: this.maxsize,
      shutDown: this.#shutDown,
      unfinished: this.#unfinished,
      delivered: this.#delivered,
      holders: ends,
      items: [...this.#items].map(item => packItem(item, packing)),
      getters: placesOf(this.#getters, holders),
      putters: placesOf(this.#putters, holders),
    }))
  }

  /** Packs items until the rest fits into one message. */
  #packFirst(pack: Pack): void {
    let part: Item[] = []
    let bytes = 0
    for (let item = this.#items.shift(); item; item = this.#items.shift()) {
      const size = item.end - item.start + attachedBytes(item.parcels ?? [])
      if (part.length > 0 && bytes + size > PART) {
        const full = part
        pack(packing => ({ kind: 'items', id: this.id, items: full.map(each => packItem(each, packing)) }))
        part = []
        bytes = 0
      }
      part.push(item)
      bytes += size
    }
    for (const each of part) this.#items.push(each)
  }

  /** Takes over a queue whose home's context has ended. */
  static adopt(
    context: Context,
    transport: Transport,
    estate: QueueEstate,
    parcelAt: (index: number) => Parcel,
    first: readonly Item[],
  ): void {
    const home = new QueueHome(context, transport, estate.id, estate.maxsize)
    home.#shutDown = estate.shutDown
    home.#unfinished = estate.unfinished
    home.#delivered = estate.delivered
    for (const item of first) home.#items.push(item)
    for (const item of estate.items) home.#items.push(unpackItem(item, parcelAt))
    const holders = estate.holders.map(end => home.#holders.join(open(parcelAt(end) as End, transport)))
    home.#adoptCalls(holders, estate.getters, (holder, call) => home.#get(holder, call, false))
    home.#adoptCalls(holders, estate.putters, (holder, call) => home.#reserve(holder, call, false))
  }

  /** Calls keep their order, over all holders, although one learns of the move before another. */
  #adoptCalls(
    holders: readonly QueueHolder[],
    places: readonly number[],
    make: (holder: QueueHolder, call: number) => void,
  ): void {
    for (let i = 0; i < places.length; i += 2) {
      const holder = holders[places[i] as number]
      const call = places[i + 1] as number
      if (!holder) throw new MpError('MP_DECODE', 'an estate refers to a holder that did not come with it')
      holder.adopted.add(call)
      make(holder, call)
    }
  }

  meet(link: Link): QueueHolder {
    if (this.isShutDown) link.control(protocol.WAS_SHUT_DOWN)
    return { link, reserved: 0, adopted: new Set() }
  }

  keep(holder: QueueHolder, item: Message): void {
    switch (item.type) {
      case protocol.CANCEL:
        this.#cancel(holder, readU32(item.bytes, item.start))
        break
      case protocol.PUT:
      case protocol.FILL:
        if (this.#shutDown === 'dropping') return discardParcels(item.parcels, this.transport)
        this.#unfinished++
        this.#items.push(item)
        break
      case protocol.UNGET:
        this.#putBack(numbered(item))
        break
      case protocol.SHUT_DOWN:
        this.shutDown(readU32(item.bytes, item.start) === 1)
    }
  }

  hear(holder: QueueHolder, item: Message): void {
    const { type, bytes, start } = item
    const call = readU32(bytes, start)
    switch (type) {
      case protocol.PUT:
        if (this.#shutDown === 'dropping') return discardParcels(item.parcels, this.transport)
        return this.put(item)
      case protocol.RESERVE:
        return holder.adopted.delete(call) ? undefined : this.#reserve(holder, call, readU32(bytes, start + 4) === 1)
      case protocol.FILL:
        this.#release(holder)
        if (this.#shutDown !== 'dropping') return this.put(item)
        discardParcels(item.parcels, this.transport)
        return this.#slotsChanged()
      case protocol.UNRESERVE:
        this.#release(holder)
        return this.#slotsChanged()
      case protocol.GET:
        return holder.adopted.delete(call) ? undefined : this.#get(holder, call, readU32(bytes, start + 4) === 1)
      case protocol.UNGET:
        holder.link.control(protocol.UNGOT)
        return this.#putBack(numbered(item))
      case protocol.CANCEL:
        return this.#cancel(holder, call)
      case protocol.QUERY:
        return holder.link.control(protocol.COUNTS, out => {
          append(out, call, this.size, this.full ? 1 : 0, this.isShutDown ? 1 : 0)
        })
      case protocol.SHUT_DOWN:
        return this.shutDown(call === 1)
      case protocol.TASK_DONE:
        if (this.taskDone()) return done(holder, call)
        return refuse(holder, call, protocol.REASON_WAIT)
      case protocol.AWAIT_TASKS:
        return this.watchTasks({ holder, call, ready: () => done(holder, call) })
      case protocol.WATCH:
        if (readU32(bytes, start + 4) === 1 && !this.readable) return refuse(holder, call, protocol.REASON_WAIT)
        return this.watch({ holder, call, ready: () => done(holder, call) })
      default:
        throw new MpError('MP_DECODE', `a queue's home knows no message of type ${type}`)
    }
  }

  #reserve(holder: QueueHolder, call: number, nowait: boolean): void {
    const putter: Putter = {
      holder,
      call,
      grant: () => {
        holder.reserved++
        this.#reserved++
        holder.link.control(protocol.GRANTED, out => append(out, call))
      },
      refuse: () => refuse(holder, call, protocol.REASON_SHUT_DOWN),
    }
    if (this.isShutDown) putter.refuse()
    else if (!this.full) putter.grant()
    else if (nowait) refuse(holder, call, protocol.REASON_WAIT)
    else this.waitForSlot(putter)
  }

  #get(holder: QueueHolder, call: number, nowait: boolean): void {
    const getter: Getter = {
      holder,
      call,
      deliver: item => this.#deliver(holder, call, item),
      refuse: () => refuse(holder, call, protocol.REASON_SHUT_DOWN),
    }
    const item = this.take()
    if (item) getter.deliver(item)
    else if (this.exhausted) getter.refuse()
    else if (nowait) refuse(holder, call, protocol.REASON_WAIT)
    else this.waitForItem(getter)
  }

  #deliver(holder: QueueHolder, call: number, item: Item): void {
    if (!item.parcels?.some(holdsHandle) || !this.#holders.isForeign(holder)) {
      holder.link.control(protocol.ITEM, out => this.#appendItem(out, call, item), item.parcels)
      return
    }
    refuse(holder, call, protocol.REASON_NOT_SHAREABLE)
    this.#putBack({ ...item, number: item.number ?? this.#delivered++ })
  }

  #appendItem(out: ByteBuffer, call: number, { bytes, start, end, number }: Item): void {
    append(out, call, number ?? this.#delivered++)
    appendBytes(out, bytes, start, end)
  }

  #cancel(holder: QueueHolder, call: number): void {
    holder.adopted.delete(call)
    this.#removeWaiters(each => each.holder === holder && each.call === call)
  }

  #removeWaiters(unwanted: (waiter: Getter | Putter | Watcher) => boolean): void {
    this.#getters.remove(unwanted)
    this.#putters.remove(unwanted)
    this.#watchers.remove(unwanted)
    this.#joiners.remove(unwanted)
  }

  #finish(count: number): void {
    this.#unfinished -= count
    if (this.#unfinished === 0) wake(this.#joiners)
  }

  #release(holder: QueueHolder): void {
    if (holder.reserved === 0) throw new MpError('MP_DECODE', 'a holder fills a slot that it was not granted')
    holder.reserved--
    this.#reserved--
  }

  #slotsChanged(): void {
    // A grant may put, and so come here again: thousands of waiting calls would overflow the stack.
    if (this.#granting) return
    this.#granting = true
    try {
      while (this.#putters.length > 0 && !this.full) (this.#putters.shift() as Putter).grant()
    } finally {
      this.#granting = false
    }
    this.#refuseGetters()
  }

  #refuseGetters(): void {
    if (!this.exhausted) return
    wake(this.#watchers)
    for (let next = this.#getters.shift(); next; next = this.#getters.shift()) next.refuse()
  }

  /** The holder is gone. What it had put stays; what it waited for, and the slots it held, are free. */
  left(holder: QueueHolder): void {
    this.#removeWaiters(each => each.holder === holder)
    this.#reserved -= holder.reserved
    holder.reserved = 0
    this.#slotsChanged()
  }
}

function placesOf(line: Iterable<Getter | Putter>, holders: readonly QueueHolder[]): readonly number[] {
  return [...line].flatMap(({ holder, call }) => {
    return holder && call !== undefined && holders.includes(holder) ? [holders.indexOf(holder), call] : []
  })
}

/** Rather than bytes of a large array. */
function holdsHandle(parcel: Parcel): boolean {
  return !(parcel instanceof LiveObject && parcel.object instanceof ArrayBuffer)
}

function wake(line: WaitList<Watcher>): void {
  for (let next = line.shift(); next; next = line.shift()) next.ready()
}

function done(holder: QueueHolder, call: number): void {
  holder.link.control(protocol.DONE, out => append(out, call))
}

function refuse(holder: Holder, call: number, reason: number): void {
  holder.link.control(protocol.REFUSED, out => append(out, call, reason))
}

function append(out: ByteBuffer, ...values: number[]): void {
  for (const value of values) appendU32(out, value)
}

type Numbered = Item & { readonly number: number }

/** The item of an UNGET. */
function numbered({ bytes, start, end, parcels }: Item): Numbered {
  return { bytes, start: start + 4, end, parcels, number: readU32(bytes, start) }
}

/** Whether `other` was handed out before `item`. Numbers wrap at 2 ** 32. */
function isBefore(other: Item, item: Numbered): boolean {
  return other.number !== undefined && ((other.number - item.number) | 0) < 0
}
