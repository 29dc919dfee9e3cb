import type { MpError } from '../errors.js'
import { Pending } from '../runtime/pending-call.js'
import { caughtUp } from '../runtime/turn.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { type Batch, LARGE } from './batch.js'
import { malformedFrame } from './frame.js'
import { BEYOND, LEFT, MOVE, MOVED } from './protocol.js'
import { RelayedEnd } from './relayed-end.js'
import type { Copy, SendWindow } from './send-window.js'
import { discardParcels, type End, open, type Parcel, TicketEnd } from './wire-end.js'

/** ms that a context which exits waits, in all, to learn where the other sides of its links are. */
export const LONGEST_LOOK = 250

/**
 * - silent: nothing was sent over this wire. What is sent first is copied.
 * - open: what is sent goes.
 * - copying: what is sent goes, and a copy is kept, until what had come already was read.
 * - holding: what is sent waits, until what had come already was read.
 * - following: as holding, after a move. Whether the other side read what was copied is not known yet.
 * - moving: MOVE was sent. What is sent goes. Waits for the answer.
 * - crossing: as moving. The other side moves too, and has told where to.
 * - closed: nothing is sent, and nothing is heard.
 *
 * The link listens in copying, holding and following.
 */
export type LinkState = 'silent' | 'open' | 'copying' | 'holding' | 'following' | 'moving' | 'crossing' | 'closed'

/** What a move asks of its link. */
export interface MovingLink {
  /** Where both sides may move at once: true at one of them, false at the other. */
  readonly first: boolean
  control(type: number, write: undefined, parcels?: readonly Parcel[]): void
  flushAll(): void
  /** Goes on over another wire, with full windows. */
  goOnOver(wire: Wire): void
  /** The other side is about to be another context. */
  moving(): void
  /** The other side is another context from here on. */
  moved(): void
  /** What waits may go. */
  send(): void
  /** This side knows where the other one is. */
  listened(): void
}

/**
 * Where a link's other side is, and what may be sent to it: docs/adr/0004-moving-connections.md.
 *
 * A link starts as silent (`keepFirst`), holding (`listenFirst`) or open. This is what each event makes of a state. A dash
 * leaves it as it is; an exclamation mark breaks the link, as the other side does not keep to the protocol.
 *
 *                send (1)    caught up  MOVE          MOVED   MOVED + end  LEFT         old wire ends  move()
 *     silent     copying (2) -          silent        !       !            - (3)        -              moving (4)
 *     open       -           -          holding (5)   !       !            - (3)        -              moving (4)
 *     copying    - (2)       open       following (6) !       !            - (3)        -              waits for open
 *     holding    -           open       following (6) !       !            - (3)        -              waits for open
 *     following  -           -          -             !       !            holding (7)  holding (7)    waits for open
 *     moving     -           -          crossing (8)  closed  !            closed       -              -
 *     crossing   -           -          !             closed  moving (9)   closed       -              -
 *
 * Every state becomes closed when the link closes, or when its wire does. A `close` while the link listens waits for open.
 *
 * 1. Of a user's message. The link's own messages go in every state, and change none.
 * 2. holding, if the message cannot be copied, or has to wait for something else.
 * 3. It is noted: a side that has left follows no move.
 * 4. If the other side has left, nothing is sent, and the end that was to be sent closes.
 * 5. silent, if what is sent first is copied: the other side may have moved on from where it is now, too.
 * 6. holding, if there is no copy.
 * 7. After LEFT, what was copied is sent again. If the old wire ends without LEFT, it was read to its end.
 * 8. closed, at the pipe's first end: it has heard everything, and gives the other side's end back (MOVED + end).
 * 9. It follows to the first end's taker, and moves that one to its own taker.
 */
export class LinkMove {
  /** Only read from outside. */
  state: LinkState = 'open'
  readonly #link: MovingLink
  readonly #batch: Batch
  readonly #window: SendWindow
  readonly #transport: Transport
  /** What is sent first over each wire is copied. */
  #copiesFirst = false
  /** In copying, and after it: what was sent since the link listens. */
  #copies: Copy[] = []
  /** In following: the wire over which the copies were sent. */
  #oldWire: Wire | undefined
  /** The promise of all that is sent while the link listens. */
  #accepted: Pending<void> | undefined
  /** The other side has read some of what was sent in copying, so it had not closed before. */
  #answered = false
  /** What to do when the link has listened. */
  #then: (() => void)[] = []
  /** In moving and crossing: ends the wait of `move`. */
  #moved: (() => void) | undefined
  /** In crossing: the end that leads to the other side's taker. */
  #crossing: End | undefined
  #otherLeft = false

