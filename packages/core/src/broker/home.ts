import { appendBytes, appendU32, type ByteBuffer, readText, readU32 } from '../byte-buffer.js'
import { answered, type Context } from '../context.js'
import { Deque } from '../deque.js'
import { discardParcels, type End, open, type Parcel, pair } from '../end.js'
import type { HandlePacking } from '../envelope.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link.js'
import type { NativeQueue, Transport, Wire } from '../spi.js'
import { WaitingLine } from '../waiting-line.js'
import { type Collect, contextOf, Deposits } from './deposits.js'
import { type Estate, packItem, packParcels, unpackItem } from './estate.js'
import * as protocol from './protocol.js'

/** How long a holder that put what rides beside an item may take to be heard, ms. */
const LONGEST_DEPOSIT = 1000

/** An item as the queue holds it: encoded, never looked into. */
export interface Item {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
  /** Of an item that came back: its place. */
  readonly number?: number
}

/** A call that waits for an item. */
export interface Getter {
  deliver(item: Item): void
  refuse(): void
  readonly holder?: Holder
  readonly call?: number
}

/** A call that waits for a slot of a bounded queue. */
export interface Putter {
  grant(): void
  refuse(): void
  readonly holder?: Holder
  readonly call?: number
}

/** Another context that holds this queue, at the other end of a link. */
interface Holder {
  readonly link: Link
  /** Slots granted and not filled: they are free again if it dies. */
  reserved: number
  /** The id of its context, once it has spoken. */
  context: string
}

/**
 * The broker of one queue, in the context that is its home. Invariants:
 *
 * - `getters` and `items` are never both non-empty; nor are `putters` and a free slot.
 * - `items.length + reserved <= maxsize`, where it is bounded. A slot is reserved from the grant of a put until its item is
 *   here, so that what `put` has promised never exceeds the bound, and a holder's death gives its slots back.
 * - Items leave in the order in which they came; one producer's come in the order in which it put them.
 */
export class Home {
  readonly id: string
  readonly maxsize: number
  readonly transport: Transport
  readonly #context: Context
  readonly #items = new Deque<Item>()
  readonly #getters = new WaitingLine<Getter>()
  readonly #putters = new WaitingLine<Putter>()
  readonly #holders = new Set<Holder>()
  #reserved = 0
  #delivered = 0
  #granting = false
  #shutDown: Estate['shutDown'] = 'no'
  /** While the queue moves to the parent: ends of holders that joined meanwhile. */
  #moving: End[] | undefined
  /** Of a native queue, whose items are not here: what rides beside them. */
  readonly deposits = new Deposits()
  readonly native: NativeQueue | undefined

