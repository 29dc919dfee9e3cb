import { MpError } from '../errors.js'
import { appendBytes, appendU32, ByteBuffer, readU32, writeU32 } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import { atTurnEnd, caughtUp, roughNow, turn, turnIsLong, turnsAreOver } from '../runtime/turn.js'
import { batchSent, noteBatch } from '../runtime/unsent.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { Batch } from './batch.js'
import {
  attachedBytes,
  CREDITED,
  checkLength,
  cost,
  FRAGMENT_HEADER,
  FrameReader,
  type FrameUser,
  fragment,
  HEADER,
  malformedFrame,
  PARCELS,
} from './frame.js'
import type { EndCarrier } from './parcel-table.js'
import { discardAttachments, RelayedEnd } from './relayed-end.js'
import { discardParcels, type End, open, type Parcel, TicketEnd } from './wire-end.js'

/** The link's own messages, beside FRAGMENT; those of its users start at 16. */
const CREDIT = 1
const MOVE = 3
const MOVED = 4
/** This side ends: nothing more comes. After its MOVE, which was not answered: it has read nothing that the other one sent. */
const LEFT = 5
/** This side ends, or moves, and sends what waits for the window, all of it. */
const BEYOND = 6
/** The last of the link's own. */
const LAST_OWN = BEYOND

const FIRST_OF_USERS = 16

/** Bytes that an entry of a table may take, beside what its ticket holds. */
const LARGEST_ENTRY = 256

/** Bytes from which on a copy costs more than a frame of its own. */
const LARGE = 64 * 1024

/** Bytes that may be on their way, or unread, per direction. Four 1 MiB messages in flight keep a 1 MiB stream busy. */
const WINDOW = 4 * 1024 * 1024

/** ms that a context which exits waits, in all, to learn where the other sides of its links are. */
const LONGEST_LOOK = 250

/**
 * Bytes that somebody from another program may send beyond the window, when he ends. What a program of ours has to say at its end
 * is never too much.
 */
const STRANGERS_REST = 64 * 1024 * 1024

/** Links that are to close as soon as they know where the other side is. */
const closing = new Set<Link>()

/** Fulfils when what was sent by links that were closed has left. */
export async function closingLinks(): Promise<void> {
  await Promise.all([...closing].map(link => link.listened()))
}

/** Before a context exits: its `links`, and those that are to close, learn where their other sides are, and may send. */
export function listenNow(links: Iterable<Link>): void {
  const deadline = performance.now() + LONGEST_LOOK
  for (const link of [...links, ...closing]) link.listenNow(deadline)
}

export interface Message {
  /** To give credit to. */
  readonly link: Link
  readonly type: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
  /** What to give back with {@link Link.credit} once a reader took the message; 0 where it was not credited. */
  readonly cost: number
}

export interface LinkUser {
  message(message: Message): void
  /** What was said to wait may be sent. */
  drained?(): void
  /** The other side is another context from here on; everything that the one before sent has come. */
  moved?(): void
  /** Where both sides may move at once: true at one of them, false at the other. */
  readonly first?: boolean
  /** The other side closed, died or broke the protocol. Last call; not after our own `close`. */
  closed(error: Error | undefined): void
  /** What a call that waits for the window rejects with when the link is lost. */
  lost(): MpError
}

interface Waiting {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly parcels: readonly Parcel[] | undefined
  readonly credited: boolean
  /** Bytes already sent as fragments. */
  sent: number
  /** Its caller gave up before any of it was sent. */
  withdrawn: boolean
  readonly pending: Pending<void> | undefined
}

/** A message that may have to be sent again. */
interface Copy {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly parcels: readonly Parcel[] | undefined
}

/** Sets the limits of a call that waits; `withdraw` is what to do when one of them comes first. */
export type Limit = (pending: Pending<void>, withdraw: () => void) => void

const ACCEPTED = Promise.resolve()

/**
 * A wire with batching, credits and fragments: what every queue, pipe and process speaks through.
 *
 * What is sent in one turn of the event loop becomes one frame. It leaves at the turn's end (when the microtasks have run),
 * or within the call at 64 KiB, 256 messages or 1 ms. So a loop of awaited sends costs no postMessage or system call each,
 * and a single message waits for no timer.
 */
