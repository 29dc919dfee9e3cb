import { allocate, ByteBuffer, writeU32 } from '../runtime/byte-buffer.js'
import { atTurnEnd, roughNow, type TurnEnd, turn, turnIsLong } from '../runtime/turn.js'
import { batchSent, noteBatch, type Unsent } from '../runtime/unsent.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { attachedBytes, TABLE_HEADER, WITH_TABLE } from './frame.js'
import { type EndCarrier, writeParcels } from './parcel-table.js'
import { discardAttachments } from './relayed-end.js'
import { type Parcel, TicketEnd } from './wire-end.js'

const BATCH_BYTES = 64 * 1024
const BATCH_MESSAGES = 256
/** ms */
const BATCH_AGE = 1
/** A frame up to this size is copied out of the batch, so that the batch's memory is used again. */
const COPIED_FRAME = 16 * 1024
/** Bytes. Up to this size a loop is faster than a view and a native call. */
const SMALL_FRAME = 128

/** Bytes. From this size on a copy costs more than a frame of its own. */
export const LARGE = 64 * 1024

/** Bytes that an entry of a table may take, without what its ticket holds. */
const LARGEST_ENTRY = 256

export const ACCEPTED: Promise<void> = Promise.resolve()

/**
 * What a link sends through: messages are gathered here, one behind the other, and leave over the wire as one frame.
 *
 * A frame leaves at the end of the turn of the event loop (when the microtasks have run), or within the call at 64 KiB, 256
 * messages or 1 ms. So a loop of awaited sends costs no postMessage or system call each, and a single message waits for no
 * timer.
 */
export class Batch implements TurnEnd, Unsent {
  /** A link that follows a move goes on over another wire. */
  wire: Wire
  readonly #transport: Transport
  /** Carries ends of relayed wires, if the wire itself does not. */
  carrier: EndCarrier | undefined
  /** The wire has asked to wait. */
  undrained = false

  out: ByteBuffer = new ByteBuffer(1024)
  /** Where the message that is being encoded starts in `out`; -1 if there is none. */
  openAt = -1
  #messages = 0
  /** When the first message came. */
  #since = 0
  #scheduled = false
  #attachments: object[] | undefined
  /** Bytes of buffers among the attachments. */
  #attached = 0

  constructor(wire: Wire, transport: Transport) {
    this.wire = wire
    this.#transport = transport
  }

  /**
   * A message was appended to `out`. Resolved already, unless this turn has run for so long that the event loop must turn
   * first.
   */
  add(): Promise<void> {
    const now = roughNow()
    if (this.#messages++ === 0) this.#since = now
    if (
      this.out.length + this.#attached >= BATCH_BYTES ||
      this.#messages >= BATCH_MESSAGES ||
      now - this.#since >= BATCH_AGE
    ) {
      this.flush()
    } else if (!this.#scheduled) {
      this.#scheduled = true
      noteBatch(this)
      atTurnEnd(this)
    }
    return turnIsLong(now) ? turn() : ACCEPTED
  }

  turnEnded(): void {
    this.#scheduled = false
    batchSent(this)
    this.flush()
  }

  sendNow(): void {
    this.flush()
  }

  /**
   * Sends what was gathered, but not a message that is being encoded: the encode may run user code, which may close, or
   * exit.
   */
  flush(): void {
    const length = this.openAt >= 0 ? this.openAt : this.out.length
    if (length === 0) return
    if (this.openAt >= 0) this.openAt = 0
    this.sendUpTo(length)
  }

  /** Sends the first `length` bytes. What is behind them begins the next frame. */
  sendUpTo(length: number): void {
    this.put(this.#takeFrame(length))
  }

  /** Sends a frame, with the attachments that were gathered. The wire owns its bytes from here on. */
  put(frame: Uint8Array<ArrayBuffer>): void {
    const attachments = this.#attachments
    this.#attachments = undefined
    this.#attached = 0
    if (!this.wire.send(frame, attachments)) this.undrained = true
  }

  /** How long a frame may be before the table of what rides along. */
  room(parcels: readonly Parcel[] | undefined): number {
    const { maxFrame } = this.wire
    if (maxFrame === undefined) return Number.POSITIVE_INFINITY
    return parcels ? maxFrame - (parcels.length + 1) * LARGEST_ENTRY : maxFrame
  }

  /** Lets parcels ride along with the message that starts at `start` and is the last of `out`: the batch's, or a fragment. */
  addParcels(out: ByteBuffer, start: number, parcels: readonly Parcel[]): void {
    const { wires } = this.#transport
    if (wires?.left) for (const each of parcels) if (each instanceof TicketEnd) wires.left(each.ticket.value, this.wire)
    out.bytes[start] = (out.bytes[start] as number) | WITH_TABLE
    const attachments: object[] = []
    const at = out.length
    out.reserve(TABLE_HEADER)
    out.length += TABLE_HEADER
    writeParcels(parcels, out, attachments, this.#transport, this.carrier)
    writeU32(out.bytes, at, attachments.length)
    writeU32(out.bytes, at + 4, out.length - at - TABLE_HEADER)
    if (attachments.length === 0) return
    if (this.#attachments) for (const each of attachments) this.#attachments.push(each)
    else this.#attachments = attachments
    this.#attached += attachedBytes(parcels)
  }

  /** The wire is lost: ends among the attachments close. */
  discard(): void {
    discardAttachments(this.#attachments)
    this.#attachments = undefined
    this.#attached = 0
  }

  /** In a buffer that holds nothing else. */
  #takeFrame(length: number): Uint8Array<ArrayBuffer> {
    const { out } = this
    const rest = out.length - length
    this.#messages = rest > 0 ? 1 : 0
    if (length > COPIED_FRAME && rest === 0) {
      this.out = new ByteBuffer(BATCH_BYTES + 4096)
      return out.bytes.subarray(0, length)
    }
    let frame: Uint8Array<ArrayBuffer>
    if (length <= SMALL_FRAME) {
      frame = new Uint8Array(length)
      for (let i = 0; i < length; i++) frame[i] = out.bytes[i] as number
    } else {
      frame = allocate(length)
      frame.set(out.bytes.subarray(0, length))
    }
    if (rest > 0) out.bytes.copyWithin(0, length, out.length)
    out.length = rest
    return frame
  }
}
