import type { Offer } from '../board/board.js'
import { offerBoard } from '../board/offer.js'
import { type Broker, type Holder, Holders } from '../broker/holders.js'
import { CANCEL } from '../broker/protocol.js'
import type { Context, Pack } from '../context/context.js'
import { MpError } from '../errors.js'
import { attachedBytes } from '../link/frame.js'
import type { Link, Message } from '../link/link.js'
import { discardParcels, type End, LiveObject, open, type Parcel } from '../link/wire-end.js'
import { appendBytes, appendText, appendU32, type ByteBuffer, readU32 } from '../runtime/byte-buffer.js'
import { WaitList } from '../runtime/wait-list.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import type { QueueEstate } from './handover.js'
import { type Item, itemOf, packItem, unpackItem } from './item.js'
import { Lease } from './lease.js'
import * as protocol from './protocol.js'
import { type Consumer, type Getter, Stock, type StockUser } from './stock.js'

export interface Counts {
  readonly size: number
  readonly full: boolean
}

/** A call that waits for a slot of a bounded queue. */
export interface Putter {
  grant(): void
  refuse(): void
  readonly holder?: QueueHolder
  readonly call?: number
}

/** A call that waits until the queue is in some state. It takes nothing. */
export interface Watcher {
  ready(): void
  readonly holder?: QueueHolder
  readonly call?: number
}

interface QueueHolder extends Holder, Consumer {
  /** Slots that it was granted and has not filled. They are free again when it dies. */
  reserved: number
  /** How many slots it may be granted ahead. Doubles when it gets them all, and falls by those that it returns. */
  ahead: number
  /** Calls for a slot that came with the home. The holder makes them again when it learns of the move; then they are ignored. */
  readonly adopted: Set<number>
  /** Calls that wait here. */
  readonly calls: Set<number>
  /** The board that it was offered. */
  offered: Offer | undefined
  /** What is to be done once it has answered whether it could open the board. */
  opening: (() => void)[] | undefined
}

/** ms that home waits at most for slots that were granted ahead, before it says that the queue is full. */
const LONGEST_TURN = 20

/** The most calls of another program that may wait here at a time. */
const MOST_CALLS = 10_000

/** Bytes of items, about, that go into one message to the next home. */
const PART = 16 * 1024 * 1024

/**
 * The broker of one queue, in the context that is its home. A {@link Stock} has the items, and the invariants of who gets which.
 * The invariants here are about the bound and the counts:
 *
 * - A waiting putter and a free slot never both exist.
 * - `stored + out + reserved <= maxsize` if the queue is bounded. A slot is reserved from the grant of a put until the item is
 *   here. So what `put` has promised never exceeds the bound, and slots of a holder that dies are free again. The item's slot
 *   is free when the item is claimed.
 * - Watchers wait only while a get would wait. Joiners wait only while `unfinished > 0`: the number of items that were put and
 *   have not been dealt with.
 * - The items of one producer come in the order in which it put them.
 */
export class QueueHome implements Broker<QueueHolder>, StockUser {
  readonly id: string
  readonly maxsize: number
  readonly transport: Transport
  readonly #context: Context
  readonly #stock: Stock
  readonly #putters = new WaitList<Putter>()
  readonly #watchers = new WaitList<Watcher>()
  readonly #joiners = new WaitList<Watcher>()
  readonly #holders: Holders<QueueHolder>
  #unfinished = 0
  #reserved = 0
  /** Calls that ask whether the queue is full, and wait for slots that were granted ahead. */
  readonly #unsettled = new Set<() => void>()
  #granting = false
  #shutDown: QueueEstate['shutDown'] = 'no'

  constructor(context: Context, transport: Transport, id: string, maxsize: number) {
    this.transport = transport
    this.id = id
    this.maxsize = maxsize
    this.#context = context
    this.#stock = new Stock(this)
    this.#holders = new Holders(context, this)
  }

  get size(): number {
    return this.#stock.size
  }

