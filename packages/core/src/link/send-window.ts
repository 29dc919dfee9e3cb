import type { MpError } from '../errors.js'
import { appendBytes } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import type { Transport } from '../transport/transport.js'
import { type Batch, LARGE } from './batch.js'
import { CREDITED, cost, FRAGMENT_HEADER, fragment, HEADER } from './frame.js'
import { discardParcels, type Parcel } from './wire-end.js'

/** Bytes that may be on their way, or unread, per direction. Four 1 MiB messages in flight keep a 1 MiB stream busy. */
export const WINDOW: number = 4 * 1024 * 1024

/** A message that was encoded into memory of its own, since it could not go at once. */
export interface Waiting {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly parcels: readonly Parcel[] | undefined
  readonly credited: boolean
  /** Bytes already sent as fragments. */
  sent: number
  /** Its caller gave up before any of it was sent. */
  withdrawn: boolean
  /** The call that waits with it. */
  readonly pending: Pending<void> | undefined
}

/** A message that may have to be sent again. */
export interface Copy {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly parcels: readonly Parcel[] | undefined
}

/**
 * How far a link's sender goes ahead of the other side's reader, and the messages that wait until they may go.
 *
 * - A credited message counts, for its `cost`, from when it is sent until the other side gives credit for it.
 * - A credited message goes while what counts is less than the window. So one message may exceed what is left of it, and a
 *   message that is larger than the window can be sent at all.
 * - Messages go in the order in which they came: while one waits, the later ones wait behind it.
 * - A message that is longer than a frame goes in fragments, as many at a time as the window takes.
 */
export class SendWindow {
  readonly #batch: Batch
  readonly #transport: Transport
  readonly #size: number
  /** What the other side has not given credit for. */
  outstanding = 0
  /** Cost of the messages that were accepted while the link holds what is sent. */
  #accepted = 0
  readonly waiting: Deque<Waiting> = new Deque()

  constructor(batch: Batch, transport: Transport, size: number) {
    this.#batch = batch
    this.#transport = transport
    this.#size = size
  }

  /** Whether a credited message may go. */
  get open(): boolean {
    return this.outstanding < this.#size && !this.#batch.undrained && this.waiting.length === 0
  }

  /** The oldest message that waits. */
  next(): Waiting | undefined {
    let next = this.waiting.peek()
    while (next?.withdrawn) {
      this.waiting.shift()
      next = this.waiting.peek()
    }
    return next
  }

  /** Settles when the call that waits last has been served, or has given up. Undefined if none waits. */
  get lastCall(): Promise<void> | undefined {
    let last: Promise<void> | undefined
    for (const { pending } of this.waiting) if (pending && !pending.settled) last = pending.promise
    return last
  }

  /** Lets a message wait. While the link holds, its call need not wait with it, as far as the window would let it go. */
  add(bytes: Uint8Array<ArrayBuffer>, parcels: readonly Parcel[] | undefined, held: boolean): Waiting {
    const credited = isCredited(bytes)
    const accepted = held && this.outstanding + this.#accepted < this.#size
    if (accepted && credited) this.#accepted += cost(bytes.length - HEADER, parcels, this.#transport)
    const pending = credited && !accepted ? new Pending<void>() : undefined
    const waiting = { bytes, parcels, credited, sent: 0, withdrawn: false, pending }
    this.waiting.push(waiting)
    return waiting
  }

  /** What was sent over a wire that nobody read goes again, before everything that waits. */
  sendAgain(copies: readonly Copy[]): void {
    for (const { bytes, parcels } of copies.toReversed()) {
      const credited = isCredited(bytes)
      this.waiting.unshift({ bytes, parcels, credited, sent: 0, withdrawn: false, pending: undefined })
    }
  }

  /** Takes back what waits and is of these types. */
  withdraw(types: ReadonlySet<number>): void {
    for (const each of this.waiting) if (types.has((each.bytes[0] as number) & ~CREDITED)) each.withdrawn = true
  }

  /** Sends what waits, as far as the window and the wire take it. Not while a message is being encoded into the batch. */
  send(): void {
    if (this.#batch.openAt >= 0) return
    for (let next = this.next(); next; next = this.next()) {
      if (this.#batch.undrained || (next.credited && this.outstanding >= this.#size)) return
      this.#send(next, false)
    }
  }

  /** Sends everything that waits, beyond the window. */
  sendAll(): void {
    for (let next = this.next(); next; next = this.next()) this.#send(next, true)
  }

  /** Whether some fragments of a message are sent, and others wait. */
  get halfSent(): boolean {
    return (this.next()?.sent ?? 0) > 0
  }

  /** Sends the other fragments, beyond the window. */
  sendOtherHalf(): void {
    const half = this.next()
    if (half && half.sent > 0) this.#send(half, true)
  }

  /** The link no longer holds what is sent. */
  release(): void {
    this.#accepted = 0
  }

  credit(bytes: number): void {
    this.outstanding = Math.max(0, this.outstanding - bytes)
  }

  /** The link is lost: calls reject with what `lost` gives, and ends that wait close. */
  discard(lost: () => MpError): void {
    for (const { pending, parcels, withdrawn } of this.waiting) {
      if (withdrawn) continue
      pending?.reject(lost())
      discardParcels(parcels, this.#transport)
    }
    this.waiting.clear()
  }

  /** Sends the oldest message that waits; in fragments, as many as the window takes, unless `beyond` it. */
  #send(next: Waiting, beyond: boolean): void {
    const { bytes, parcels } = next
    const batch = this.#batch
    // Too late to take it back.
    next.pending?.unlimit()
    // Computed here, as the wire may take the bytes over.
    const price = next.credited ? cost(bytes.length - HEADER, parcels, this.#transport) : 0
    const room = batch.room(parcels)
    if (bytes.length >= LARGE && bytes.length <= room && !parcels) {
      // It is in memory of its own already.
      batch.flush()
      batch.put(bytes)
    } else if (bytes.length <= room) {
      if (batch.out.length + bytes.length > room) batch.flush()
      const { out } = batch
      const start = out.length
      appendBytes(out, bytes, 0, bytes.length)
      if (parcels) batch.addParcels(out, start, parcels)
      void batch.add()
    } else {
      batch.flush()
      const chunk = room - HEADER - FRAGMENT_HEADER
      while (next.sent < bytes.length) {
        if (!beyond && (batch.undrained || (next.credited && this.outstanding >= this.#size))) return
        this.#sendFragment(next, Math.min(chunk, bytes.length - next.sent))
      }
    }
    this.outstanding += price
    this.waiting.shift()
    next.pending?.resolve()
  }

  /** A fragment's own bytes get credit when it arrives; the whole message gets it when a reader took it. */
  #sendFragment(next: Waiting, size: number): void {
    const out = fragment(next.bytes, next.sent, size)
    this.outstanding += cost(FRAGMENT_HEADER + size, undefined, this.#transport)
    next.sent += size
    const last = next.sent === next.bytes.length
    if (last && next.parcels) this.#batch.addParcels(out, 0, next.parcels)
    this.#batch.put(out.bytes.length === out.length ? out.bytes : out.bytes.slice(0, out.length))
  }
}

function isCredited(bytes: Uint8Array): boolean {
  return ((bytes[0] as number) & CREDITED) !== 0
}
