import { appendU32, writeU32 } from '../runtime/byte-buffer.js'
import { deliverLater, deliverNow } from '../runtime/next-turn.js'
import type { Wire, WireSink } from '../transport/wire.js'
import type { Link } from './link.js'
import { CLOSE, FRAME } from './protocol.js'
import { discardAttachments, RelayedEnd } from './relayed-end.js'
import { LiveObject, type Parcel } from './wire-end.js'
import { dropEvent, type WireEvent } from './wire-event.js'

/**
 * Bytes. Larger frames of a channel go in pieces, so that none holds up the link's other channels for long (a megabyte: half a
 * millisecond). Messages of 1 MiB and a little go whole: pieces are put together again by copying.
 */
const MAX_FRAME = 1024 * 1024 + 64 * 1024

/** One end of a channel: a wire inside the link between a parent and its child. */
export class ChannelWire implements Wire {
  readonly maxFrame = MAX_FRAME
  readonly id: number
  readonly #link: Link
  /** The channels that were asked to wait for the link's wire. */
  readonly #undrained: Set<ChannelWire>
  readonly #onClosed: () => void
  #starting: WireSink | undefined
  #sink: WireSink | undefined
  #early: WireEvent[] = []
  #closed = false
  /** What was sent since `pause`, until `join`. */
  #paused: WireEvent[] | undefined
  /** The channel that this one has been joined to: the link is no longer between them. */
  #joined: ChannelWire | undefined

  constructor(link: Link, id: number, undrained: Set<ChannelWire>, onClosed: () => void) {
    this.#link = link
    this.id = id
    this.#undrained = undrained
    this.#onClosed = onClosed
  }

  start(sink: WireSink): void {
    this.#starting = sink
    deliverLater(this)
  }

  deliver(): void {
    this.#sink = this.#starting
    for (const each of this.#early.splice(0)) this.receive(each)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (this.#closed) {
      discardAttachments(attachments)
      return true
    }
    this.#send({ bytes, attachments })
    if (!this.#link.undrained || this.#paused || this.#joined) return true
    this.#undrained.add(this)
    return false
  }

  /** `send` has asked to wait, and may be called again. That may be before anything is delivered, so not to `#sink`. */
  drained(): void {
    this.#starting?.drain()
  }

  close(): void {
    if (this.#closed) return
    this.#end()
    this.#send('close')
  }

  unref(): void {}

  /** Reads from the link that carries this channel. */
  receiveSync(timeoutMs: number): boolean {
    const delivered = deliverNow()
    const received = !this.#joined && this.#link.receiveSync(delivered ? 0 : timeoutMs)
    deliverNow()
    return received || delivered
  }

  receive(event: WireEvent): void {
    if (this.#closed) return dropEvent(event)
    if (!this.#sink) {
      this.#early.push(event)
    } else if (event === 'close') {
      this.#end()
      this.#sink.close()
    } else {
      this.#sink.frame(event.bytes, event.attachments)
    }
  }

  /** Keeps what is sent from here on, while the child that relays it takes itself out. */
  pause(): void {
    this.#paused ??= []
  }

  /** Goes on to another channel of this context, without the link. */
  join(other: ChannelWire): void {
    const waits = this.#undrained.has(this)
    this.#joined = other
    this.#onClosed()
    const paused = this.#paused ?? []
    this.#paused = undefined
    for (const each of paused) this.#send(each)
    if (waits) setImmediate(() => this.drained())
  }

  #send(event: WireEvent): void {
    const joined = this.#joined
    if (this.#paused) this.#paused.push(event)
    // In another turn, as over any wire: the sender is not called back from within its own call.
    else if (joined) setImmediate(() => joined.receive(event))
    else if (event === 'close') this.#link.control(CLOSE, out => appendU32(out, this.id))
    else {
      const parcels = event.attachments?.map(
        (each): Parcel => (each instanceof RelayedEnd ? each : new LiveObject(each)),
      )
      const head = new Uint8Array(4)
      writeU32(head, 0, this.id)
      this.#link.controlOf(FRAME, head, event.bytes, parcels)
    }
  }

  #end(): void {
    this.#closed = true
    for (const each of this.#early.splice(0)) dropEvent(each)
    // A paused one must still be found when it is joined, to pass on what it has kept.
    if (!this.#paused) this.#onClosed()
  }
}
