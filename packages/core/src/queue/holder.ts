import type { Offer } from '../board/board.js'
import { HolderCalls } from '../broker/holder-calls.js'
import type { Holder } from '../broker/holders.js'
import type { Link } from '../link/link.js'
import { appendBytes, appendText, appendU32 } from '../runtime/byte-buffer.js'
import type { Item } from './item.js'
import { Lease } from './lease.js'
import * as protocol from './protocol.js'
import type { SlotHolder } from './slots.js'
import type { Ask, Consumer } from './stock.js'

/** A holder of a queue, as its home knows it, and what home says to it. */
export class QueueHolder implements Holder, Consumer, SlotHolder {
  readonly link: Link
  /** The id of its context, once it has said so. */
  context?: string
  readonly lease = new Lease()
  readonly asks: Ask[] = []
  reserved = 0
  ahead = 1
  /** Calls for a slot that came with the home. The holder makes them again when it learns of the move; then they are ignored. */
  readonly adopted = new Set<number>()
  readonly calls: HolderCalls
  #offer: Offer | undefined
  /** What waits for its answer whether it could open the board. */
  #opening: (() => void)[] | undefined

  constructor(link: Link) {
    this.link = link
    this.calls = new HolderCalls(link)
  }

  /** Whether it has not answered yet whether it could open the board. */
  get opening(): boolean {
    return this.#opening !== undefined
  }

  /** Runs `then` when it is known whether this holder has a board. What it was sent before that could come back late. */
  whenOpened(makeOffer: () => Offer | undefined, then: () => void): void {
    if (!this.#offer) this.#offerBoard(makeOffer())
    if (!this.#opening) return then()
    this.#opening.push(then)
    this.calls.bound(this.#opening.length)
  }

  #offerBoard(offer: Offer | undefined): void {
    if (!offer) return
    const { slot, text, parcels, uncertain } = offer
    const write = (out: Parameters<typeof appendU32>[0]) => {
      appendU32(out, slot)
      appendText(out, text)
    }
    this.#offer = offer
    this.link.control(protocol.BOARD, write, parcels)
    if (uncertain) this.#opening = []
    else this.lease.board = offer.board
  }

  /** It has answered whether it could open the board. */
  opened(could: boolean): void {
    const then = this.#opening ?? []
    if (could) this.lease.board = this.#offer?.board
    this.#opening = undefined
    for (const each of then) each()
  }

  /** It is gone, or the home moves: nothing can be claimed, or taken back, any more. */
  closeBoard(): void {
    this.lease.board = undefined
    this.#offer?.close()
    this.#offer = undefined
  }

  /** Sends items, the first of which gets the next place: to be claimed on the board; or, one of them, by a message. */
  send(items: readonly Item[], onBoard: boolean): void {
    const place = (this.lease.sent + 1) >>> 0
    if (!onBoard) {
      const [{ bytes, start, end, parcels }] = items as [Item]
      const write = (out: Parameters<typeof appendU32>[0]) => {
        appendU32(out, place)
        appendBytes(out, bytes, start, end)
      }
      return this.link.control(protocol.ITEM, write, parcels)
    }
    const out = this.link.begin(protocol.ITEMS, false)
    appendU32(out, place)
    for (let i = 0; i < items.length; i++) {
      const { bytes, start, end } = items[i] as Item
      appendU32(out, end - start)
      appendBytes(out, bytes, start, end)
    }
    void this.link.commit(out, undefined)
  }

  /** Its oldest call for an item is refused. */
  refuseItem(reason: number): void {
    this.lease.refused()
    this.say(protocol.NO_ITEM, reason)
  }

  /** What a call that waited asked for is done. */
  done(call: number): void {
    this.calls.end(call)
    this.say(protocol.DONE, call)
  }

  /** A call that waited is refused. */
  refuse(call: number, reason: number): void {
    this.calls.end(call)
    this.say(protocol.REFUSED, call, reason)
  }

  say(type: number, ...values: number[]): void {
    this.link.control(type, out => {
      for (const value of values) appendU32(out, value)
    })
  }
}