export class Link {
  #wire: Wire
  readonly transport: Transport
  readonly #user: LinkUser
  readonly #window: number
  /** Carries ends of relayed wires, where the wire itself does not. Set once, before anything is sent. */
  carrier: EndCarrier | undefined
  #closed = false
  #heard = false
  /** The other side has said that it ends: it follows no move. */
  #otherLeft = false
  /** Ends the wait of `move`. */
  #moved: (() => void) | undefined

  readonly #batch = new Batch()
  /** The other side's end, where it moved at the same time. */
  #crossing: End | undefined
  #flushScheduled = false
  /** Where the message being encoded starts in the batch; -1 when none is. */
  #openAt = -1

  /** Credited bytes that the other side has not taken yet. */
  #outstanding = 0
  #undrained = false
  /** What to do when this side knows where the other one is; undefined once it does. */
  #listening: (() => void)[] | undefined
  /** Sends nothing while it listens. */
  #holds = false
  /** Credited bytes that were accepted meanwhile. */
  #held = 0
  /** What is sent first over a wire is kept; `#silent` until something is. */
  #keeps = false
  #silent = false
  /** What was sent while it listened. */
  #copies: Copy[] | undefined
  /** The wire before the other side's move, until it is known whether what was sent there was read. */
  #old: { readonly wire: Wire; readonly copies: readonly Copy[] } | undefined
  /** `close` was called while it listened. */
  #closing = false
  readonly #waiting = new Deque<Waiting>()

  #uncredited = 0
  /** Of the other side's messages, by what it has been told: never more than the window, or it does not keep to it. */
  #unread = 0
  /** What it may send beyond. */
  #allowance = 0
  readonly #reader: FrameReader

  constructor(wire: Wire, transport: Transport, user: LinkUser, window: number = WINDOW) {
    this.#wire = wire
    this.transport = transport
    this.#user = user
    this.#window = window
    this.#reader = new FrameReader(this.#frameUser(), transport)
    this.#start(wire)
  }

  /**
   * Sends nothing until what has already arrived was read: the other side may have moved before this end was opened, and where
   * it was nobody listens any more. What is sent meanwhile is accepted, within the window, and goes where the other side is then.
   */
  listenFirst(): void {
    this.#holds = true
    this.#listen()
  }

  /**
   * As `listenFirst`, but what is sent first goes at once, as this thread may be busy then; a copy is kept until what had arrived
   * was read. If the other side has moved, and left unheard, it is sent again to where that is now. What cannot be copied waits.
   */
  keepFirst(): void {
    this.#keeps = true
    this.#silent = true
  }

