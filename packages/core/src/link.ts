import { allocate, appendU32, ByteBuffer, readU32, writeU32 } from './byte-buffer.js'
import { Deque } from './deque.js'
import { discardParcels, type End, LiveObject, open, type Parcel, TicketEnd } from './end.js'
import { MpError } from './errors.js'
import { type EndCarrier, packParcels, unpackParcels } from './parcel-table.js'
import { Pending } from './pending.js'
import { RelayedEnd } from './relayed-end.js'
import type { Transport, Wire } from './spi.js'
import { atTurnEnd, turn, turnIsLong } from './turn.js'

/**
 * A frame is a sequence of messages, all little-endian:
 *
 *     u8 type | u32 length | body [length] | with PARCELS: u16 attachments | u32 length | table [length]
 *
 * `type` carries two flags. CREDITED: the message counts against the sender's window until its reader took it.
 * PARCELS: live objects or ends of wires ride along; the table (encoded by the codec) says what each one is, and
 * `attachments` how many of the frame's attachments belong to this message.
 */
const PARCELS = 0x80
const CREDITED = 0x40
const HEADER = 5

/** The link's own messages; those of its users start at 16. */
const CREDIT = 1
const FRAGMENT = 2
const MOVE = 3
const MOVED = 4

/** Body of a fragment: u8 last | u32 total | bytes. */
const FRAGMENT_HEADER = 5

/** What a message costs beside its bytes, so that a window also bounds the number of tiny ones. */
const OVERHEAD = 64
/** Bytes that may be on their way, or unread, per direction. Four 1 MiB messages in flight keep a 1 MiB stream busy. */
const WINDOW = 4 * 1024 * 1024
const BATCH_BYTES = 64 * 1024
const BATCH_MESSAGES = 256
/** ms */
const BATCH_AGE = 1
/** A frame up to this size is copied out of the batch, so that the batch's memory is used again. */
const COPIED_FRAME = 16 * 1024
/** Bytes. Up to this size a loop is faster than a view and a native call. */
const SMALL_FRAME = 128
/** Bytes. Checked before anything is allocated. */
const LARGEST_MESSAGE = 1024 * 1024 * 1024

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
  /** The other side is another context from here on; everything that the one before sent has come. */
  moved?(): void
  /** The other side closed, died or broke the protocol. Last call; not after our own `close`. */
  closed(error: Error | undefined): void
  /** What a call that waits for the window rejects with when the link is lost. */
  lost(): MpError
}

