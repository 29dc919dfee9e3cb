import { type HomeBoard, isLater } from '../board/board.js'
import { Deque } from '../runtime/deque.js'
import type { Item } from './item.js'

/** The most items that one holder may have unclaimed. */
const MOST_ITEMS = 1024
/** A holder that has as many unclaimed bytes gets nothing ahead. */
const MOST_BYTES = 64 * 1024
/** ns. A holder may have unclaimed items for as much work, while nobody else waits. */
const WORK = 4_000_000
/** The same while others wait. */
const SHARED_WORK = 1_000_000
/** ns. A holder that takes longer for an item gets one at a time while others wait, so that they all work side by side. */
const SLOW = 30_000

/** Places behind `before`, up to `last`. */
interface Run {
  readonly before: number
  readonly last: number
}

/** What was sent to a holder, as home keeps it until it is known to be claimed. */
interface Sent {
  readonly place: number
  readonly item: Item
  /** Whether it is claimed on the board, so that home can take it back. Otherwise the holder tells of the claim. */
  readonly onBoard: boolean
}

/**
 * What home knows about one holder of a queue: what it was sent and has not claimed, and how much more it wants. Places count
 * what was sent; `sent` is the last one.
 */
export class Lease {
  /** Undefined if the holder has opened none. Then each item is sent by itself, and the holder tells of each claim. */
  board: HomeBoard | undefined
  readonly #out = new Deque<Sent>()
  #bytes = 0
  sent = 0
  /** From the holder's last WANT: the last place that had come there. */
  #seen = 0
  /** From the same: how many calls waited, beyond what had come. */
  #waiting = 0
  /** How many of them cannot give up. */
  #firm = 0
  /** How many places after `#seen` were claimed. So many of its calls do not wait any more. */
  #answered = 0
  /** Runs of places after `#seen` that were taken back: what they answered waits again. */
  #voided: Run[] = []
  /** How many items it may have unclaimed: doubles when half as many have come there, and it asks for more. */
  #limit = 1
  #grownAt = 0
  /** ns per item, as the holder measures it. 0 if not known. */
  pace = 0
  /** It has said that it takes nothing of what it has, and has claimed nothing since. */
  idle = false
  /** The place of what it was sent first after it had nothing. Once that is claimed, it has woken. */
  #first = 0
  #woken = true

  /** How many items it has not claimed, as far as home has looked. */
  get length(): number {
    return this.#out.length
  }

  /** Whether nothing can be sent until the holder has noticed that something was taken back. */
  get revoked(): boolean {
    return this.board?.revoked ?? false
  }

  /** The holder has noticed. */
  resume(): void {
    this.board?.resume(this.sent)
  }

