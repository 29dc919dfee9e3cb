import { Deque } from '../runtime/deque.js'
import { WaitList } from '../runtime/wait-list.js'
import type { Item } from './item.js'
import type { Lease } from './lease.js'

/** ms that a quick lessee keeps what it has although others wait. Without it two consumers would take turns item by item. */
const SLICE = 2
/**
 * ms that a lessee may take to wake when others wait. Doubles each time that it was too short: else two slow consumers would
 * steal from each other for ever.
 */
const PATIENCE = 5
const LONGEST_PATIENCE = 1000
/** ms, on top of the patience, that others wait for a lessee from which nothing can be taken back. Then they get what is stored. */
const BOUND = 20
/** The most places in line that one consumer gets. The number that it needs is its own word, and may be anything. */
const MOST_ASKS = 1024
/** ns per item. A lessee that takes longer does not keep what it has for a slice. */
const QUICK = 30_000

/** Another context that gets items of this home. */
export interface Consumer {
  readonly lease: Lease
  /** Whether it may have a board soon. Until then it is given nothing, and those behind it in line wait, too. */
  readonly opening: boolean
  /** Its places in line, one for each item that it needs. */
  readonly asks: Ask[]
}

/** A call of home's own context that waits for an item. */
export interface Getter {
  deliver(item: Item): void
  refuse(): void
}

/** A place in the line of those who wait for an item. */
export interface Ask {
  readonly consumer: Consumer | undefined
  readonly getter: Getter | undefined
}

export interface StockUser {
  /** Whether the item may go to that consumer. */
  fits(consumer: Consumer, item: Item): boolean
  /** Tells the consumer that its oldest call is refused, because the next item does not fit. */
  refuse(consumer: Consumer): void
  /** Sends items. The first gets the place after `lease.sent`. Without `onBoard` there is one, and a message claims it. */
  send(consumer: Consumer, items: readonly Item[], onBoard: boolean): void
  /** Items have been taken, so slots may be free. */
  taken(): void
}

/**
 * The items of one queue, and who gets them. An item is *stored*, or it is *out*: sent to a consumer, and not known to be
 * claimed. A consumer may be sent items that it has not asked for. Then it is the *lessee*. Invariants:
 *
 * - An item is stored, or out at one consumer, or claimed. Only the consumer claims it, and only home takes it back.
 * - Items leave in the order in which they came. An item that comes back goes to its old place.
 * - There is one lessee at most. While there is one, nobody else is given anything. So what is taken back from it is older than
 *   what is stored, and younger than what others were given: every consumer sees the items in their order.
 * - Items that answer calls that cannot give up may be out at any number of consumers. Such an item comes back only when its
 *   consumer is gone.
 * - Others wait for a lessee only until it has had time to wake (`PATIENCE`) and, if it has, its slice is over.
 */
export class Stock {
  readonly #user: StockUser
  readonly #items = new Deque<Item>()
  readonly #line = new WaitList<Ask>()
  /** The place in line of each getter of this context. */
  readonly #getters = new Map<Getter, Ask>()
  #lessee: Consumer | undefined
  /** When the lessee became the lessee. */
  #since = 0
  #patience = PATIENCE
  /** Consumers that may have unclaimed items. */
  readonly #served = new Set<Consumer>()
  /** How many items were sent for the first time: see `Item.number`. */
  #delivered = 0
  /** Whether somebody waits for claims: for a slot, or until nothing is out. */
  #asking = false
  /** The number with which a consumer was last asked to tell of a claim. */
  #asked = 0
  /** Consumers that were asked so. */
  readonly #armed = new Set<Consumer>()
  #timer: NodeJS.Timeout | undefined
  #serving = false
  /** The home moves: whoever waits is served where it moves to. */
  #halted = false

  constructor(user: StockUser) {
    this.#user = user
  }