  get full(): boolean {
    if (this.maxsize === 0 || this.#stock.sizeAtMost + this.#reserved < this.maxsize) return false
    return this.#stock.size + this.#reserved >= this.maxsize
  }

  async counts(): Promise<Counts> {
    if (this.full) await this.slotsSettled()
    return { size: this.size, full: this.full }
  }

  get isShutDown(): boolean {
    return this.#shutDown !== 'no'
  }

  /** Gives the item to whoever waits, or sends it ahead of the asking, or stores it. */
  put(item: Item): void {
    this.#unfinished++
    if (this.#stock.put(item) && this.#watchers.length > 0) wake(this.#watchers)
  }

  /** The oldest item, if there is one. Without `now`, undefined also if another context may keep it a moment longer. */
  take(now: boolean): Item | undefined {
    return this.#stock.take(now)
  }

  /** Whether a get would be refused at once: nothing is here, and nothing more will come. */
  get exhausted(): boolean {
    return this.isShutDown && this.#reserved === 0 && this.#stock.size === 0
  }

  waitForItem(getter: Getter): void {
    this.#stock.wait(getter)
  }

  waitForSlot(putter: Putter): void {
    this.#putters.push(putter)
    this.#stock.ask(true)
  }

  /** Whether a get would not wait. */
  get readable(): boolean {
    return this.#stock.readable || this.exhausted
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

  /** Notes that an item has been dealt with. Gives false if all had been before. */
  taskDone(): boolean {
    if (this.#unfinished === 0) return false
    this.#finish(1)
    return true
  }

  forget(waiter: Getter | Putter | Watcher): void {
    if (this.#stock.forget(waiter as Getter)) return
    for (const line of [this.#putters, this.#watchers, this.#joiners] as WaitList<unknown>[]) {
      if (line.delete(waiter)) return
    }
  }

  shutDown(immediate: boolean): void {
    if (this.#shutDown !== 'dropping') this.#shutDown = immediate ? 'dropping' : 'draining'
    for (let next = this.#putters.shift(); next; next = this.#putters.shift()) next.refuse()
    if (immediate) {
      this.#stock.takeAllBack()
      let dropped = 0
      for (const item of this.#stock.drain()) {
        discardParcels(item.parcels, this.transport)
        dropped++
      }
      this.#finish(Math.min(dropped, this.#unfinished))
    }
    this.#refuseGetters()
    for (const holder of this.#holders) holder.link.control(protocol.WAS_SHUT_DOWN)
  }

  /** Makes a new wire to this queue. The returned end goes to the context that will hold the queue. */
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
    this.#stock.takeAllBack()
    let last: readonly Item[] = []
    const inParts: Pack = estate => {
      last = this.#packFirst(pack)
      pack(estate)
    }
    return this.#holders.handOver(inParts, deadline, (packing, ends, holders) => ({
      kind: 'queue',
      id: this.id,
      maxsize: this.maxsize,
      shutDown: this.#shutDown,
      unfinished: this.#unfinished,
      holders: ends,
      items: last.map(item => packItem(item, packing)),
      getters: this.#stock.waiting.flatMap(consumer => {
        const index = holders.indexOf(consumer as QueueHolder)
        return index < 0 ? [] : [index]
      }),
      putters: placesOf(this.#putters, holders),
    }))
  }

  /** Packs the first items into messages of their own. Gives the rest, which fits into one message. No item can come back now. */
  #packFirst(pack: Pack): readonly Item[] {
    for (const { lease, offered } of this.#holders) {
      lease.board = undefined
      offered?.close()
    }
    let part: Item[] = []
    let bytes = 0
    for (const item of this.#stock.drain()) {
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
    return part
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
    for (const item of first) home.#stock.keep(item)
    for (const item of estate.items) home.#stock.keep(unpackItem(item, parcelAt))
    const holders = estate.holders.map(end => home.#holders.join(open(parcelAt(end) as End, transport)))
    for (const index of estate.getters) {
      const holder = holderAt(holders, index)
      holder.lease.expect()
      home.#whenOpened(holder, () => home.#wanted(holder))
    }
    home.#adoptCalls(holders, estate.putters, (holder, call) => home.#reserve(holder, call, false))
  }

  /** Keeps the calls of all holders in their order, although one holder learns of the move before another. */
  #adoptCalls(
    holders: readonly QueueHolder[],
    places: readonly number[],
    make: (holder: QueueHolder, call: number) => void,
  ): void {
    for (let i = 0; i < places.length; i += 2) {
      const holder = holderAt(holders, places[i] as number)
      const call = places[i + 1] as number
      holder.adopted.add(call)
      make(holder, call)
    }
  }

  meet(link: Link): QueueHolder {
    if (this.isShutDown) link.control(protocol.WAS_SHUT_DOWN)
    return {
      link,
      reserved: 0,
      ahead: 1,
      adopted: new Set(),
      calls: new Set(),
      lease: new Lease(),
      asks: [],
      offered: undefined,
      opening: undefined,
    }
  }

  keep(holder: QueueHolder, message: Message): void {
    const { type, bytes, start } = message
    switch (type) {
      case CANCEL:
        this.#cancel(holder, readU32(bytes, start))
        break
      case protocol.PUT:
      case protocol.FILL:
        if (this.#shutDown === 'dropping') return discardParcels(message.parcels, this.transport)
        this.#unfinished++
        this.#stock.keep(itemIn(message, 0))
        break
      case protocol.UNGET:
        this.#stock.keepReturned(holder, readU32(bytes, start), itemIn(message, 4))
        break
      case protocol.CLAIMED:
        holder.lease.claimed(readU32(bytes, start))
        break
      case protocol.SHUT_DOWN:
        this.shutDown(readU32(bytes, start) === 1)
    }
  }

  hear(holder: QueueHolder, message: Message): void {
    const { type, bytes, start } = message
    const call = readU32(bytes, start)
    switch (type) {
      case protocol.PUT:
        if (this.maxsize > 0) throw new MpError('MP_DECODE', 'a holder puts without a slot')
        if (this.#shutDown === 'dropping') return discardParcels(message.parcels, this.transport)
        return this.put(itemIn(message, 0))
      case protocol.RESERVE:
        return holder.adopted.delete(call) ? undefined : this.#reserve(holder, call, readU32(bytes, start + 4) === 1)
      case protocol.FILL:
        this.#release(holder, 1)
        if (this.#shutDown !== 'dropping') return this.put(itemIn(message, 0))
        discardParcels(message.parcels, this.transport)
        return this.#slotsChanged()
      case protocol.UNRESERVE:
        this.#release(holder, call)
        holder.ahead = Math.max(1, holder.ahead - call)
        return this.#slotsChanged()
      case protocol.WANT:
        return this.#want(
          holder,
          call,
          readU32(bytes, start + 4),
          readU32(bytes, start + 8),
          readU32(bytes, start + 12),
        )
      case protocol.TRY: {
        const seen = readU32(bytes, start + 4)
        const waiting = readU32(bytes, start + 8)
        return this.#whenOpened(holder, () => this.#try(holder, call, seen, waiting))
      }
      case protocol.CLAIMED:
        this.#stock.claimed(holder, call)
        return this.#refuseGetters()
      case protocol.NOTICED:
        if (!holder.lease.revoked) return
        holder.link.control(protocol.GO_ON)
        return this.#stock.resumed(holder)
      case protocol.OPENED:
        return this.#opened(holder, call === 1)
      case protocol.UNGET:
        this.#stock.returned(holder, call, itemIn(message, 4))
        if (this.#stock.readable) wake(this.#watchers)
        return
      case CANCEL:
        return this.#cancel(holder, call)
      case protocol.QUERY:
        return void this.counts().then(({ size, full }) => {
          holder.link.control(protocol.COUNTS, out => append(out, call, size, full ? 1 : 0, this.isShutDown ? 1 : 0))
        })
      case protocol.SHUT_DOWN:
        return this.shutDown(call === 1)
      case protocol.TASK_DONE:
        if (this.taskDone()) return done(holder, call)
        return refuse(holder, call, protocol.REASON_WAIT)
      case protocol.AWAIT_TASKS:
        this.#noteCall(holder, call)
        return this.watchTasks({ holder, call, ready: () => done(holder, call) })
      case protocol.WATCH:
        if (readU32(bytes, start + 4) === 1 && !this.readable) return refuse(holder, call, protocol.REASON_WAIT)
        this.#noteCall(holder, call)
        return this.watch({ holder, call, ready: () => done(holder, call) })
      default:
        throw new MpError('MP_DECODE', `a queue's home knows no message of type ${type}`)
    }
  }

  #want(holder: QueueHolder, seen: number, waiting: number, firm: number, pace: number): void {
    holder.lease.want(seen, waiting, firm, pace)
    this.#whenOpened(holder, () => this.#wanted(holder))
  }

  #wanted(holder: QueueHolder): void {
    this.#stock.wanted(holder)
    if (holder.lease.need > 0) this.#refuseGetters()
  }

  /** A holder is offered a board before it is sent anything: an item that was sent without one could come back late. */
  #whenOpened(holder: QueueHolder, then: () => void): void {
    if (!holder.offered && !this.#holders.isForeign(holder)) this.#offerBoard(holder)
    if (holder.opening) holder.opening.push(then)
    else then()
  }

  #opened(holder: QueueHolder, could: boolean): void {
    const then = holder.opening ?? []
    if (could) holder.lease.board = holder.offered?.board
    holder.opening = undefined
    for (const each of then) each()
  }

  #offerBoard(holder: QueueHolder): void {
    const offer = offerBoard(this.#context, this.transport, this.#context.filesOf(holder.context))
    if (!offer) return
    if (offer.uncertain) holder.opening = []
    holder.offered = offer
    holder.link.control(
      protocol.BOARD,
      out => {
        appendU32(out, offer.slot)
        appendText(out, offer.text)
      },
      offer.parcels,
    )
    if (!offer.uncertain) holder.lease.board = offer.board
  }

  #try(holder: QueueHolder, call: number, seen: number, waiting: number): void {
    const { lease } = holder
    lease.want(seen, waiting, 0, 0)
    const offered = lease.need < 0 ? 'sent' : this.#stock.offer(holder)
    if (offered === 'sent') done(holder, call)
    else if (offered === 'unfit') refuse(holder, call, protocol.REASON_NOT_SHAREABLE)
    else refuse(holder, call, this.exhausted ? protocol.REASON_SHUT_DOWN : protocol.REASON_WAIT)
  }

  fits(holder: QueueHolder, item: Item): boolean {
    return !item.parcels?.some(holdsHandle) || !this.#holders.isForeign(holder)
  }

  refuse(holder: QueueHolder): void {
    holder.lease.refused()
    holder.link.control(protocol.NO_ITEM, out => append(out, protocol.REASON_NOT_SHAREABLE))
  }

  send({ link, lease }: QueueHolder, items: readonly Item[], onBoard: boolean): void {
    const place = (lease.sent + 1) >>> 0
    if (!onBoard) {
      const [{ bytes, start, end, parcels }] = items as [Item]
      return link.control(
        protocol.ITEM,
        out => {
          appendU32(out, place)
          appendBytes(out, bytes, start, end)
        },
        parcels,
      )
    }
    const out = link.begin(protocol.ITEMS, false)
    appendU32(out, place)
    for (let i = 0; i < items.length; i++) {
      const { bytes, start, end } = items[i] as Item
      appendU32(out, end - start)
      appendBytes(out, bytes, start, end)
    }
    void link.commit(out, undefined)
  }

  taken(): void {
    this.#slotsChanged()
  }

  #reserve(holder: QueueHolder, call: number, nowait: boolean): void {
    const putter: Putter = {
      holder,
      call,
      grant: () => {
        const more = this.#slotsAhead(holder)
        holder.reserved += 1 + more
        this.#reserved += 1 + more
        holder.calls.delete(call)
        holder.link.control(protocol.GRANTED, out => append(out, call, more))
      },
      refuse: () => {
        holder.calls.delete(call)
        refuse(holder, call, protocol.REASON_SHUT_DOWN)
      },
    }
    if (this.isShutDown) return putter.refuse()
    if (!this.full) return putter.grant()
    this.#noteCall(holder, call)
    if (!nowait) return this.waitForSlot(putter)
    const settle = () => {
      if (this.isShutDown) putter.refuse()
      else if (!this.full) putter.grant()
      else {
        holder.calls.delete(call)
        refuse(holder, call, protocol.REASON_WAIT)
      }
    }
    const settled = this.slotsSettled()
    if (settled) void settled.then(settle)
    else settle()
  }

  /** How many slots a holder gets beyond the one that it asks for: half of the free ones at most, and none while others wait. */
  #slotsAhead(holder: QueueHolder): number {
    if (this.#putters.length > 0) return 0
    const free = this.maxsize - this.#stock.sizeAtMost - this.#reserved - 1
    const more = Math.max(0, Math.min(free >> 1, holder.ahead))
    if (more === holder.ahead) holder.ahead *= 2
    return more
  }

  /**
   * Slots that were granted ahead may make a queue look full. Those that are not used come back when their holder's turn ends,
   * and only then is it known whether the queue is full. Fulfils when it is known, or after 20 ms: then the queue counts as
   * full. Undefined if it is known already.
   */
  slotsSettled(): Promise<void> | undefined {
    if (this.maxsize === 0 || this.#reserved === 0 || this.#stock.size >= this.maxsize) return undefined
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#unsettled.delete(look)
        resolve()
      }
      const look = () => {
        if (this.#reserved === 0 || !this.full || this.#stock.size >= this.maxsize) done()
      }
      const timer = setTimeout(done, LONGEST_TURN)
      this.#unsettled.add(look)
    })
  }

  /** Limits how many calls another program can make this one keep. */
  #noteCall(holder: QueueHolder, call: number): void {
    holder.calls.add(call)
    if (holder.calls.size <= MOST_CALLS || !this.#holders.isForeign(holder)) return
    throw new MpError('MP_DECODE', `another program has more than ${MOST_CALLS} calls that wait`)
  }

  #cancel(holder: QueueHolder, call: number): void {
    holder.adopted.delete(call)
    holder.calls.delete(call)
    this.#removeWaiters(each => each.holder === holder && each.call === call)
  }

