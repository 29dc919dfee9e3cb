import { allocate, ByteBuffer, writeU32 } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import { attachedBytes, PARCELS, TABLE_HEADER } from './frame.js'
import { type EndCarrier, packParcels } from './parcel-table.js'
import type { Parcel } from './wire-end.js'

const BATCH_BYTES = 64 * 1024
const BATCH_MESSAGES = 256
/** ms */
const BATCH_AGE = 1
/** A frame up to this size is copied out of the batch, so that the batch's memory is used again. */
const COPIED_FRAME = 16 * 1024
/** Bytes. Up to this size a loop is faster than a view and a native call. */
const SMALL_FRAME = 128

/** The frame that is being gathered: messages, one behind the other, and what rides along. */
export class Batch {
  out: ByteBuffer = new ByteBuffer(1024)
  attachments: object[] | undefined
  #messages = 0
  /** When its first message came. */
  #since = 0
  /** Bytes of buffers that ride along. */
  #attached = 0

  /** A message was appended to `out`. Whether the batch should go now, rather than at the turn's end. */
  add(now: number): boolean {
    if (this.#messages++ === 0) this.#since = now
    return (
      this.out.length + this.#attached >= BATCH_BYTES ||
      this.#messages >= BATCH_MESSAGES ||
      now - this.#since >= BATCH_AGE
    )
  }

  /** Lets parcels ride along with the message that starts at `start` and ends `out`, which is the batch's or a fragment. */
  addParcels(
    out: ByteBuffer,
    start: number,
    parcels: readonly Parcel[],
    transport: Transport,
    carrier: EndCarrier | undefined,
  ): void {
    out.bytes[start] = (out.bytes[start] as number) | PARCELS
    const attachments: object[] = []
    const at = out.length
    out.reserve(TABLE_HEADER)
    out.length += TABLE_HEADER
    packParcels(parcels, out, attachments, transport, carrier)
    writeU32(out.bytes, at, attachments.length)
    writeU32(out.bytes, at + 4, out.length - at - TABLE_HEADER)
    if (attachments.length === 0) return
    if (this.attachments) for (const each of attachments) this.attachments.push(each)
    else this.attachments = attachments
    this.#attached += attachedBytes(parcels)
  }

  takeAttachments(): readonly object[] | undefined {
    const { attachments } = this
    this.attachments = undefined
    this.#attached = 0
    return attachments
  }

  /** Takes the first `length` bytes, in a buffer that holds nothing else; what is behind them begins the next batch. */
  takeFrame(length: number): Uint8Array<ArrayBuffer> {
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
