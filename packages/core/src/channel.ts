import { appendBytes, appendU32, type ByteBuffer, readU32 } from './byte-buffer.js'
import { LiveObject, type Parcel, RelayedEnd, relay } from './end.js'
import { MpError } from './errors.js'
import type { Link, Message } from './link.js'
import type { EndCarrier } from './parcel-table.js'
import type { Wire, WireSink } from './spi.js'

/** The channels' messages on the link between parent and child. Body: u32 channel, then the inner frame. */
export const CHANNEL_FRAME = 14
export const CHANNEL_CLOSE = 15

/** Larger frames of a channel go in pieces, so that none holds up its neighbours on the link. */
const CHANNEL_MAX_FRAME = 256 * 1024

/**
 * Wires inside the link between a parent and its child, for transports without direct ones. What rides beside an inner
 * frame rides beside the outer one, so that each context on the way sees the ends that pass through it, and relays them.
 */
export class Channels implements EndCarrier {
  readonly #link: Link
  readonly #open = new Map<number, ChannelWire>()
  /** The parent's are even, the child's odd: both sides can make one at the same time. */
  #next: number

  constructor(link: Link, side: 'parent' | 'child') {
    this.#link = link
    this.#next = side === 'parent' ? 2 : 1
  }

  offer(wire: Wire): number {
    const id = this.#next
    this.#next += 2
    relay(this.#wire(id), wire)
    return id
  }

  accept(id: number): Wire {
    if (this.#open.has(id)) throw new MpError('MP_DECODE', `channel ${id} was offered twice`)
    return this.#wire(id)
  }

  /** Whether the message was the channels'. */
  message(message: Message): boolean {
    if (message.type !== CHANNEL_FRAME && message.type !== CHANNEL_CLOSE) return false
    const id = readU32(message.bytes, message.start)
    const wire = this.#open.get(id)
    // A frame for a channel that this side has just closed is dropped, as a wire drops it.
    if (message.type === CHANNEL_CLOSE) wire?.receive(undefined, undefined)
    else {
      const attachments = message.parcels?.map(parcel => (parcel instanceof LiveObject ? parcel.object : parcel))
      wire?.receive(message.bytes.subarray(message.start + 4, message.end), attachments)
    }
    return true
  }

  /** The link is gone, and every channel with it. */
  closed(): void {
    for (const wire of [...this.#open.values()]) wire.receive(undefined, undefined)
  }

  #wire(id: number): ChannelWire {
    const wire = new ChannelWire(this.#link, id, () => this.#open.delete(id))
    this.#open.set(id, wire)
    return wire
  }
}

interface Arrival {
  /** Absent: the other side closed. */
  readonly bytes: Uint8Array | undefined
  readonly attachments: readonly object[] | undefined
}

class ChannelWire implements Wire {
  readonly maxFrame = CHANNEL_MAX_FRAME
  readonly #link: Link
  readonly #id: number
  readonly #onClosed: () => void
  #sink: WireSink | undefined
  #early: Arrival[] = []
  #closed = false

  constructor(link: Link, id: number, onClosed: () => void) {
    this.#link = link
    this.#id = id
    this.#onClosed = onClosed
  }

  start(sink: WireSink): void {
    setImmediate(() => {
      this.#sink = sink
      for (const each of this.#early.splice(0)) this.receive(each.bytes, each.attachments)
    })
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (!this.#closed) {
      const parcels = attachments?.map((each): Parcel => (each instanceof RelayedEnd ? each : new LiveObject(each)))
      this.#link.control(CHANNEL_FRAME, out => this.#write(out, bytes), parcels)
    }
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#end()
    this.#link.control(CHANNEL_CLOSE, out => appendU32(out, this.#id))
  }

  unref(): void {}

  receive(bytes: Uint8Array | undefined, attachments: readonly object[] | undefined): void {
    if (this.#closed) return
    if (!this.#sink) {
      this.#early.push({ bytes, attachments })
    } else if (bytes) {
      this.#sink.frame(bytes, attachments)
    } else {
      this.#end()
      this.#sink.close()
    }
  }

  #end(): void {
    this.#closed = true
    this.#onClosed()
  }

  #write(out: ByteBuffer, bytes: Uint8Array): void {
    appendU32(out, this.#id)
    appendBytes(out, bytes, 0, bytes.length)
  }
}
