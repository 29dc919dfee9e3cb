import { MpError } from '../errors.js'
import { appendBytes, appendU32, ByteBuffer, readU32, writeU32 } from '../runtime/byte-buffer.js'
import type { Pending } from '../runtime/pending-call.js'
import { roughNow, turn, turnIsLong, turnsAreOver } from '../runtime/turn.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { ACCEPTED, Batch, LARGE } from './batch.js'
import {
  attachedBytes,
  CREDITED,
  checkLength,
  cost,
  FrameReader,
  type FrameUser,
  HEADER,
  malformedFrame,
  WITH_TABLE,
} from './frame.js'
import { LinkMove, LONGEST_LOOK, type MovingLink } from './link-move.js'
import type { EndCarrier } from './parcel-table.js'
import { BEYOND, CREDIT, FIRST_OF_USERS, LAST_OWN, LEFT, MOVE, MOVED } from './protocol.js'
import { ReceiveWindow } from './receive-window.js'
import { SendWindow, type Waiting, WINDOW } from './send-window.js'
import { discardParcels, type End, type Parcel } from './wire-end.js'

/**
 * Bytes that the other side of a link to another program may send beyond the window when it ends. A program's own contexts
 * have no limit then.
 */
const STRANGERS_REST = 64 * 1024 * 1024

/** Links that were closed while they listened, and close when they have. */
const closing = new Set<Link>()

/** Fulfils when what was sent by links that were closed has left. */
export async function closingLinks(): Promise<void> {
  await Promise.all([...closing].map(link => link.listened()))
}

/** For a context that exits: its `links`, and those that are closing, learn where their other sides are, and may send. */
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
  /** What to give back with {@link Link.credit} once a reader took the message; 0 if it was not credited. */
  readonly cost: number
}

export interface LinkUser {
  message(message: Message): void
  /** What was said to wait may be sent. */
  drained?(): void
  /** The other side is about to move. What `flushAll` sends now still goes to where it is; what waits on goes where it moves to. */
  moving?(): void
  /** The other side is another context from here on; everything that the one before sent has come. */
  moved?(): void
  /** If both sides may move at once: true at one of them, false at the other. */
  readonly first?: boolean
  /**
   * Whether a message that is larger than the window may come on. If not, its sender waits, until {@link Link.readOn}. Throws
   * MP_DECODE where none may come. Absent: always.
   */
  takesMore?(): boolean
  /** The other side closed, died or broke the protocol. Last call; not after our own `close`. */
  closed(error: Error | undefined): void
  /** What a call that waits rejects with when the link is lost, and why it was: as in `closed`. */
  lost(error: Error | undefined): MpError
}

/** Sets the limits of a call that waits; `withdraw` is what to do when one of them comes first. */
export type Limit = (pending: Pending<void>, withdraw: () => void) => void

/**
 * A wire with batching, credits and fragments: what every queue, pipe and process speaks through.
 *
 * Messages gather in a {@link Batch}. Those that may not go yet wait in a {@link SendWindow}. Where the other side is, and
 * the state of the link, is the business of {@link LinkMove}.
 */
export class Link {
  readonly transport: Transport
  /** The other side is another program. */
  readonly #isForeign: boolean
  readonly #user: LinkUser
  readonly #batch: Batch
  readonly #window: SendWindow
  readonly #move: LinkMove
  readonly #reader: FrameReader
  readonly #received: ReceiveWindow
  #heard = false
  /** Cost of the fragments for which there was no credit, since nobody wanted more. */
  #withheld = 0
  /** `close` was called while the link listened. */
  #closing = false

  constructor(wire: Wire, transport: Transport, user: LinkUser, window: number = WINDOW) {
    this.transport = transport
    this.#isForeign = transport.capabilities.reach === 'host'
    this.#user = user
    this.#batch = new Batch(wire, transport)
    this.#window = new SendWindow(this.#batch, transport, window)
    this.#move = new LinkMove(this.#movingLink(), this.#batch, this.#window, transport)
    this.#reader = new FrameReader(this.#frameUser(), transport)
    this.#received = new ReceiveWindow(window)
    this.#start(wire)
  }

  /** Carries ends of relayed wires, if the wire itself does not. Set once, before anything is sent. */
  get carrier(): EndCarrier | undefined {
    return this.#batch.carrier
  }

  set carrier(carrier: EndCarrier | undefined) {
    this.#batch.carrier = carrier
  }

  /** Whether the other side has ever sent anything. */
  get heard(): boolean {
    return this.#heard
  }

  get closed(): boolean {
    return this.#move.state === 'closed' || this.#closing
  }

  /** Whether a credited message would go now, without waiting for the reader. */
  get writable(): boolean {
    return this.#window.open && !this.#move.holds
  }