  constructor(link: MovingLink, batch: Batch, window: SendWindow, transport: Transport) {
    this.#link = link
    this.#batch = batch
    this.#window = window
    this.#transport = transport
  }

  /** Whether users' messages go, as far as the window lets them. */
  get sends(): boolean {
    const { state } = this
    return state !== 'holding' && state !== 'following' && state !== 'closed'
  }

  get holds(): boolean {
    const { state } = this
    return state === 'holding' || state === 'following'
  }

  get listens(): boolean {
    const { state } = this
    return state === 'copying' || state === 'holding' || state === 'following'
  }

  listenFirst(): void {
    this.#listen('holding')
  }

  keepFirst(): void {
    this.#copiesFirst = true
    this.state = 'silent'
  }

  /**
   * A user's message of `length` bytes is about to be sent in a state that is not open. If it is not `direct`, so that it
   * has to wait for something else, no copy of it is kept: it waits for the link, too.
   */
  beforeSend(length: number, parcels: readonly Parcel[] | undefined, direct: boolean): void {
    if (this.state === 'silent') this.#listen('copying')
    if (this.state === 'copying' && (!direct || length >= LARGE || !canGoTwice(parcels))) this.state = 'holding'
  }

  /** In copying: a message was sent. */
  keepCopy(bytes: Uint8Array<ArrayBuffer>, parcels: readonly Parcel[] | undefined): void {
    this.#copies.push({ bytes, parcels })
  }