  constructor(context: Context, transport: Transport, id: string, maxsize: number, native?: NativeQueue) {
    this.native = native
    this.#context = context
    this.transport = transport
    this.id = id
    this.maxsize = maxsize
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
    const getter = this.#getters.shift()
    if (!getter) return this.#items.push(item)
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
    const getter = this.#moving ? undefined : this.#getters.shift()
    if (getter) return getter.deliver(item)
    const earlier: Item[] = []
    for (let next = this.#items.peek(); next && isBefore(next, item); next = this.#items.peek()) {
      earlier.push(this.#items.shift() as Item)
    }
    this.#items.unshift(item)
    for (const each of earlier.reverse()) this.#items.unshift(each)
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

  forget(waiter: Getter | Putter): void {
    if (!this.#getters.delete(waiter as Getter)) this.#putters.delete(waiter as Putter)
  }

  shutDown(immediate: boolean): void {
    if (this.#shutDown !== 'dropping') this.#shutDown = immediate ? 'dropping' : 'draining'
    for (let next = this.#putters.shift(); next; next = this.#putters.shift()) next.refuse()
    if (immediate) {
      for (const item of this.#items) discardParcels(item.parcels, this.transport)
      this.#items.clear()
    }
    this.#refuseGetters()
    for (const holder of this.#holders) holder.link.control(protocol.WAS_SHUT_DOWN)
  }

  /** A new wire to this queue; the returned end goes to whoever shall hold it. */
  share(): End {
    const [near, far] = pair(this.transport)
    this.join(open(near, this.transport))
    return far
  }

  join(wire: Wire): void {
    const link = new Link(wire, this.transport, {
      message: message => {
        if (this.#moving) this.#keep(message, this.#moving)
        else this.#hear(holder, message.type, message)
        link.credit(message.cost)
      },
      closed: () => this.#left(holder),
      lost: () => new MpError('MP_CLOSED', 'the holder of this queue is gone'),
    })
    const holder: Holder = { link, reserved: 0, context: '' }
    this.#holders.add(holder)
    this.#context.homes.set(this.id, this)
    if (this.isShutDown) link.control(protocol.WAS_SHUT_DOWN)
  }

  /** Hears what has arrived from holders, for a thread that blocks. */
  receiveSync(): void {
    for (const { link } of this.#holders) while (link.receiveSync(0));
  }

  /** Gives what rides beside an item of a native queue, when it is here; undefined when it never will be. */
  claim(key: string, collect: Collect): void {
    if (this.deposits.claim(key, collect)) return
    const late = setTimeout(() => {
      const depositor = contextOf(key)
      if (![...this.#holders].some(({ context }) => context === depositor)) this.deposits.giveUp(key)
    }, LONGEST_DEPOSIT)
    late.unref()
  }

  /** Sends what waits in batches: this context is about to exit. */
  flush(): void {
    for (const { link } of this.#holders) link.flushAll()
  }

  /**
   * Moves the queue to the parent: the holders' ends first, then the items, told through `pack`. Resolves when that is done.
   * With a `deadline` (as performance.now() counts) everything happens within the call, for a context that is exiting: a
   * holder that does not answer until then may lose what it has sent and this context has not seen.
   */
  async handOver(pack: (build: (packing: HandlePacking) => Estate) => void, deadline?: number): Promise<void> {
    this.#moving = []
    const holders = [...this.#holders]
    const ends = holders.map(() => pair(this.transport))
    const moves = holders.map(({ link }, index) => link.move((ends[index] as [End, End])[0]))
    if (deadline === undefined)
      await Promise.all(moves.map((move, i) => this.#moved(move, (holders[i] as Holder).link)))
    else for (const { link } of holders) link.awaitMoved(deadline)
    const theirEnds = [...ends.map(([, theirs]) => theirs), ...this.#moving]
    pack(packing => ({
      id: this.id,
      maxsize: this.maxsize,
      shutDown: this.#shutDown,
      delivered: this.#delivered,
      holders: theirEnds.map(end => packing.attachEnd(end)),
      items: [...this.#items].map(item => packItem(item, packing)),
      memory: this.native?.memory ?? null,
      deposits: [...this.deposits].map(([key, parcels]) => ({ key, parcels: packParcels(parcels, packing) })),
    }))
    for (const { link } of holders) link.close()
    this.#holders.clear()
    this.#context.homes.delete(this.id)
  }

  /** Holders of a native queue speak only of what rides beside items: most never do. */
  #moved(move: Promise<void>, link: Link): Promise<void> {
    return this.native && !link.heard ? Promise.resolve() : answered(move, () => link.heard)
  }

  /** Takes over a queue whose home's context has ended. */
  static adopt(context: Context, transport: Transport, estate: Estate, parcelAt: (index: number) => Parcel): void {
    const { memory } = estate
    const known = context.natives.get(estate.id)?.engine
    const native = memory === null ? undefined : (known ?? transport.engines?.queue?.open(memory))
    const home = new Home(context, transport, estate.id, estate.maxsize, native)
    for (const { key, parcels } of estate.deposits) home.deposits.add(key, parcels.map(parcelAt))
    home.#shutDown = estate.shutDown
    home.#delivered = estate.delivered
    for (const item of estate.items) home.#items.push(unpackItem(item, parcelAt))
    for (const end of estate.holders) home.join(open(parcelAt(end) as End, transport))
  }

  /** What a holder sent before it learned that it moves: all but its calls, which it makes again where it moves to. */
  #keep({ type, ...item }: Message, joined: End[]): void {
    switch (type) {
      case protocol.PUT:
      case protocol.FILL:
        this.#items.push(item)
        break
      case protocol.UNGET:
        this.#putBack(numbered(item))
        break
      case protocol.DEPOSIT:
        this.deposits.add(readText(item.bytes, item.start, item.end), item.parcels ?? [])
        break
      case protocol.SHUT_DOWN:
        this.shutDown(readU32(item.bytes, item.start) === 1)
        break
      case protocol.JOIN:
        joined.push(item.parcels?.[0] as End)
    }
  }

  #hear(holder: Holder, type: number, item: Item): void {
    const { bytes, start } = item
    const call = readU32(bytes, start)
    switch (type) {
      case protocol.PUT:
        if (this.#shutDown === 'dropping') return discardParcels(item.parcels, this.transport)
        return this.put(item)
      case protocol.RESERVE:
        return this.#reserve(holder, call, readU32(bytes, start + 4) === 1)
      case protocol.FILL:
        this.#release(holder)
        if (this.#shutDown !== 'dropping') return this.put(item)
        discardParcels(item.parcels, this.transport)
        return this.#slotsChanged()
      case protocol.HELLO:
        holder.context = readText(bytes, start, item.end)
        return
      case protocol.DEPOSIT:
        return this.deposits.add(readText(bytes, start, item.end), item.parcels ?? [])
      case protocol.CLAIM:
        return this.claim(readText(bytes, start + 4, item.end), parcels => {
          holder.link.control(parcels ? protocol.COLLECT : protocol.GONE, out => append(out, call), parcels)
          holder.link.flush()
        })
      case protocol.UNRESERVE:
        this.#release(holder)
        return this.#slotsChanged()
      case protocol.GET:
        return this.#get(holder, call, readU32(bytes, start + 4) === 1)
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
      case protocol.JOIN:
        this.join(open(item.parcels?.[0] as End, this.transport))
        return
      default:
        throw new MpError('MP_DECODE', `a queue's home knows no message of type ${type}`)
    }
  }

  #reserve(holder: Holder, call: number, nowait: boolean): void {
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

  #get(holder: Holder, call: number, nowait: boolean): void {
    const getter: Getter = {
      holder,
      call,
      deliver: item => holder.link.control(protocol.ITEM, out => this.#appendItem(out, call, item), item.parcels),
      refuse: () => refuse(holder, call, protocol.REASON_SHUT_DOWN),
    }
    const item = this.take()
    if (item) getter.deliver(item)
    else if (this.exhausted) getter.refuse()
    else if (nowait) refuse(holder, call, protocol.REASON_WAIT)
    else this.waitForItem(getter)
  }

  #appendItem(out: ByteBuffer, call: number, { bytes, start, end, number }: Item): void {
    append(out, call, number ?? this.#delivered++)
    appendBytes(out, bytes, start, end)
  }

  #cancel(holder: Holder, call: number): void {
    this.#removeWaiters(each => each.holder === holder && each.call === call)
  }

  #removeWaiters(unwanted: (waiter: Getter | Putter) => boolean): void {
    this.#getters.remove(unwanted)
    this.#putters.remove(unwanted)
  }

  #release(holder: Holder): void {
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
    for (let next = this.#getters.shift(); next; next = this.#getters.shift()) next.refuse()
  }

  /** The holder is gone. What it had put stays; what it waited for, and the slots it held, are free. */
  #left(holder: Holder): void {
    this.#holders.delete(holder)
    this.#removeWaiters(each => each.holder === holder)
    this.#reserved -= holder.reserved
    holder.reserved = 0
    this.#slotsChanged()
    // All that it had deposited came before its end.
    this.deposits.giveUpAll(holder.context)
    if (this.#holders.size === 0) this.#context.homes.delete(this.id)
  }
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