  /** Settles when the call that waits last for the window has been served, or has given up. Undefined if none waits. */
  get lastCall(): Promise<void> | undefined {
    return this.#window.lastCall
  }

  /** Whether the wire has asked to wait. What is sent all the same waits here. */
  get undrained(): boolean {
    return this.#batch.undrained
  }

  /**
   * Sends nothing until what has already arrived was read: the other side may have moved before this end was opened, and
   * then nobody listens any more where it was. What is sent meanwhile is accepted, within the window, and goes where the
   * other side is by then. Called once, before anything is sent.
   */
  listenFirst(): void {
    this.#move.listenFirst()
  }

  /**
   * As `listenFirst`, but what is sent first goes at once, as this thread may be busy then. A copy is kept until what had
   * arrived was read. If the other side has moved, and left unheard, the copy is sent to where it is now. What cannot be
   * copied waits.
   */
  keepFirst(): void {
    this.#move.keepFirst()
  }

  /** Fulfils when this side may send. */
  listened(): Promise<void> {
    return this.#move.listened()
  }

  /**
   * Ends the wait of `listened`, for a context whose event loop turns no more; until `deadline`, as performance.now()
   * counts.
   */
  listenNow(deadline: number = performance.now() + LONGEST_LOOK): void {
    this.#move.listenNow(deadline)
  }

  /**
   * Opens a message: the caller appends its body to the buffer, then calls `commit`, or `abandon` after a throw.
   * Encoding straight into the batch saves a copy, and an allocation, per message.
   */
  begin(type: number, credited: boolean): ByteBuffer {
    const batch = this.#batch
    let { out } = batch
    if (batch.openAt >= 0 || !this.#mayGo(type, credited)) {
      // It has to wait, or it nests: an encode ran user code that sends on this very link.
      out = new ByteBuffer(256)
    } else {
      batch.openAt = out.length
      out.reserve(HEADER)
    }
    out.bytes[out.length] = credited ? type | CREDITED : type
    out.length += HEADER
    return out
  }

  /**
   * The link's own few bytes go ahead of what waits. Otherwise two sides with full windows would wait for each other.
   * Messages of channels do not wait behind what waits for the window: channels have windows of their own.
   */
  #mayGo(type: number, credited: boolean): boolean {
    if (type <= LAST_OWN) return true
    if (!this.#move.sends) return false
    if (credited) return this.#window.open
    return !this.#batch.undrained && (type < FIRST_OF_USERS || this.#window.waiting.length === 0)
  }