  /**
   * The promise of a message that was sent while a link of `keepFirst` listens. It resolves when this side knows that the
   * other one was there, and rejects when the other one had closed before.
   */
  accepted(): Promise<void> | undefined {
    if (!this.#copiesFirst || this.#answered) return undefined
    this.#accepted ??= new Pending<void>()
    return this.#accepted.promise
  }

  /** The other side gives credit. */
  credited(): void {
    if (!this.listens) return
    this.#answered = true
    this.#accept()
  }

  async listened(): Promise<void> {
    if (this.listens) await new Promise<void>(resolve => this.#then.push(resolve))
  }

  listenNow(deadline: number): void {
    while (this.listens) {
      const old = this.#oldWire
      const wire = old ?? this.#batch.wire
      const ms = wire.caughtUp && !old ? Math.max(0, deadline - performance.now()) : 0
      if (wire.receiveSync?.(ms)) continue
      // If the other side has not left, it reads what was sent to it.
      if (old) this.#oldWireEnded(old, false)
      else this.#caughtUp(wire)
    }
  }

  move(end: End): Promise<void> {
    if (this.listens) {
      return new Promise(resolve => this.#then.push(() => this.move(end).then(resolve)))
    }
    if (this.state === 'closed' || this.#otherLeft) {
      discardParcels([end], this.#transport)
      return Promise.resolve()
    }
    this.#link.flushAll()
    this.#say(MOVE, end)
    this.state = 'moving'
    return new Promise(resolve => {
      this.#moved = resolve
    })
  }

  end(): void {
    if (!this.#copiesFirst) this.sayLeft()
  }

  sayLeft(): void {
    if (this.state !== 'closed') this.#say(LEFT)
  }

  /** One of MOVE, MOVED and LEFT came over the link's wire. */
  message(type: number, parcels: readonly Parcel[] | undefined): void {
    const moves = this.state === 'moving' || this.state === 'crossing'
    if (type === MOVE) {
      const end = endOf(parcels)
      if (moves) this.#cross(end)
      else this.#follow(end)
    } else if (type === MOVED) {
      if (!moves) throw malformedFrame()
      if (parcels) this.#moveAgain(endOf(parcels))
      else this.#left()
    } else if (this.#oldWire) {
      // The rest of the frame in which MOVE came.
      this.#oldWireEnded(this.#oldWire, true)
    } else if (moves) {
      this.#left()
    } else {
      this.#otherLeft = true
    }
  }

  /** A frame came over a wire that is the link's no longer. */
  oldFrame(wire: Wire, frame: Uint8Array): void {
    if (frame[0] === LEFT) this.#oldWireEnded(wire, true)
  }

  /** A wire that is the link's no longer has closed. */
  oldClosed(wire: Wire): void {
    this.#oldWireEnded(wire, false)
  }

  /** The link closes. */
  close(): void {
    this.state = 'closed'
  }

  /** The link is lost: calls reject with what `lost` gives. */
  lose(lost: () => MpError): void {
    this.#endMove()
    this.#accepted?.reject(lost())
    this.#accepted = undefined
    this.#tellListened()
  }

  #say(type: number, end?: End): void {
    this.#link.control(type, undefined, end && [end])
    this.#batch.flush()
  }

  #listen(state: 'copying' | 'holding'): void {
    this.state = state
    this.#answered = false
    const { wire } = this.#batch
    void Promise.all([wire.caughtUp?.(), caughtUp()]).then(() => this.#caughtUp(wire))
  }

  /** What had come over `wire` was read. */
  #caughtUp(wire: Wire): void {
    // Over another wire: the other side has moved. In following: word of how it left is still to come.
    if (wire !== this.#batch.wire || (this.state !== 'copying' && this.state !== 'holding')) return
    this.state = 'open'
    this.#copies = []
    this.#window.release()
    this.#accept()
    this.#link.send()
    this.#tellListened()
    this.#link.listened()
  }

  #accept(): void {
    this.#accepted?.resolve()
    this.#accepted = undefined
  }

  #tellListened(): void {
    for (const each of this.#then.splice(0)) each()
  }

  /** The other side moved: what this side sent so far ends with MOVED, and what it sends from here on goes the new way. */
  #follow(end: End): void {
    this.#link.moving()
    if (this.#window.halfSent) {
      this.#link.control(BEYOND, undefined)
      this.#window.sendOtherHalf()
    }
    this.#say(MOVED)
    if (this.state !== 'following' && this.#copies.length > 0) this.#oldWire = this.#batch.wire
    const silent = this.#copiesFirst && !this.listens
    this.#link.goOnOver(open(end, this.#transport))
    // The other side may have moved on from where it is now, too.
    if (silent) this.state = 'silent'
    else this.#listen('holding')
    if (this.#oldWire) this.state = 'following'
    this.#link.moved()
    this.#link.send()
  }

  /** Before it ended, the other side has read what was sent there; or, if it is `unheard`, it has not. */
  #oldWireEnded(wire: Wire, unheard: boolean): void {
    if (wire !== this.#oldWire || this.state !== 'following') return
    this.#oldWire = undefined
    if (unheard) this.#window.sendAgain(this.#copies)
    this.#copies = []
    this.#listen('holding')
  }

  /**
   * Both sides moved at once: each has sent the other an end that leads to its own taker. The first gives the second its end
   * back, and is done, having heard everything. The second then follows to the first's taker, and moves that one to its own.
   */
  #cross(end: End): void {
    if (!this.#link.first) {
      if (this.#crossing) throw malformedFrame()
      this.#crossing = end
      this.state = 'crossing'
      return
    }
    this.#say(MOVED, end)
    this.#left()
  }

  #moveAgain(end: End): void {
    const theirs = this.#crossing
    if (!theirs) throw malformedFrame()
    this.#crossing = undefined
    this.#batch.wire.close()
    this.#link.goOnOver(open(theirs, this.#transport))
    this.state = 'moving'
    this.#say(MOVE, end)
  }

  #left(): void {
    this.#endMove()
    this.#batch.wire.close()
  }

  #endMove(): void {
    this.state = 'closed'
    this.#moved?.()
    // An end that leads to nobody who is told of it closes, so that its other side hears of it.
    if (this.#crossing) discardParcels([this.#crossing], this.#transport)
    this.#crossing = undefined
  }
}

/** Tickets that are mere data: of several copies one will arrive. */
function canGoTwice(parcels: readonly Parcel[] | undefined): boolean {
  return parcels?.every(each => each instanceof TicketEnd && !each.ticket.transfer?.length) ?? true
}

function endOf(parcels: readonly Parcel[] | undefined): End {
  const end = parcels?.[0]
  if (end instanceof TicketEnd || end instanceof RelayedEnd) return end
  throw malformedFrame()
}