  /** How many of its calls wait for items that were not sent yet. Negative if it has items ahead. */
  get need(): number {
    let coming = (this.sent - this.#seen) >>> 0
    for (const { before, last } of this.#voided) coming -= (last - before) >>> 0
    return this.#waiting - coming
  }

  /** Whether the next item answers a call that cannot give up. */
  get firm(): boolean {
    return this.#firm > 0
  }

  /** Whether it has claimed something since it had nothing, or none of its calls waits. */
  get woken(): boolean {
    return this.#woken || this.#waiting <= this.#answered
  }

  /** A WANT has come. */
  want(seen: number, waiting: number, firm: number, pace: number): void {
    // It cannot have seen more than was sent.
    if (isLater(seen, this.sent)) seen = this.sent
    const later = this.#voided.filter(({ last }) => isLater(last, seen))
    this.#voided = later.map(({ before, last }) => ({ before: isLater(seen, before) ? seen : before, last }))
    this.#answered = 0
    this.#seen = seen
    this.#waiting = waiting
    if (waiting > 0) this.idle = false
    this.#firm = firm
    if (pace > 0) this.pace = pace
    if (((seen - this.#grownAt) >>> 0) * 2 < this.#limit) return
    this.#grownAt = seen
    this.#limit = Math.min(this.#limit * 2, MOST_ITEMS)
  }

  /** One of its calls was refused, and does not wait any more. */
  refused(): void {
    this.#waiting--
    if (this.#firm > 0) this.#firm--
  }

  /** One more of its calls waits. The home before this one has told so. */
  expect(): void {
    this.#waiting++
  }

  /** How many more items it may be sent, on the board, in all. `shared`: others wait. May be negative. */
  room(shared: boolean): number {
    if (!this.board || this.board.revoked) return 0
    if (this.#bytes >= MOST_BYTES) return 0
    let most = this.#limit
    if (this.pace > 0) most = Math.min(most, Math.floor((shared ? SHARED_WORK : WORK) / this.pace))
    if (shared && this.pace > SLOW) return 0
    return most - this.#out.length
  }

  /** Asks the holder to tell of its next claim on the board; or, with `last`, only when it claims the last of what it has. */
  ask(asked: number, last: boolean): void {
    const from = last ? this.sent : (this.#out.peek()?.place ?? this.sent)
    this.board?.ask(asked, from)
  }

  /** The holder need not tell of claims any more. */
  dismiss(): void {
    this.board?.ask(0, 0)
  }

  /** Tells the board of items that are about to be sent, to be claimed there. */
  announce(count: number): void {
    this.board?.sent((this.sent + count) >>> 0, count)
  }

  /** Notes an item that was sent. Gives its place. */
  add(item: Item, onBoard: boolean): number {
    this.sent = (this.sent + 1) >>> 0
    if (this.#out.length === 0) {
      this.#first = this.sent
      this.#woken = false
    }
    this.#out.push({ place: this.sent, item, onBoard })
    this.#bytes += item.end - item.start
    if (this.#firm > 0) this.#firm--
    return this.sent
  }

  /** Looks at the board. Gives how many items have been claimed since the last look. */
  look(): number {
    if (!this.board || !this.#out.peek()?.onBoard) return 0
    const { begun } = this.board
    let count = 0
    while (this.#out.peek()?.onBoard && !isLater((this.#out.peek() as Sent).place, begun)) {
      this.#claim()
      count++
    }
    return count
  }

  /** The holder says that everything up to `place` is claimed. Gives how many items that is, beyond those that home knew of. */
  claimed(place: number): number {
    let count = 0
    for (let next = this.#out.peek(); next && !isLater(next.place, place); next = this.#out.peek()) {
      this.#claim()
      count++
    }
    return count
  }

  #claim(): void {
    const { place, item } = this.#out.shift() as Sent
    this.idle = false
    this.#bytes -= item.end - item.start
    if (isLater(place, this.#seen)) this.#answered++
    if (!isLater(this.#first, place)) this.#woken = true
  }

  /** The holder gives back what was sent at `place`. Gives that, as it was sent; undefined if it was not out any more. */
  returned(place: number): Item | undefined {
    const rest = [...this.#out]
    const found = rest.find(each => each.place === place)
    if (!found) return undefined
    this.#keep(rest.filter(each => each !== found))
    this.#void(place)
    return found.item
  }

  /** Takes back what is on the board and not claimed. Gives it, oldest first, and how many were claimed since the last look. */
  takeBack(): { items: Item[]; claimed: number } {
    if (!this.board) return { items: [], claimed: 0 }
    const begun = this.board.takeBack(this.sent)
    const rest = [...this.#out]
    const taken = rest.filter(({ onBoard, place }) => onBoard && isLater(place, begun))
    const left = rest.filter(({ onBoard }) => !onBoard)
    const claimed = rest.length - taken.length - left.length
    if (claimed > 0) this.#woken = true
    for (const { place, onBoard } of rest) {
      if (onBoard && !isLater(place, begun) && isLater(place, this.#seen)) this.#answered++
    }
    this.#keep(left)
    for (const { place } of taken) this.#void(place)
    this.#limit = Math.max(1, this.#limit >> 1)
    return { items: taken.map(({ item }) => item), claimed }
  }

  /** The holder is gone. Gives what it had not claimed, except items with parcels. These exist once, and are gone with it. */
  end(): Item[] {
    const { items } = this.takeBack()
    const told = [...this.#out].map(({ item }) => item).filter(({ parcels }) => !parcels)
    this.#keep([])
    this.board = undefined
    return [...items, ...told]
  }

  /** What was sent at this place was taken back. */
  #void(place: number): void {
    if (!isLater(place, this.#seen)) return
    const before = (place - 1) >>> 0
    const run = this.#voided.at(-1)
    if (run?.last === before) this.#voided[this.#voided.length - 1] = { before: run.before, last: place }
    else this.#voided.push({ before, last: place })
  }

  #keep(rest: readonly Sent[]): void {
    this.#out.clear()
    this.#bytes = 0
    for (const each of rest) {
      this.#out.push(each)
      this.#bytes += each.item.end - each.item.start
    }
  }
}
