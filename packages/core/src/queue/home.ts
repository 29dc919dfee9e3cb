import { offerBoard } from '../board/offer.js'
import { type Broker, Holders } from '../broker/holders.js'
import { CANCEL } from '../broker/protocol.js'
import type { Context, Pack } from '../context/context.js'
import { MpError } from '../errors.js'
import type { Link, Message } from '../link/link.js'
import { discardParcels, type End, LiveObject, open, type Parcel } from '../link/wire-end.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { WaitList } from '../runtime/wait-list.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { packFirst, type QueueEstate } from './handover.js'
import { QueueHolder } from './holder.js'
import { type Item, itemOf, packItem, unpackItem } from './item.js'
import * as protocol from './protocol.js'
import { type Putter, Slots } from './slots.js'
import { type Getter, Stock, type StockUser } from './stock.js'

export interface Counts {
  readonly size: number
  readonly full: boolean
}

/** ms that the line waits, after a move, for one who has not opened its board at the new home. */
const LONGEST_OPENING = 1000

const ANSWERED: ReadonlySet<number> = new Set([
  protocol.RESERVE,
  protocol.QUERY,
  protocol.TASK_DONE,
  protocol.AWAIT_TASKS,
  protocol.WATCH,
  protocol.TRY,
])

/** A call that waits until the queue is in some state. It takes nothing. */
export interface Watcher {
  ready(): void
  readonly holder?: QueueHolder
  readonly call?: number
}

/**
 * The broker of one queue, in the context that is its home. A {@link Stock} has the items, and the invariants of who gets which.
 * {@link Slots} have the bound. Further invariants:
 *
 * - Watchers wait only while a get would wait. Joiners wait only while `unfinished > 0`: the number of items that were put and
 *   have not been dealt with.
 * - The items of one producer come in the order in which it put them.
 */
export class QueueHome implements Broker<QueueHolder>, StockUser {
  readonly id: string
  readonly maxsize: number
  readonly transport: Transport
  readonly answered = ANSWERED
  readonly #context: Context
  readonly #stock: Stock
  readonly #slots: Slots
  readonly #watchers = new WaitList<Watcher>()
  readonly #joiners = new WaitList<Watcher>()
  readonly #holders: Holders<QueueHolder>
  /** Handles of this context. */
  #handles = 0
  #unfinished = 0
  #shutDown: QueueEstate['shutDown'] = 'no'

  constructor(context: Context, transport: Transport, id: string, maxsize: number) {
    this.transport = transport
    this.id = id
    this.maxsize = maxsize
    this.#context = context
    this.#stock = new Stock(this)
    this.#slots = new Slots(maxsize, this.#stock)
    this.#holders = new Holders(context, this)
  }

  get size(): number {
    return this.#stock.size
  }

  get full(): boolean {
    return this.#slots.full
  }

  /** As {@link Slots.settled}. */
  slotsSettled(): Promise<void> | undefined {
    return this.#slots.settled()
  }

  async counts(): Promise<Counts> {
    if (this.full) await this.#slots.settled()
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
    return this.isShutDown && this.#slots.reserved === 0 && this.#stock.size === 0
  }

  waitForItem(getter: Getter): void {
    this.#stock.wait(getter)
  }