  /** Forgets the message that `begin` opened. */
  abandon(out: ByteBuffer): void {
    const batch = this.#batch
    if (out !== batch.out) return
    out.length = batch.openAt
    batch.openAt = -1
    if (this.#window.waiting.length > 0) this.#sendWaiting()
  }

  /**
   * Sends the opened message.
   *
   * - Resolves when the window had room for it: mostly at once. While a link of `keepFirst` listens: when it has.
   * - Rejects with the user's `lost()` when the link is lost before that.
   * - Throws MP_FRAME_TOO_LARGE, and then nothing was sent.
   * - `limit` is told of a call that waits for the window. Until the first of its bytes has gone, `withdraw` takes the
   *   message back.
   */
  commit(out: ByteBuffer, parcels: readonly Parcel[] | undefined, limit?: Limit): Promise<void> {
    const batch = this.#batch
    const move = this.#move
    const direct = out === batch.out
    let start = direct ? batch.openAt : 0
    const length = out.length - start - HEADER
    try {
      const attached = parcels && this.transport.buffers ? attachedBytes(parcels) : 0
      checkLength(length + attached, this.transport)
    } catch (error) {
      this.abandon(out)
      throw error
    }
    writeU32(out.bytes, start + 1, length)
    const flags = out.bytes[start] as number
    const usersOwn = (flags & ~CREDITED) >= FIRST_OF_USERS
    if (usersOwn && move.state !== 'open') move.beforeSend(length, parcels, direct)
    const room = batch.room(parcels)
    if (!direct || out.length - start > room || (usersOwn && !move.sends)) {
      const bytes = direct ? out.bytes.slice(start, out.length) : out.bytes.subarray(0, out.length)
      this.abandon(out)
      return this.#wait(bytes, parcels, limit)
    }
    batch.openAt = -1
    if (out.length > room && start > 0) {
      batch.sendUpTo(start)
      start = 0
    }
    const copying = usersOwn && move.state === 'copying'
    if (copying) move.keepCopy(out.bytes.slice(start, out.length), parcels)
    if (parcels) batch.addParcels(out, start, parcels)
    if (flags & CREDITED) this.#window.outstanding += cost(length, parcels, this.transport)
    const accepted = batch.add()
    // What the encode of this message sent on this link comes behind it.
    if (this.#window.waiting.length > 0) this.#sendWaiting()
    return (copying && flags & CREDITED && move.accepted()) || accepted
  }

  /** Sends a message without value, or with a few bytes of its own. It never waits for the window. */
  control(type: number, write?: (out: ByteBuffer) => void, parcels?: readonly Parcel[]): void {
    if (this.#move.state === 'closed') return discardParcels(parcels, this.transport)
    const out = this.begin(type, false)
    write?.(out)
    void this.commit(out, parcels)
  }

  /** As `control`, with a body of `head` and `rest`. If the wire allows it, a large `rest` is not copied. Takes both over. */
  controlOf(type: number, head: Uint8Array, rest: Uint8Array<ArrayBuffer>, parcels?: readonly Parcel[]): void {
    const batch = this.#batch
    const { wire } = batch
    const length = head.length + rest.length
    const whole = HEADER + length <= (wire.maxFrame ?? Number.POSITIVE_INFINITY)
    const apart = rest.length >= LARGE && whole && !parcels && batch.openAt < 0 && this.#mayGo(type, false)
    if (!apart || !wire.sendParts) {
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
    batch.flush()
    if (!wire.sendParts([first, rest])) batch.undrained = true
  }

  /** Takes back what waits and is of these types. For `moved`: it was meant for the other side before this one. */
  withdraw(types: ReadonlySet<number>): void {
    this.#window.withdraw(types)
  }

  /** Tells the sender that the reader took a message. */
  credit(cost: number): void {
    const bytes = this.#received.take(cost)
    if (bytes === 0) return
    this.control(CREDIT, out => appendU32(out, bytes))
    // At once: the sender may be waiting, and this turn may go on for long.
    this.#batch.flush()
  }

  /** A reader waits: what has come of a message that is larger than the window gets its credit. */
  readOn(): void {
    if (this.#withheld === 0) return
    const cost = this.#withheld
    this.#withheld = 0
    this.credit(cost)
  }

  /** Sends the batch now. */
  flush(): void {
    this.#batch.flush()
  }

  /**
   * Sends everything now, also what waits for the window: this context ends, or the user closes. Not while the link
   * listens.
   */
  flushAll(): void {
    if (!this.#move.listens) {
      if (this.#window.next()) this.control(BEYOND)
      this.#window.sendAll()
    }
    this.#batch.flush()
  }

  /** Closes after everything that was sent. Calls that wait for the window resolve: what they sent has left. */
  close(): void {
    if (this.closed) return
    if (!this.#move.listens) return this.#close()
    // Its user hears nothing more, but the other side's move is still followed.
    this.#closing = true
    closing.add(this)
  }

  #close(): void {
    closing.delete(this)
    this.flushAll()
    this.#move.close()
    this.#batch.wire.close()
  }

  /** Closes, as this context ends, whose thread goes on: calls that wait for the other side reject, for good. */
  leave(): void {
    if (this.#move.state === 'closed') return
    this.flushAll()
    this.#batch.wire.close()
    this.#lose(new MpError('MP_CLOSED', 'the context that made this call has ended'))
  }

  /**
   * Moves the other side's end of this link to the context that holds, or will hold, the other end of `end`'s wire. The
   * other side goes on as if nothing had happened. Resolves when everything it sent to this context has arrived, or when
   * it is gone. The caller then closes this link.
   */
  move(end: End): Promise<void> {
    return this.#move.move(end)
  }

  /** This context exits, and has said everything: who waits for it to follow a move need not. */
  end(): void {
    this.#move.end()
  }

  /** This context ends. If a move was not answered, the other side must know whether it was heard. */
  tellLeft(): void {
    if (!this.#heard) this.#move.sayLeft()
  }

  /** Sends the batch, and reads the wire's next frame, blocking: see {@link Wire.receiveSync}. For a context that exits. */
  receiveSync(timeoutMs: number): boolean {
    if (this.#move.state === 'closed' || !this.#batch.wire.receiveSync) return false
    // No turn of the event loop comes that would end it.
    this.listenNow()
    this.#batch.flush()
    return this.#batch.wire.receiveSync?.(timeoutMs) ?? false
  }

  #start(wire: Wire): void {
    const batch = this.#batch
    wire.start({
      frame: (bytes, attachments) => {
        if (wire !== batch.wire) this.#move.oldFrame(wire, bytes)
        else if (this.#move.state === 'closed') this.#drop(bytes, attachments)
        else this.#receive(bytes, attachments)
      },
      drain: () => {
        if (wire !== batch.wire) return
        batch.undrained = false
        this.#sendWaiting()
        if (!batch.undrained) this.#user.drained?.()
      },
      close: error => {
        if (wire !== batch.wire) this.#move.oldClosed(wire)
        else this.#lose(error)
      },
    })
    wire.unref()
  }

  #movingLink(): MovingLink {
    return {
      first: this.#user.first ?? false,
      control: (type, write, parcels) => this.control(type, write, parcels),
      flushAll: () => this.flushAll(),
      goOnOver: wire => this.#goOnOver(wire),
      moving: () => this.#user.moving?.(),
      moved: () => this.#user.moved?.(),
      send: () => this.#sendWaiting(),
      listened: () => {
        if (this.#closing) this.#close()
      },
    }
  }

  #goOnOver(wire: Wire): void {
    this.#batch.wire = wire
    this.#batch.undrained = false
    this.#window.outstanding = 0
    this.#withheld = 0
    this.#received.reset()
    this.#start(wire)
  }

  #sendWaiting(): void {
    if (this.#move.sends) this.#window.send()
  }

  #wait(
    bytes: Uint8Array<ArrayBuffer>,
    parcels: readonly Parcel[] | undefined,
    limit: Limit | undefined,
  ): Promise<void> {
    if (this.#move.state === 'closed') {
      discardParcels(parcels, this.transport)
      return (bytes[0] as number) & CREDITED ? Promise.reject(this.#user.lost(undefined)) : ACCEPTED
    }
    const held = !this.#move.sends
    const waiting = this.#window.add(bytes, parcels, held)
    const { pending, credited } = waiting
    if (turnsAreOver()) {
      this.listenNow()
      this.flushAll()
    } else this.#sendWaiting()
    if (!pending) {
      const listening = credited && this.#move.listens ? this.#move.accepted() : undefined
      return listening ?? (held && turnIsLong(roughNow()) ? turn() : ACCEPTED)
    }
    if (limit && !pending.settled && waiting.sent === 0) limit(pending, () => this.#withdraw(waiting))
    return pending.promise
  }

  #withdraw(waiting: Waiting): void {
    waiting.withdrawn = true
    this.#sendWaiting()
  }

  #frameUser(): FrameUser {
    return {
      message: (flags, bytes, start, end, parcels) => this.#dispatch(flags, bytes, start, end, parcels),
      fragment: cost => {
        this.#received.charge(cost)
        if (this.#user.takesMore?.() ?? true) this.credit(cost)
        else this.#withheld += cost
      },
      reading: () => this.#move.state !== 'closed',
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

  /** Nobody listens any more. Ends of wires that ride along close, so that their other sides hear of it. */
  #drop(frame: Uint8Array, attachments: readonly object[] | undefined): void {
    if (!attachments) return
    const message: FrameUser['message'] = (_flags, _bytes, _start, _end, parcels) => {
      discardParcels(parcels, this.transport)
    }
    try {
      const reader = new FrameReader({ message, fragment() {}, reading: () => true }, this.transport)
      reader.read(frame, attachments, this.carrier)
    } catch {
      // What cannot be read holds nothing that could be closed.
    }
  }

  #dispatch(flags: number, bytes: Uint8Array, start: number, end: number, parcels: Parcel[] | undefined): void {
    const type = flags & ~(WITH_TABLE | CREDITED)
    switch (type) {
      case CREDIT:
        if (end - start !== 4) throw malformedFrame()
        this.#window.credit(readU32(bytes, start))
        this.#move.credited()
        return this.#sendWaiting()
      case MOVE:
      case MOVED:
      case LEFT:
        return this.#move.message(type, parcels)
      case BEYOND:
        return this.#received.allow(this.#isForeign ? STRANGERS_REST : Number.POSITIVE_INFINITY)
      default: {
        if (this.#closing) return discardParcels(parcels, this.transport)
        const cost = this.#costOf(flags, end - start, parcels)
        if (this.#isForeign && (end - start) * 2 < bytes.length) {
          // The rest of the frame may be anything, and would be kept with the message, although it counts for nothing.
          const own = bytes.slice(start, end)
          this.#user.message({ link: this, type, bytes: own, start: 0, end: own.length, parcels, cost })
        } else this.#user.message({ link: this, type, bytes, start, end, parcels, cost })
      }
    }
  }

  #costOf(flags: number, length: number, parcels: readonly Parcel[] | undefined): number {
    if (!(flags & CREDITED)) return 0
    const bytes = cost(length, parcels, this.transport)
    this.#received.charge(bytes)
    return bytes
  }

  /** What came cannot be understood. This link ends, with the error, and nothing else does. */
  #break(error: unknown): void {
    const cause =
      error instanceof MpError ? error : new MpError('MP_DECODE', 'a frame could not be read', { cause: error })
    this.#batch.wire.close()
    this.#lose(cause)
  }

  #lose(error: Error | undefined): void {
    if (this.#move.state === 'closed') return
    const lost = () => this.#user.lost(error)
    this.#move.lose(lost)
    this.#batch.discard()
    this.#window.discard(lost)
    if (closing.delete(this)) return
    this.#user.closed(error)
  }
}