interface Waiting {
  readonly bytes: Uint8Array
  readonly parcels: readonly Parcel[] | undefined
  readonly credited: boolean
  /** Bytes already sent as fragments. */
  sent: number
  readonly pending: Pending<void> | undefined
}

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
  #moving: Pending<void> | undefined

  #batch = new ByteBuffer(1024)
  #batchMessages = 0
  #batchStart = 0
  #batchAttachments: object[] | undefined
  /** Bytes of buffers that ride along. */
  #batchAttached = 0
  #flushScheduled = false
  /** Where the message being encoded starts in the batch; -1 when none is. */
  #openAt = -1

  /** Credited bytes that the other side has not taken yet. */
  #outstanding = 0
  #undrained = false
  readonly #waiting = new Deque<Waiting>()

  #uncredited = 0
  #assembly: ByteBuffer | undefined

  constructor(wire: Wire, transport: Transport, user: LinkUser, window: number = WINDOW) {
    this.#wire = wire
    this.transport = transport
    this.#user = user
    this.#window = window
    this.#start(wire)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether a credited message would go now, without waiting for the reader. */
  get writable(): boolean {
    return this.#outstanding < this.#window && !this.#undrained && this.#waiting.length === 0
  }

  /**
   * Opens a message: the caller appends its body to the buffer, then calls `commit`, or `abandon` after a throw.
   * Encoding straight into the batch saves a copy, and an allocation, per message.
   */
  begin(type: number, credited: boolean): ByteBuffer {
    let out = this.#batch
    if (this.#openAt >= 0 || this.#closed || (credited ? !this.writable : this.#undrained)) {
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

  /** Forgets the message that `begin` opened. */
  abandon(out: ByteBuffer): void {
    if (out !== this.#batch) return
    out.length = this.#openAt
    this.#openAt = -1
    if (this.#waiting.length > 0) this.#sendWhatWaits()
  }

  /**
   * Sends the opened message. Resolves when the window had room for it (mostly at once); rejects with the user's `lost()`
   * when the link is lost before. Throws MP_FRAME_TOO_LARGE, and then nothing was sent.
   */
  commit(out: ByteBuffer, parcels: readonly Parcel[] | undefined): Promise<void> {
    const direct = out === this.#batch
    let start = direct ? this.#openAt : 0
    const length = out.length - start - HEADER
    if (length > LARGEST_MESSAGE) {
      this.abandon(out)
      throw new MpError(
        'MP_FRAME_TOO_LARGE',
        `a message of ${length} bytes is larger than ${LARGEST_MESSAGE}, the most that ${this.transport.name} carries`,
      )
    }
    writeU32(out.bytes, start + 1, length)
    if (!direct || (this.#wire.maxFrame !== undefined && out.length - start > this.#wire.maxFrame)) {
      const bytes = direct ? out.bytes.slice(start, out.length) : out.bytes.subarray(0, out.length)
      this.abandon(out)
      return this.#wait(bytes, parcels)
    }
    this.#openAt = -1
    if (this.#wire.maxFrame !== undefined && out.length > this.#wire.maxFrame && start > 0) {
      this.#flushTo(start)
      start = 0
    }
    if (parcels) this.#appendTable(out, start, parcels)
    if ((out.bytes[start] as number) & CREDITED) this.#outstanding += cost(length, parcels)
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

  /** Tells the sender that the reader took a message. */
  credit(cost: number): void {
    this.#uncredited += cost
    if (this.#uncredited < this.#window / 4) return
    const bytes = this.#uncredited
    this.#uncredited = 0
    this.control(CREDIT, out => appendU32(out, bytes))
    // At once: the sender may be waiting, and this turn may go on for long.
    this.flush()
  }

  /** Sends the batch now. */
  flush(): void {
    const { length } = this.#batch
    if (length === 0 || this.#openAt >= 0) return
    this.#flushTo(length)
  }

  /** Sends everything now, also what waits for the window: this context ends, or the user closes. */
  flushAll(): void {
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) this.#sendWaiting(next, true)
    this.flush()
  }

  /** Closes after everything that was sent. Calls that wait for the window resolve: what they sent has left. */
  close(): void {
    if (this.#closed) return
    this.flushAll()
    this.#closed = true
    this.#wire.close()
  }

  /**
   * Moves the other side's end of this link to the context that holds, or will hold, the other end of `end`'s wire. The
   * other side goes on as if nothing had happened. Resolves when everything it sent to this context has arrived, or when
   * it is gone; the caller then closes this link.
   */
  move(end: End): Promise<void> {
    this.#moving = new Pending<void>()
    if (this.#closed) {
      discardParcels([end], this.transport)
      this.#moving.resolve()
      return this.#moving.promise
    }
    this.flushAll()
    this.control(MOVE, undefined, [end])
    this.flush()
    return this.#moving.promise
  }

  /** Waits for what `move` began, blocking, until `deadline` (as performance.now() counts). False where it did not end. */
  awaitMoved(deadline: number): boolean {
    for (;;) {
      const left = deadline - performance.now()
      if (this.#closed) return true
      if (left <= 0 || !this.#wire.receiveSync?.(left)) return this.#closed
    }
  }

  #start(wire: Wire): void {
    wire.start({
      frame: (bytes, attachments) => {
        if (this.#wire === wire && !this.#closed) this.#receive(bytes, attachments)
      },
      drain: () => {
        if (this.#wire !== wire) return
        this.#undrained = false
        this.#sendWhatWaits()
      },
      close: error => {
        if (this.#wire === wire) this.#lose(error)
      },
    })
    wire.unref()
  }

  #batched(): Promise<void> {
    const out = this.#batch
    const now = performance.now()
    if (this.#batchMessages++ === 0) this.#batchStart = now
    if (
      out.length + this.#batchAttached >= BATCH_BYTES ||
      this.#batchMessages >= BATCH_MESSAGES ||
      now - this.#batchStart >= BATCH_AGE
    )
      this.flush()
    else if (!this.#flushScheduled) {
      this.#flushScheduled = true
      atTurnEnd(this)
    }
    return turnIsLong(now) ? turn() : ACCEPTED
  }

  /** The microtasks have run: the turn is over. */
  turnEnded(): void {
    this.#flushScheduled = false
    this.flush()
  }

  /** Sends the first `length` bytes of the batch; what was appended behind them becomes the next batch. */
  #flushTo(length: number): void {
    const batch = this.#batch
    const rest = batch.length - length
    let frame: Uint8Array<ArrayBuffer>
    if (length <= COPIED_FRAME || rest > 0) {
      const { bytes } = batch
      if (length <= SMALL_FRAME) {
        frame = new Uint8Array(length)
        for (let i = 0; i < length; i++) frame[i] = bytes[i] as number
      } else {
        frame = allocate(length)
        frame.set(bytes.subarray(0, length))
      }
      if (rest > 0) bytes.copyWithin(0, length, batch.length)
      batch.length = rest
    } else {
      frame = batch.bytes.subarray(0, length)
      this.#batch = new ByteBuffer(BATCH_BYTES + 4096)
    }
    const attachments = this.#batchAttachments
    this.#batchAttachments = undefined
    this.#batchAttached = 0
    this.#batchMessages = rest > 0 ? 1 : 0
    this.#put(frame, attachments)
  }

  #put(frame: Uint8Array<ArrayBuffer>, attachments: readonly object[] | undefined): void {
    if (!this.#wire.send(frame, attachments)) this.#undrained = true
  }

  #wait(bytes: Uint8Array, parcels: readonly Parcel[] | undefined): Promise<void> {
    const credited = ((bytes[0] as number) & CREDITED) !== 0
    if (this.#closed) {
      discardParcels(parcels, this.transport)
      return credited ? Promise.reject(this.#user.lost()) : ACCEPTED
    }
    const pending = credited ? new Pending<void>() : undefined
    const waiting = { bytes, parcels, credited, sent: 0, pending }
    this.#waiting.push(waiting)
    this.#sendWhatWaits()
    return pending?.promise ?? ACCEPTED
  }

  #sendWhatWaits(): void {
    if (this.#openAt >= 0) return
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      if (this.#undrained || (next.credited && this.#outstanding >= this.#window)) return
      this.#sendWaiting(next, false)
    }
  }

  /** Sends the message at the head of those that wait; where it goes in fragments, as many as the window takes. */
  #sendWaiting(next: Waiting, force: boolean): void {
    const { bytes, parcels } = next
    const room = this.#wire.maxFrame ?? Number.POSITIVE_INFINITY
    if (bytes.length <= room) {
      if (this.#batch.length + bytes.length > room) this.flush()
      const out = this.#batch
      const start = out.length
      out.reserve(bytes.length)
      out.bytes.set(bytes, start)
      out.length += bytes.length
      if (parcels) this.#appendTable(out, start, parcels)
      if (next.credited) this.#outstanding += cost(bytes.length - HEADER, parcels)
      void this.#batched()
    } else {
      this.flush()
      const chunk = room - HEADER - FRAGMENT_HEADER
      while (next.sent < bytes.length) {
        if (!force && (this.#undrained || (next.credited && this.#outstanding >= this.#window))) return
        this.#sendFragment(next, Math.min(chunk, bytes.length - next.sent))
      }
      if (next.credited) this.#outstanding += cost(bytes.length - HEADER, parcels)
    }
    this.#waiting.shift()
    next.pending?.resolve()
  }

  /** A fragment's own bytes are credited when it arrives; the whole message's when a reader took it. */
  #sendFragment(next: Waiting, size: number): void {
    const last = next.sent + size === next.bytes.length
    const out = new ByteBuffer(HEADER + FRAGMENT_HEADER + size)
    out.bytes[0] = FRAGMENT | CREDITED
    writeU32(out.bytes, 1, FRAGMENT_HEADER + size)
    out.bytes[HEADER] = last ? 1 : 0
    writeU32(out.bytes, HEADER + 1, next.bytes.length)
    out.bytes.set(next.bytes.subarray(next.sent, next.sent + size), HEADER + FRAGMENT_HEADER)
    out.length = out.bytes.length
    this.#outstanding += cost(FRAGMENT_HEADER + size, undefined)
    next.sent += size
    if (last && next.parcels) this.#appendTable(out, 0, next.parcels)
    const attachments = this.#batchAttachments
    this.#batchAttachments = undefined
    this.#put(out.bytes.length === out.length ? out.bytes : out.bytes.slice(0, out.length), attachments)
  }

  /** u16 attachments | u32 length | table, behind the message that starts at `start` and ends the buffer. */
  #appendTable(out: ByteBuffer, start: number, parcels: readonly Parcel[]): void {
    out.bytes[start] = (out.bytes[start] as number) | PARCELS
    const attachments: object[] = []
    const at = out.length
    out.reserve(6)
    out.length += 6
    packParcels(parcels, out, attachments, this.transport, this.carrier)
    out.bytes[at] = attachments.length
    out.bytes[at + 1] = attachments.length >>> 8
    writeU32(out.bytes, at + 2, out.length - at - 6)
    if (attachments.length === 0) return
    if (this.#batchAttachments) this.#batchAttachments.push(...attachments)
    else this.#batchAttachments = attachments
    this.#batchAttached += attachedBytes(parcels)
  }

  #receive(frame: Uint8Array, attachments: readonly object[] | undefined): void {
    try {
      let taken = 0
      for (let at = 0; at < frame.length; ) {
        if (at + HEADER > frame.length) throw truncated()
        const flags = frame[at] as number
        const start = at + HEADER
        const end = start + readU32(frame, at + 1)
        if (end > frame.length) throw truncated()
        at = end
        let parcels: Parcel[] | undefined
        if (flags & PARCELS) {
          if (end + 6 > frame.length) throw truncated()
          const count = (frame[end] as number) | ((frame[end + 1] as number) << 8)
          const tableStart = end + 6
          at = tableStart + readU32(frame, end + 2)
          if (at > frame.length) throw truncated()
          const own = attachments?.slice(taken, taken + count) ?? []
          taken += count
          parcels = unpackParcels(frame, tableStart, at, own, this.trusted, this.carrier)
        }
        this.#dispatch(flags, frame, start, end, parcels)
        if (this.#closed) return
      }
    } catch (error) {
      this.#break(error)
    }
  }

  #dispatch(flags: number, bytes: Uint8Array, start: number, end: number, parcels: Parcel[] | undefined): void {
    const type = flags & ~(PARCELS | CREDITED)
    switch (type) {
      case CREDIT:
        if (end - start !== 4) throw truncated()
        this.#outstanding = Math.max(0, this.#outstanding - readU32(bytes, start))
        return this.#sendWhatWaits()
      case FRAGMENT:
        return this.#receiveFragment(bytes, start, end, parcels)
      case MOVE:
        return this.#follow(parcels?.[0])
      case MOVED:
        this.#closed = true
        this.#moving?.resolve()
        this.#wire.close()
        return
      default:
        this.#user.message({
          link: this,
          type,
          bytes,
          start,
          end,
          parcels,
          cost: flags & CREDITED ? cost(end - start, parcels) : 0,
        })
    }
  }

  #receiveFragment(bytes: Uint8Array, start: number, end: number, parcels: Parcel[] | undefined): void {
    if (end - start < FRAGMENT_HEADER) throw truncated()
    const total = readU32(bytes, start + 1)
    if (total > LARGEST_MESSAGE + HEADER)
      throw new MpError('MP_FRAME_TOO_LARGE', `a message of ${total} bytes was announced`)
    this.#assembly ??= new ByteBuffer(Math.min(total, 1024 * 1024))
    const whole = this.#assembly
    const size = end - start - FRAGMENT_HEADER
    if (whole.length + size > total) throw truncated()
    whole.reserve(size)
    whole.bytes.set(bytes.subarray(start + FRAGMENT_HEADER, end), whole.length)
    whole.length += size
    this.credit(cost(end - start, undefined))
    if (bytes[start] !== 1) return
    this.#assembly = undefined
    if (whole.length !== total || total < HEADER) throw truncated()
    const flags = whole.bytes[0] as number
    if ((flags & ~(PARCELS | CREDITED)) === FRAGMENT) throw truncated()
    this.#dispatch(flags, whole.bytes, HEADER, whole.length, parcels)
  }

  /** The other side moved: what this side sent so far ends with MOVED, what it sends from here on goes the new way. */
  #follow(end: Parcel | undefined): void {
    if (!(end instanceof TicketEnd || end instanceof RelayedEnd)) throw truncated()
    const half = this.#waiting.peek()
    if (half && half.sent > 0) this.#sendWaiting(half, true)
    this.control(MOVED)
    this.flush()
    this.#wire = open(end, this.transport)
    this.#outstanding = 0
    this.#uncredited = 0
    this.#undrained = false
    this.#start(this.#wire)
    this.#user.moved?.()
    this.#sendWhatWaits()
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
    discardParcels(
      this.#batchAttachments?.filter(each => each instanceof RelayedEnd),
      this.transport,
    )
    for (const { pending, parcels } of this.#waiting) {
      pending?.reject(this.#user.lost())
      discardParcels(parcels, this.transport)
    }
    this.#waiting.clear()
    this.#moving?.resolve()
    this.#user.closed(error)
  }

  /** Whether the other side runs in this very process, so that its bytes need no suspicion. */
  get trusted(): boolean {
    return this.transport.capabilities.reach === 'thread'
  }
}

/** What a credited message counts for; both sides compute the same. */
function cost(length: number, parcels: readonly Parcel[] | undefined): number {
  return length + OVERHEAD + (parcels ? attachedBytes(parcels) : 0)
}

function attachedBytes(parcels: readonly Parcel[]): number {
  let bytes = 0
  for (const parcel of parcels) {
    if (parcel instanceof LiveObject && parcel.object instanceof ArrayBuffer) bytes += parcel.object.byteLength
  }
  return bytes
}

function truncated(): MpError {
  return new MpError('MP_DECODE', 'a frame is malformed or cut short')
}