  waitForSlot(putter: Putter): void {
    this.#slots.waiting.push(putter)
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
    for (const line of [this.#slots.waiting, this.#watchers, this.#joiners] as WaitList<unknown>[]) {
      if (line.delete(waiter)) return
    }
  }

  shutDown(immediate: boolean): void {
    if (this.#shutDown !== 'dropping') this.#shutDown = immediate ? 'dropping' : 'draining'
    this.#slots.refuseAll()
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

  /** Another handle of this context uses it. */
  use(): void {
    this.#handles++
  }

  /** One of them was closed, or collected. */
  unuse(): void {
    this.#handles--
    this.#dropIfUnused()
  }

  /** Nobody can get the items any more. The ends of pipes in them close, so that their other ends hear of it. */
  #dropIfUnused(): void {
    if (this.#handles > 0 || !this.#holders.none) return
    for (const { parcels } of this.#stock.drain()) discardParcels(parcels, this.transport)
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
    this.#stock.halt()
    let last: readonly Item[] = []
    const inParts: Pack = estate => {
      // Nothing comes back from here on.
      this.#stock.takeAllBack()
      for (const holder of this.#holders) holder.closeBoard()
      last = packFirst(this.id, this.#stock.drain(), pack)
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
      putters: placesOf(this.#slots.waiting, holders),
    }))
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
    home.#adoptGetters(estate.getters.map(index => holderAt(holders, index)))
    home.#adoptCalls(holders, estate.putters, (holder, call) => home.#reserve(holder, call, false))
  }

  /** Keeps the places of all getters in line, although one holder opens its board before another. `getters`: one for each call. */
  #adoptGetters(getters: readonly QueueHolder[]): void {
    for (const holder of getters) {
      holder.lease.expect()
      this.#whenOpened(holder, () => this.#wanted(holder))
      if (holder.opening) this.#stock.wanted(holder)
    }
    if (!getters.some(({ opening }) => opening)) return
    const giveUp = () => {
      for (const holder of getters) if (holder.opening) this.#stock.stepAside(holder)
    }
    setTimeout(giveUp, LONGEST_OPENING).unref()
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
    return new QueueHolder(link)
  }

  /** Only of an item that may be put, or comes back. */
  takesMore({ reserved, lease }: QueueHolder): boolean {
    if (this.maxsize === 0 || reserved > 0 || lease.length > 0) return true
    throw new MpError('MP_DECODE', 'a holder sends a large message, and has no slot for it')
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
        if (!this.#stock.keepReturned(holder, readU32(bytes, start), itemIn(message, 4))) {
          discardParcels(message.parcels, this.transport)
        }
        break
      case protocol.CLAIMED:
        holder.lease.claimed(readU32(bytes, start))
        break
      case protocol.TASK_OVER:
        this.taskDone()
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
        this.#slots.release(holder, 1)
        if (this.#shutDown !== 'dropping') return this.put(itemIn(message, 0))
        discardParcels(message.parcels, this.transport)
        return this.#slotsChanged()
      case protocol.UNRESERVE:
        this.#slots.release(holder, call)
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
        holder.say(protocol.GO_ON)
        return this.#stock.resumed(holder)
      case protocol.IDLE:
        return this.#stock.idle(holder)
      case protocol.OPENED:
        return holder.opened(call === 1)
      case protocol.UNGET:
        if (!this.#stock.returned(holder, call, itemIn(message, 4))) {
          return discardParcels(message.parcels, this.transport)
        }
        if (this.#stock.readable) wake(this.#watchers)
        return
      case CANCEL:
        return this.#cancel(holder, call)
      case protocol.QUERY:
        return void this.counts().then(({ size, full }) => {
          holder.say(protocol.COUNTS, call, size, full ? 1 : 0, this.isShutDown ? 1 : 0)
        })
      case protocol.SHUT_DOWN:
        return this.shutDown(call === 1)
      case protocol.TASK_OVER:
        // One too many is told to whoever had not taken the item.
        this.taskDone()
        return
      case protocol.TASK_DONE:
        if (this.taskDone()) return holder.say(protocol.DONE, call)
        return holder.say(protocol.REFUSED, call, protocol.REASON_WAIT)
      case protocol.AWAIT_TASKS:
        holder.calls.wait(call)
        return this.watchTasks({ holder, call, ready: () => holder.done(call) })
      case protocol.WATCH:
        if (readU32(bytes, start + 4) === 1 && !this.readable) {
          return holder.say(protocol.REFUSED, call, protocol.REASON_WAIT)
        }
        holder.calls.wait(call)
        return this.watch({ holder, call, ready: () => holder.done(call) })
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
    if (this.#holders.isForeign(holder)) return then()
    const offer = () => offerBoard(this.#context, this.transport, this.#context.filesOf(holder.context))
    holder.whenOpened(offer, then)
  }

  #try(holder: QueueHolder, call: number, seen: number, waiting: number): void {
    const { lease } = holder
    lease.want(seen, waiting, 0, 0)
    const offered = lease.need < 0 ? 'sent' : this.#stock.offer(holder)
    if (offered === 'sent') holder.say(protocol.DONE, call)
    else if (offered === 'unfit') holder.say(protocol.REFUSED, call, protocol.REASON_NOT_SHAREABLE)
    else holder.say(protocol.REFUSED, call, this.exhausted ? protocol.REASON_SHUT_DOWN : protocol.REASON_WAIT)
  }

  fits(holder: QueueHolder, item: Item): boolean {
    return !item.parcels?.some(holdsHandle) || !this.#holders.isForeign(holder)
  }

  refuse(holder: QueueHolder): void {
    holder.refuseItem(protocol.REASON_NOT_SHAREABLE)
  }

  send(holder: QueueHolder, items: readonly Item[], onBoard: boolean): void {
    holder.send(items, onBoard)
  }

  taken(): void {
    // Mostly nobody waits for that. It is called for each item.
    if (this.maxsize > 0 || this.isShutDown) this.#slotsChanged()
  }

  #reserve(holder: QueueHolder, call: number, nowait: boolean): void {
    const putter: Putter = {
      holder,
      call,
      grant: () => {
        holder.calls.end(call)
        holder.say(protocol.GRANTED, call, this.#slots.grant(holder))
      },
      refuse: () => holder.refuse(call, protocol.REASON_SHUT_DOWN),
    }
    holder.calls.check(call)
    if (this.isShutDown) return putter.refuse()
    if (!this.full) return putter.grant()
    holder.calls.wait(call)
    if (!nowait) return this.waitForSlot(putter)
    const settle = () => {
      // Nobody would give the slot back.
      if (holder.link.closed) return
      if (this.isShutDown) putter.refuse()
      else if (!this.full) putter.grant()
      else holder.refuse(call, protocol.REASON_WAIT)
    }
    const settled = this.#slots.settled()
    if (settled) void settled.then(settle)
    else settle()
  }

  #cancel(holder: QueueHolder, call: number): void {
    holder.adopted.delete(call)
    holder.calls.end(call)
    this.#removeWaiters(each => each.holder === holder && each.call === call)
  }

  #removeWaiters(unwanted: (waiter: Putter | Watcher) => boolean): void {
    this.#slots.waiting.remove(unwanted)
    this.#watchers.remove(unwanted)
    this.#joiners.remove(unwanted)
  }

  #finish(count: number): void {
    this.#unfinished -= count
    if (this.#unfinished === 0) wake(this.#joiners)
  }

  #slotsChanged(): void {
    // A holder that follows the move hears nothing more from here. The next home grants its calls, in their order.
    if (this.#holders.moving) return
    this.#slots.changed()
    this.#stock.ask(this.#slots.waiting.length > 0 || (this.isShutDown && this.#stock.waitedFor))
    this.#refuseGetters()
  }

  #refuseGetters(): void {
    if (!this.isShutDown) return
    if (!this.exhausted) return this.#stock.ask(this.#stock.waitedFor)
    wake(this.#watchers)
    for (const holder of this.#stock.refuseAll()) (holder as QueueHolder).say(protocol.EXHAUSTED)
  }

  /** The holder is gone. What it had put stays. Its waiting calls are forgotten, and its slots are free. */
  left(holder: QueueHolder): void {
    this.#removeWaiters(each => each.holder === holder)
    this.#slots.release(holder, holder.reserved)
    this.#stock.end(holder)
    holder.closeBoard()
    if (this.#stock.readable) wake(this.#watchers)
    this.#dropIfUnused()
  }
}

function holderAt(holders: readonly QueueHolder[], index: number): QueueHolder {
  const holder = holders[index]
  if (!holder) throw new MpError('MP_DECODE', 'an estate refers to a holder that did not come with it')
  return holder
}

function placesOf(line: Iterable<Putter>, holders: readonly QueueHolder[]): readonly number[] {
  return [...line].flatMap(({ holder, call }) => {
    const index = holders.indexOf(holder as QueueHolder)
    return index < 0 || call === undefined ? [] : [index, call]
  })
}

/** Whether the parcel is a handle or part of one. The bytes of a large array are not. */
function holdsHandle(parcel: Parcel): boolean {
  return !(parcel instanceof LiveObject && parcel.object instanceof ArrayBuffer)
}

function wake(line: WaitList<Watcher>): void {
  for (let next = line.shift(); next; next = line.shift()) next.ready()
}

/** The item in a message, behind `skip` bytes. The message itself is let go: it would keep its link, and all that this has, alive. */
function itemIn({ bytes, start, end, parcels }: Message, skip: number): Item {
  if (start + skip > end) throw new MpError('MP_DECODE', 'a message is too short to hold an item')
  return itemOf(bytes, start + skip, end, parcels)
}