  #removeWaiters(unwanted: (waiter: Putter | Watcher) => boolean): void {
    this.#putters.remove(unwanted)
    this.#watchers.remove(unwanted)
    this.#joiners.remove(unwanted)
  }

  #finish(count: number): void {
    this.#unfinished -= count
    if (this.#unfinished === 0) wake(this.#joiners)
  }

  #release(holder: QueueHolder, count: number): void {
    if (holder.reserved < count) throw new MpError('MP_DECODE', 'a holder fills a slot that it was not granted')
    holder.reserved -= count
    this.#reserved -= count
  }

  #slotsChanged(): void {
    // A grant may put, and so call this again. Thousands of waiting calls would overflow the stack.
    if (this.#granting) return
    this.#granting = true
    try {
      while (this.#putters.length > 0 && !this.full) (this.#putters.shift() as Putter).grant()
    } finally {
      this.#granting = false
    }
    for (const look of this.#unsettled) look()
    this.#stock.ask(this.#putters.length > 0 || (this.isShutDown && this.#stock.waitedFor))
    this.#refuseGetters()
  }

  #refuseGetters(): void {
    if (!this.isShutDown) return
    if (!this.exhausted) return this.#stock.ask(this.#stock.waitedFor)
    wake(this.#watchers)
    for (const holder of this.#stock.refuseAll()) (holder as QueueHolder).link.control(protocol.EXHAUSTED)
  }

  /** The holder is gone. What it had put stays. Its waiting calls are forgotten, and its slots are free. */
  left(holder: QueueHolder): void {
    this.#removeWaiters(each => each.holder === holder)
    this.#reserved -= holder.reserved
    holder.reserved = 0
    this.#stock.end(holder)
    holder.offered?.close()
    if (this.#stock.readable) wake(this.#watchers)
  }
}

function holderAt(holders: readonly QueueHolder[], index: number): QueueHolder {
  const holder = holders[index]
  if (!holder) throw new MpError('MP_DECODE', 'an estate refers to a holder that did not come with it')
  return holder
}

function placesOf(line: Iterable<Putter>, holders: readonly QueueHolder[]): readonly number[] {
  return [...line].flatMap(({ holder, call }) => {
    return holder && call !== undefined && holders.includes(holder) ? [holders.indexOf(holder), call] : []
  })
}

/** Whether the parcel is a handle or part of one. The bytes of a large array are not. */
function holdsHandle(parcel: Parcel): boolean {
  return !(parcel instanceof LiveObject && parcel.object instanceof ArrayBuffer)
}

function wake(line: WaitList<Watcher>): void {
  for (let next = line.shift(); next; next = line.shift()) next.ready()
}

function done(holder: QueueHolder, call: number): void {
  holder.calls.delete(call)
  holder.link.control(protocol.DONE, out => append(out, call))
}

function refuse(holder: Holder, call: number, reason: number): void {
  holder.link.control(protocol.REFUSED, out => append(out, call, reason))
}

function append(out: ByteBuffer, ...values: number[]): void {
  for (const value of values) appendU32(out, value)
}

/** The item in a message, behind `skip` bytes. It does not refer to the message, which would keep the link alive. */
function itemIn({ bytes, start, end, parcels }: Message, skip: number): Item {
  return itemOf(bytes, start + skip, end, parcels)
}