  /** Whether what is sent now is kept. */
  #isFirst(): boolean {
    if (this.#silent) {
      this.#silent = false
      this.#copies = []
      this.#listen()
    }
    return this.#copies !== undefined
  }

  #listen(): void {
    this.#listening ??= []
    const wire = this.#wire
    void Promise.all([wire.caughtUp?.(), caughtUp()]).then(() => {
      // Else the other side has moved, and word of how is still to come.
      if (wire === this.#wire && !this.#old) this.#listened()
    })
  }

  /** Fulfils when this side may send. */
  async listened(): Promise<void> {
    if (this.#listening) await new Promise<void>(resolve => this.#listening?.push(resolve))
  }

  /** As the end of `listened`, in a context whose event loop turns no more; until `deadline`, as performance.now() counts. */
  listenNow(deadline: number = performance.now() + LONGEST_LOOK): void {
    while (this.#listening) {
      const old = this.#old
      const wire = old ? old.wire : this.#wire
      const ms = wire.caughtUp && !old ? Math.max(0, deadline - performance.now()) : 0
      if (wire.receiveSync?.(ms)) continue
      // One that has not left reads what was sent to it.
      if (old && old === this.#old) this.#oldEnded(false)
      else if (wire === this.#wire) this.#listened()
    }
  }

  #listened(): void {
    const then = this.#listening
    if (!then) return
    this.#listening = undefined
    this.#holds = false
    this.#held = 0
    this.#copies = undefined
    this.#sendWhatWaits()
    for (const each of then) each()
    if (this.#closing) this.#close()
  }

  /** Whether the other side has ever sent anything. */
  get heard(): boolean {
    return this.#heard
  }

  get closed(): boolean {
    return this.#closed || this.#closing
  }

  /** Whether a credited message would go now, without waiting for the reader. */
  get writable(): boolean {
    return this.#outstanding < this.#window && !this.#stopped && this.#waiting.length === 0
  }

  /**
   * Opens a message: the caller appends its body to the buffer, then calls `commit`, or `abandon` after a throw.
   * Encoding straight into the batch saves a copy, and an allocation, per message.
   */
  begin(type: number, credited: boolean): ByteBuffer {
    let { out } = this.#batch
    if (this.#openAt >= 0 || this.#closed || !this.#mayGo(type, credited)) {
      // It has to wait, or it nests: an encode ran user code that sends on this very link.
      out = new ByteBuffer(256)
    } else {
      this.#openAt = out.length
      out.reserve(HEADER)
    }
    out.bytes[out.length] = credited ? type | CREDITED : type
    out.length += HEADER
    return out
  }

  /** Whether the wire has asked to wait: what is sent all the same, waits here. */
  get undrained(): boolean {
    return this.#undrained
  }

  get #stopped(): boolean {
    return this.#undrained || this.#holds
  }

  /** The link's own few bytes go ahead of what waits, or two full windows would wait for each other; channels share the wire. */
  #mayGo(type: number, credited: boolean): boolean {
    if (credited) return this.writable
    return type <= LAST_OWN || (!this.#stopped && (type < FIRST_OF_USERS || this.#waiting.length === 0))
  }

  /** Forgets the message that `begin` opened. */
  abandon(out: ByteBuffer): void {
    if (out !== this.#batch.out) return
    out.length = this.#openAt
    this.#openAt = -1
    if (this.#waiting.length > 0) this.#sendWhatWaits()
  }

  /**
   * Sends the opened message. Resolves when the window had room for it (mostly at once); rejects with the user's `lost()`
   * when the link is lost before. Throws MP_FRAME_TOO_LARGE, and then nothing was sent. `limit` is told of a call that waits
   * for the window: until the first of its bytes has gone, `withdraw` takes the message back.
   */
  commit(out: ByteBuffer, parcels: readonly Parcel[] | undefined, limit?: Limit): Promise<void> {
    const direct = out === this.#batch.out
    let start = direct ? this.#openAt : 0
    const length = out.length - start - HEADER
    try {
      const beside = parcels && this.transport.buffers ? attachedBytes(parcels) : 0
      checkLength(length + beside, this.transport)
    } catch (error) {
      this.abandon(out)
      throw error
    }
    writeU32(out.bytes, start + 1, length)
    const first = this.#keeps && ((out.bytes[start] as number) & ~CREDITED) >= FIRST_OF_USERS && this.#isFirst()
    if (first && (length >= LARGE || !canGoTwice(parcels))) this.#holds = true
    const room = this.#roomBeside(parcels)
    if (!direct || this.#closed || (first && this.#holds) || out.length - start > room) {
      const bytes = direct ? out.bytes.slice(start, out.length) : out.bytes.subarray(0, out.length)
      this.abandon(out)
      return this.#wait(bytes, parcels, limit)
    }
    this.#openAt = -1
    if (out.length > room && start > 0) {
      this.#put(this.#batch.takeFrame(start), this.#batch.takeAttachments())
      start = 0
    }
    if (first) this.#copies?.push({ bytes: out.bytes.slice(start, out.length), parcels })
    if (parcels) this.#addParcels(out, start, parcels)
    if ((out.bytes[start] as number) & CREDITED) this.#outstanding += cost(length, parcels, this.transport)
    const accepted = this.#batched()
    // What the encode of this message sent on this link comes behind it.
    if (this.#waiting.length > 0) this.#sendWhatWaits()
    return accepted
  }

  /** A message without value, or with a few bytes of its own; never waits for the window. */
  control(type: number, write?: (out: ByteBuffer) => void, parcels?: readonly Parcel[]): void {
    if (this.#closed) return discardParcels(parcels, this.transport)
    const out = this.begin(type, false)
    write?.(out)
    void this.commit(out, parcels)
  }

  /** As `control`, with a body of `head` and `rest`; where the wire allows it, a large `rest` is not copied. Takes both over. */
  controlOf(type: number, head: Uint8Array, rest: Uint8Array<ArrayBuffer>, parcels?: readonly Parcel[]): void {
    const wire = this.#wire
    const length = head.length + rest.length
    const whole = HEADER + length <= (wire.maxFrame ?? Number.POSITIVE_INFINITY)
    const apart = rest.length >= LARGE && whole && !parcels && this.#openAt < 0 && this.#mayGo(type, false)
    if (this.#closed || !apart || !wire.sendParts) {
      const write = (out: ByteBuffer) => {
        appendBytes(out, head, 0, head.length)
        appendBytes(out, rest, 0, rest.length)
      }
      return this.control(type, write, parcels)
    }
    const first = new Uint8Array(HEADER + head.length)
    first[0] = type
    writeU32(first, 1, length)
    first.set(head, HEADER)
    this.flush()
    if (!wire.sendParts([first, rest])) this.#undrained = true
  }

  /** Tells the sender that the reader took a message. */
  credit(cost: number): void {
    this.#uncredited += cost
    if (this.#uncredited < this.#window / 2) return
    const bytes = this.#uncredited
    this.#uncredited = 0
    this.#unread -= bytes
    this.control(CREDIT, out => appendU32(out, bytes))
    // At once: the sender may be waiting, and this turn may go on for long.
    this.flush()
  }

  /** As {@link Unsent.sendNow}: the batch. */
  sendNow(): void {
    this.flush()
  }

  /** Sends the batch now. */
  flush(): void {
    // Not the message that is just being encoded: the encode may run user code, which may close, or exit.
    const length = this.#openAt >= 0 ? this.#openAt : this.#batch.out.length
    if (length === 0) return
    if (this.#openAt >= 0) this.#openAt = 0
    this.#put(this.#batch.takeFrame(length), this.#batch.takeAttachments())
  }

  /** Sends everything now, also what waits for the window: this context ends, or the user closes. Not while it listens. */
  flushAll(): void {
    if (this.#listening) return this.flush()
    if (this.#nextWaiting()) this.control(BEYOND)
    for (let next = this.#nextWaiting(); next; next = this.#nextWaiting()) this.#sendWaiting(next, true)
    this.flush()
  }

  /** Closes after everything that was sent. Calls that wait for the window resolve: what they sent has left. */
  close(): void {
    if (this.closed) return
    if (!this.#listening) return this.#close()
    // Its user hears nothing more, but the other side's move is still followed.
    this.#closing = true
    closing.add(this)
  }

  #close(): void {
    closing.delete(this)
    this.flushAll()
    this.#closed = true
    this.#wire.close()
  }

  /** Closes, as this context ends, whose thread goes on: calls that wait for the other side reject, for good. */
  leave(): void {
    if (this.#closed) return
    this.flushAll()
    this.#wire.close()
    this.#lose(new MpError('MP_CLOSED', 'the context that made this call has ended'))
  }

  /**
   * Moves the other side's end of this link to the context that holds, or will hold, the other end of `end`'s wire. The
   * other side goes on as if nothing had happened. Resolves when everything it sent to this context has arrived, or when
   * it is gone; the caller then closes this link.
   */
  move(end: End): Promise<void> {
    if (this.#listening) {
      return new Promise(resolve => this.#listening?.push(() => this.move(end).then(resolve)))
    }
    if (this.#closed || this.#otherLeft) {
      discardParcels([end], this.transport)
      return Promise.resolve()
    }
    this.flushAll()
    this.control(MOVE, undefined, [end])
    this.flush()
    return new Promise(resolve => {
      this.#moved = resolve
    })
  }

  /** This context exits, and has said everything: who waits for it to follow a move need not. */
  end(): void {
    if (!this.#keeps) this.#sayLeft()
  }

  /** This context ends. Where a move was not answered, the other side must know whether it was heard. */
  tellLeft(): void {
    if (!this.#heard) this.#sayLeft()
  }

  #sayLeft(): void {
    if (this.#closed) return
    this.control(LEFT)
    this.flush()
  }

  /** Sends the batch, and reads the wire's next frame, blocking: see {@link Wire.receiveSync}. For a context that exits. */
  receiveSync(timeoutMs: number): boolean {
    if (this.#closed || !this.#wire.receiveSync) return false
    // No turn of the event loop comes that would end it.
    this.listenNow()
    this.flush()
    return this.#wire.receiveSync(timeoutMs)
  }

  #start(wire: Wire): void {
    wire.start({
      frame: (bytes, attachments) => {
        if (this.#wire !== wire) {
          if (wire === this.#old?.wire && bytes[0] === LEFT) this.#oldEnded(true)
          return
        }
        if (this.#closed) this.#drop(bytes, attachments)
        else this.#receive(bytes, attachments)
      },
      drain: () => {
        if (this.#wire !== wire) return
        this.#undrained = false
        this.#sendWhatWaits()
        if (!this.#undrained) this.#user.drained?.()
      },
      close: error => {
        if (this.#wire === wire) this.#lose(error)
        else if (wire === this.#old?.wire) this.#oldEnded(false)
      },
    })
    wire.unref()
  }

  #batched(): Promise<void> {
    const now = roughNow()
    if (this.#batch.add(now)) {
      this.flush()
    } else if (!this.#flushScheduled) {
      this.#flushScheduled = true
      noteBatch(this)
      atTurnEnd(this)
    }
    return turnIsLong(now) ? turn() : ACCEPTED
  }

  /** The microtasks have run: the turn is over. */
  turnEnded(): void {
    this.#flushScheduled = false
    batchSent(this)
    this.flush()
  }

  /** How long a frame may be before the table of what rides along. */
  #roomBeside(parcels: readonly Parcel[] | undefined): number {
    const { maxFrame } = this.#wire
    if (maxFrame === undefined) return Number.POSITIVE_INFINITY
    return parcels ? maxFrame - (parcels.length + 1) * LARGEST_ENTRY : maxFrame
  }

  #addParcels(out: ByteBuffer, start: number, parcels: readonly Parcel[]): void {
    const { wires } = this.transport
    if (wires?.left)
      for (const each of parcels) if (each instanceof TicketEnd) wires.left(each.ticket.value, this.#wire)
    this.#batch.addParcels(out, start, parcels, this.transport, this.carrier)
  }

  #put(frame: Uint8Array<ArrayBuffer>, attachments: readonly object[] | undefined): void {
    if (!this.#wire.send(frame, attachments)) this.#undrained = true
  }

  #wait(
    bytes: Uint8Array<ArrayBuffer>,
    parcels: readonly Parcel[] | undefined,
    limit: Limit | undefined,
  ): Promise<void> {
    const credited = ((bytes[0] as number) & CREDITED) !== 0
    if (this.#closed) {
      discardParcels(parcels, this.transport)
      return credited ? Promise.reject(this.#user.lost()) : ACCEPTED
    }
    const accepted = this.#holds && this.#outstanding + this.#held < this.#window
    if (accepted && credited) this.#held += cost(bytes.length - HEADER, parcels, this.transport)
    const pending = credited && !accepted ? new Pending<void>() : undefined
    const waiting: Waiting = { bytes, parcels, credited, sent: 0, withdrawn: false, pending }
    this.#waiting.push(waiting)
    if (turnsAreOver()) {
      this.listenNow()
      this.flushAll()
    } else this.#sendWhatWaits()
    if (accepted && turnIsLong(roughNow())) return turn()
    if (pending && limit && !pending.settled && waiting.sent === 0) limit(pending, () => this.#withdraw(waiting))
    return pending?.promise ?? ACCEPTED
  }

  #withdraw(waiting: Waiting): void {
    waiting.withdrawn = true
    this.#sendWhatWaits()
  }

  /** The message at the head of those that wait. */
  #nextWaiting(): Waiting | undefined {
    let next = this.#waiting.peek()
    while (next?.withdrawn) {
      this.#waiting.shift()
      next = this.#waiting.peek()
    }
    return next
  }

  #sendWhatWaits(): void {
    if (this.#openAt >= 0) return
    for (let next = this.#nextWaiting(); next; next = this.#nextWaiting()) {
      if (this.#stopped || (next.credited && this.#outstanding >= this.#window)) return
      this.#sendWaiting(next, false)
    }
  }

  /** Sends the message at the head of those that wait; where it goes in fragments, as many as the window takes. */
  #sendWaiting(next: Waiting, force: boolean): void {
    const { bytes, parcels } = next
    // Too late to take it back.
    next.pending?.unlimit()
    // Before the wire takes the bytes over.
    const price = next.credited ? cost(bytes.length - HEADER, parcels, this.transport) : 0
    const room = this.#roomBeside(parcels)
    if (bytes.length >= LARGE && bytes.length <= room && !parcels) {
      // In memory of its own already.
      this.flush()
      this.#put(bytes, undefined)
    } else if (bytes.length <= room) {
      if (this.#batch.out.length + bytes.length > room) this.flush()
      const { out } = this.#batch
      const start = out.length
      appendBytes(out, bytes, 0, bytes.length)
      if (parcels) this.#addParcels(out, start, parcels)
      void this.#batched()
    } else {
      this.flush()
      const chunk = room - HEADER - FRAGMENT_HEADER
      while (next.sent < bytes.length) {
        if (!force && (this.#undrained || (next.credited && this.#outstanding >= this.#window))) return
        this.#sendFragment(next, Math.min(chunk, bytes.length - next.sent))
      }
    }
    this.#outstanding += price
    this.#waiting.shift()
    next.pending?.resolve()
  }

  /** A fragment's own bytes are credited when it arrives; the whole message's when a reader took it. */
  #sendFragment(next: Waiting, size: number): void {
    const out = fragment(next.bytes, next.sent, size)
    this.#outstanding += cost(FRAGMENT_HEADER + size, undefined, this.transport)
    next.sent += size
    const last = next.sent === next.bytes.length
    if (last && next.parcels) this.#addParcels(out, 0, next.parcels)
    const frame = out.bytes.length === out.length ? out.bytes : out.bytes.slice(0, out.length)
    this.#put(frame, this.#batch.takeAttachments())
  }

  #frameUser(): FrameUser {
    return {
      message: (flags, bytes, start, end, parcels) => this.#dispatch(flags, bytes, start, end, parcels),
      fragment: cost => {
        this.#charge(cost)
        this.credit(cost)
      },
      listening: () => !this.#closed,
    }
  }

  #receive(frame: Uint8Array, attachments: readonly object[] | undefined): void {
    this.#heard = true
    try {
      this.#reader.read(frame, attachments, this.carrier)
    } catch (error) {
      this.#break(error)
    }
  }

  /** Nobody listens any more; the ends of wires that ride along close, so that their other sides hear of it. */
  #drop(frame: Uint8Array, attachments: readonly object[] | undefined): void {
    if (!attachments) return
    const message: FrameUser['message'] = (_flags, _bytes, _start, _end, parcels) => {
      discardParcels(parcels, this.transport)
    }
    try {
      const reader = new FrameReader({ message, fragment() {}, listening: () => true }, this.transport)
      reader.read(frame, attachments, this.carrier)
    } catch {
      // What cannot be read holds nothing that could be closed.
    }
  }

  #dispatch(flags: number, bytes: Uint8Array, start: number, end: number, parcels: Parcel[] | undefined): void {
    const type = flags & ~(PARCELS | CREDITED)
    switch (type) {
      case CREDIT:
        if (end - start !== 4) throw malformedFrame()
        this.#outstanding = Math.max(0, this.#outstanding - readU32(bytes, start))
        return this.#sendWhatWaits()
      case MOVE:
        return this.#moved ? this.#cross(endOf(parcels)) : this.#follow(endOf(parcels))
      case MOVED:
        return parcels ? this.#moveAgain(endOf(parcels)) : this.#left()
      case BEYOND:
        this.#allowance = this.transport.capabilities.reach === 'host' ? STRANGERS_REST : Number.POSITIVE_INFINITY
        return
      case LEFT:
        if (this.#old) this.#oldEnded(true)
        else if (this.#moved) this.#left()
        else this.#otherLeft = true
        return
      default:
        if (this.#closing) return discardParcels(parcels, this.transport)
        this.#user.message({
          link: this,
          type,
          bytes,
          start,
          end,
          parcels,
          cost: this.#costOf(flags, end - start, parcels),
        })
    }
  }

  #costOf(flags: number, length: number, parcels: readonly Parcel[] | undefined): number {
    if (!(flags & CREDITED)) return 0
    const bytes = cost(length, parcels, this.transport)
    this.#charge(bytes)
    return bytes
  }

  /** Nothing may be sent while the window is full; one message may exceed what is left of it. */
  #charge(bytes: number): void {
    if (this.#unread >= this.#window + this.#allowance) {
      throw new MpError('MP_DECODE', 'the other side sends more than it was allowed to')
    }
    this.#unread += bytes
  }

  /** The other side moved: what this side sent so far ends with MOVED, what it sends from here on goes the new way. */
  #follow(end: End): void {
    const half = this.#nextWaiting()
    if (half && half.sent > 0) {
      this.control(BEYOND)
      this.#sendWaiting(half, true)
    }
    this.control(MOVED)
    this.flush()
    const copies = this.#copies ?? []
    if (copies.length > 0) this.#old = { wire: this.#wire, copies }
    this.#switch(end)
    this.#user.moved?.()
    this.#sendWhatWaits()
  }

  /** Before it was closed, the other side has read what was sent there; or, `unheard`, it has not. */
  #oldEnded(unheard: boolean): void {
    const copies = unheard ? [...(this.#old?.copies ?? [])] : []
    this.#old = undefined
    for (const { bytes, parcels } of copies.reverse()) {
      const credited = ((bytes[0] as number) & CREDITED) !== 0
      this.#waiting.unshift({ bytes, parcels, credited, sent: 0, withdrawn: false, pending: undefined })
    }
    this.listenFirst()
  }

  #switch(end: End): void {
    this.#wire = open(end, this.transport)
    this.#outstanding = 0
    this.#uncredited = 0
    this.#unread = 0
    this.#allowance = 0
    this.#undrained = false
    this.#start(this.#wire)
    // Where the other side is now, it may have moved on from, too.
    if (this.#listening || !this.#keeps) this.listenFirst()
    else this.#silent = true
    this.#copies = undefined
  }

  /**
   * Both sides moved at once: each has sent the other an end that leads to its own taker. The first gives the second its end
   * back, and is done, having heard everything. The second then follows to the first's taker, and moves that one to its own.
   */
  #cross(end: End): void {
    if (!this.#user.first) {
      this.#crossing = end
      return
    }
    this.control(MOVED, undefined, [end])
    this.flush()
    this.#left()
  }

  #moveAgain(end: End): void {
    const theirs = this.#crossing
    if (!theirs) throw malformedFrame()
    this.#crossing = undefined
    this.#wire.close()
    this.#switch(theirs)
    this.control(MOVE, undefined, [end])
    this.flush()
  }

  #left(): void {
    this.#closed = true
    this.#moved?.()
    this.#wire.close()
  }

  /** What came cannot be understood: this link ends, with the error, and nothing else does. */
  #break(error: unknown): void {
    const cause =
      error instanceof MpError ? error : new MpError('MP_DECODE', 'a frame could not be read', { cause: error })
    this.#wire.close()
    this.#lose(cause)
  }

  #lose(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    discardAttachments(this.#batch.takeAttachments())
    for (const { pending, parcels, withdrawn } of this.#waiting) {
      if (withdrawn) continue
      pending?.reject(this.#user.lost())
      discardParcels(parcels, this.transport)
    }
    this.#waiting.clear()
    this.#moved?.()
    if (this.#crossing) discardParcels([this.#crossing], this.transport)
    const then = this.#listening ?? []
    this.#listening = undefined
    for (const each of then) each()
    if (closing.delete(this)) return
    this.#user.closed(error)
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