  /** How many items are stored or out. Looks at the boards. */
  get size(): number {
    // A look may free a slot, and so let an item in.
    for (const consumer of this.#served) this.#look(consumer)
    return this.sizeAtMost
  }

  /** `size` without a look at the boards: it may be too large, never too small. */
  get sizeAtMost(): number {
    let size = this.#items.length
    for (const { lease } of this.#served) size += lease.length
    return size
  }

  /** Whether there is an item for a get of a context that has none. */
  get readable(): boolean {
    if (this.#items.length > 0) return true
    const lessee = this.#lessee
    if (!lessee) return false
    this.#look(lessee)
    return lessee.lease.length > 0
  }

  /** Whether anybody waits for an item. */
  get waitedFor(): boolean {
    return this.#line.length > 0
  }

  /** Takes in a new item. Gives whether a get would now find something, because nobody waited for the item. */
  put(item: Item): boolean {
    if (this.#line.length > 0) {
      this.#items.push(item)
      this.#serve()
      return this.#line.length === 0 && this.#items.length > 0
    }
    // No lessee is left when the home moves.
    const lessee = this.#lessee
    if (lessee && this.#items.length === 0 && !item.parcels && lessee.lease.room(false) > 0) this.#send(lessee, [item])
    else this.#items.push(item)
    return true
  }

  /** The oldest item, for a call of this context. Without `now`, undefined also if the lessee may keep it a moment longer. */
  take(now: boolean): Item | undefined {
    if (!this.#freed(now)) return undefined
    const item = this.#items.shift()
    if (item) this.#user.taken()
    return item
  }

  wait(getter: Getter): void {
    const ask: Ask = { consumer: undefined, getter }
    this.#getters.set(getter, ask)
    this.#line.push(ask)
    this.#serve()
  }

  /** The call gave up. Gives whether it was waiting here. */
  forget(getter: Getter): boolean {
    const ask = this.#getters.get(getter)
    if (!ask) return false
    this.#getters.delete(getter)
    this.#line.delete(ask)
    return true
  }

  /** The consumer's demand may have changed. */
  wanted(consumer: Consumer): void {
    this.#look(consumer)
    this.#lineUp(consumer)
    if (this.#line.length > 0) this.#serve()
    else if (!this.#lessee || this.#lessee === consumer) this.#topUp(consumer)
  }

  /** The consumer gives up its places in line. */
  stepAside(consumer: Consumer): void {
    this.#leaveLine(consumer)
    this.#serve()
  }

  /** Sends the consumer an item, if there is one, for a call that does not wait. */
  offer(consumer: Consumer): 'sent' | 'none' | 'unfit' {
    // What it has is void. It will ask again when it has noticed that.
    if (consumer.lease.revoked) return 'sent'
    if (!this.#freed(true, consumer)) return 'none'
    const item = this.#items.peek()
    if (!item) return 'none'
    if (!this.#user.fits(consumer, item)) return 'unfit'
    this.#items.shift()
    this.#give(consumer, item, false)
    return 'sent'
  }

  /** The consumer has noticed that something was taken back, so it can be sent items again. */
  resumed(consumer: Consumer): void {
    const { lease } = consumer
    lease.resume()
    if (this.#armed.delete(consumer)) lease.dismiss()
    this.wanted(consumer)
  }

  /** The consumer has claimed everything up to `place`, or, if that is 0, what the board says. */
  claimed(consumer: Consumer, place: number): void {
    if (place > 0) this.#noteClaimed(consumer, consumer.lease.claimed(place))
    else this.#look(consumer)
    if (this.#armed.has(consumer)) {
      this.#armed.delete(consumer)
      if (this.#asking || this.#line.length > 0) this.#arm(consumer)
      else consumer.lease.dismiss()
    }
    if (this.#line.length > 0) this.#serve()
  }

  /** The consumer has items, and takes none. */
  idle({ lease }: Consumer): void {
    lease.idle = true
    if (this.#line.length > 0) this.#serve()
  }

  /** The consumer gives back an item that was sent at `place`. Gives whether it had it. */
  returned(consumer: Consumer, place: number, item: Item): boolean {
    const sent = consumer.lease.returned(place)
    if (!sent) return false
    item.number = sent.number
    this.#putBack([item])
    if (this.#lessee === consumer && consumer.lease.length === 0) this.#lessee = undefined
    this.#lineUp(consumer)
    this.#serve()
    return true
  }

  /** The consumer is gone. What it had not claimed comes back. */
  end(consumer: Consumer): void {
    this.#served.delete(consumer)
    this.#armed.delete(consumer)
    this.#leaveLine(consumer)
    if (this.#lessee === consumer) this.#lessee = undefined
    this.#putBack(consumer.lease.end())
    this.#user.taken()
    this.#serve()
  }

  /** Says whether somebody waits until what is out has been claimed. */
  ask(asking: boolean): void {
    if (this.#asking === asking) return
    this.#asking = asking
    if (asking) for (const consumer of this.#served) this.#arm(consumer)
    else if (this.#line.length === 0) this.#disarm()
  }

  /**
   * The home moves. Serves nobody any more, and takes back what the lessee has. What answers calls that cannot give up stays out until
   * `takeAllBack`: mostly its consumer claims it before it follows the move. Others may have younger items by now.
   */
  halt(): void {
    this.#halted = true
    clearTimeout(this.#timer)
    if (this.#lessee) this.#takeBack(this.#lessee)
    this.#lessee = undefined
  }

  /** Takes back whatever can be taken back. */
  takeAllBack(): void {
    for (const consumer of this.#served) this.#takeBack(consumer)
    this.#lessee = undefined
  }

  /** Removes everything that is stored, and gives it, oldest first. */
  *drain(): IterableIterator<Item> {
    for (let item = this.#items.shift(); item; item = this.#items.shift()) yield item
  }

  /** As `put`, for a home that moves: stores the item, and serves nobody. */
  keep(item: Item): void {
    this.#items.push(item)
  }

  /** As `returned`, for a home that moves. */
  keepReturned(consumer: Consumer, place: number, item: Item): boolean {
    const sent = consumer.lease.returned(place)
    if (!sent) return false
    item.number = sent.number
    this.#putBack([item])
    return true
  }

  /** Who waits, in order. Undefined stands for this context. */
  get waiting(): readonly (Consumer | undefined)[] {
    return [...this.#line].map(({ consumer }) => consumer)
  }

  /** Nothing will come any more. Empties the line, and refuses the calls of this context. Gives the consumers that waited. */
  refuseAll(): ReadonlySet<Consumer> {
    const consumers = new Set<Consumer>()
    for (let ask = this.#line.shift(); ask; ask = this.#line.shift()) {
      if (ask.consumer) {
        ask.consumer.asks.length = 0
        consumers.add(ask.consumer)
      } else if (ask.getter) {
        this.#getters.delete(ask.getter)
        ask.getter.refuse()
      }
    }
    return consumers
  }

  /** Gives the consumer as many places in line as it needs items. */
  #lineUp(consumer: Consumer): void {
    const { asks, lease } = consumer
    const need = lease.revoked ? 0 : Math.min(Math.max(0, lease.need), MOST_ASKS)
    while (asks.length > need) this.#line.delete(asks.pop() as Ask)
    while (asks.length < need) {
      const ask: Ask = { consumer, getter: undefined }
      asks.push(ask)
      this.#line.push(ask)
    }
  }

  #leaveLine({ asks }: Consumer): void {
    for (const ask of asks.splice(0)) this.#line.delete(ask)
  }

  #serve(): void {
    // A getter may put or get, and so call this again.
    if (this.#serving || this.#halted) return
    this.#serving = true
    try {
      while (this.#line.length > 0) {
        const [ask] = this.#line as Iterable<Ask>
        const { consumer, getter } = ask as Ask
        if (consumer?.opening) return
        if (!this.#freed(false, consumer)) return
        const item = this.#items.peek()
        if (!item) return
        this.#line.delete(ask as Ask)
        consumer?.asks.shift()
        if (consumer && !this.#user.fits(consumer, item)) {
          this.#user.refuse(consumer)
          continue
        }
        this.#items.shift()
        if (consumer) {
          this.#give(consumer, item, true)
          if (consumer.lease.need > consumer.asks.length) this.#lineUp(consumer)
        } else if (getter) {
          this.#getters.delete(getter)
          getter.deliver(item)
          this.#user.taken()
        }
      }
    } finally {
      this.#serving = false
    }
    if (this.#line.length === 0) this.#disarm()
  }

  /** Stops asking to be told of claims, unless somebody still waits for them. */
  #disarm(): void {
    if (this.#asking || this.#armed.size === 0) return
    for (const { lease } of this.#armed) lease.dismiss()
    this.#armed.clear()
  }

  /** Sends the consumer the item, and more items if it may have more. */
  #give(consumer: Consumer, item: Item, waits: boolean): void {
    const { lease } = consumer
    const onBoard = lease.board !== undefined && !item.parcels
    const firm = waits && lease.firm
    const alone = lease.length === 0 || this.#lessee === consumer
    const run = [item]
    if (onBoard && alone) {
      const room = Math.min(lease.room(this.#line.length > 0) - 1, this.#items.length)
      while (run.length <= room && !this.#items.peek()?.parcels) run.push(this.#items.shift() as Item)
    }
    if (!firm || run.length > 1) this.#lease(consumer)
    this.#send(consumer, run)
  }

  #lease(consumer: Consumer): void {
    if (this.#lessee === consumer) return
    this.#lessee = consumer
    this.#since = performance.now()
  }

  /** Nobody waits, so the consumer is sent ahead what it may have. */
  #topUp(consumer: Consumer): void {
    const { lease } = consumer
    if (this.#lessee !== consumer && lease.length > 0) return
    const run: Item[] = []
    const room = Math.min(lease.room(false), this.#items.length)
    while (run.length < room && !this.#items.peek()?.parcels) run.push(this.#items.shift() as Item)
    if (run.length === 0) return
    this.#lease(consumer)
    this.#send(consumer, run)
  }

  #send(consumer: Consumer, items: readonly Item[]): void {
    const { lease } = consumer
    const onBoard = lease.board !== undefined && !items[0]?.parcels
    if (onBoard) lease.announce(items.length)
    this.#user.send(consumer, items, onBoard)
    for (const item of items) {
      if (item.number === 0) item.number = ++this.#delivered
      lease.add(item, onBoard)
    }
    this.#served.add(consumer)
    if (this.#asking && onBoard && !this.#armed.has(consumer)) this.#arm(consumer)
  }

  #look(consumer: Consumer): void {
    this.#noteClaimed(consumer, consumer.lease.look())
  }

  #noteClaimed(consumer: Consumer, count: number): void {
    if (count === 0) return
    if (consumer.lease.length === 0) {
      this.#served.delete(consumer)
      if (this.#lessee === consumer) {
        this.#lessee = undefined
        this.#patience = PATIENCE
      }
    }
    this.#user.taken()
  }

  /** Whether there is no lessee any more, or it is `consumer`, so that this one can be served. Otherwise looks again later. */
  #freed(now: boolean, consumer?: Consumer): boolean {
    // The end of a lease may free a slot, and so let an item in. That may go to another one, who is the lessee then.
    for (let lessee = this.#lessee; lessee && lessee !== consumer; lessee = this.#lessee) {
      if (!this.#ended(lessee, now)) return false
    }
    return true
  }

  /** Whether this one is not the lessee any more. Otherwise looks again later. */
  #ended(lessee: Consumer, now: boolean): boolean {
    const { lease } = lessee
    this.#look(lessee)
    if (this.#lessee !== lessee) return true
    const age = performance.now() - this.#since
    const slow = lease.pace > QUICK
    const over = now || lease.idle || (lease.woken ? slow || age >= SLICE : age >= this.#patience)
    if (over && lease.board) {
      if (!lease.woken && !now) this.#patience = Math.min(this.#patience * 2, LONGEST_PATIENCE)
      else if (lease.woken) this.#patience = PATIENCE
      this.#takeBack(lessee)
    }
    if (this.#lessee !== lessee) return true
    if (lease.length === 0 || age >= BOUND + this.#patience) {
      // What was sent without a board stays out until its holder says something.
      this.#lessee = undefined
      return true
    }
    if (!this.#armed.has(lessee)) this.#arm(lessee)
    if (this.#lessee !== lessee) return true
    if (this.#timer) return false
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#serve()
    }, SLICE).unref()
    return false
  }

  /**
   * Asks the consumer to tell of a claim: of its next one if that frees a slot for somebody who waits; otherwise of the last of what it
   * has, when another can be the lessee. Then looks again, because it may have claimed just before.
   */
  #arm(consumer: Consumer): void {
    const { lease } = consumer
    if (!lease.board) return
    this.#armed.add(consumer)
    this.#asked = (this.#asked % 0x7fff_ffff) + 1
    lease.ask(this.#asked, !this.#asking)
    this.#look(consumer)
  }

  #takeBack(consumer: Consumer): void {
    const { items, claimed } = consumer.lease.takeBack()
    this.#putBack(items)
    if (consumer.lease.length === 0) {
      this.#served.delete(consumer)
      if (this.#lessee === consumer) this.#lessee = undefined
    }
    this.#lineUp(consumer)
    if (claimed > 0) this.#user.taken()
  }

  /** Puts each item in its old place: before all that were never sent, and in order among those that were. */
  #putBack(items: readonly Item[]): void {
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i] as Item
      const earlier: Item[] = []
      for (
        let next = this.#items.peek();
        next && next.number > 0 && next.number < item.number;
        next = this.#items.peek()
      ) {
        earlier.push(this.#items.shift() as Item)
      }
      this.#items.unshift(item)
      for (const each of earlier.reverse()) this.#items.unshift(each)
    }
  }
}
