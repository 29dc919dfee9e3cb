import { Deque } from '../runtime/deque.js'
import { deliverLater, deliverNow } from '../runtime/next-turn.js'
import type { Wire, WireSink } from '../transport/wire.js'
import { discardAttachments } from './relayed-end.js'
import { dropEvent, type WireEvent } from './wire-event.js'

/**
 * A wire within one thread. Frames arrive in a later turn of the event loop, so that no two contexts can starve it. If one
 * end is relayed, frames go through at once, since the other wire brings a turn of its own.
 */
export class LocalWire implements Wire {
  other!: LocalWire
  #sink: WireSink | undefined
  #closed = false
  #scheduled = false
  readonly #inbox = new Deque<WireEvent>()
  /** The wire that this end is relayed to. */
  #relayedTo: Wire | undefined
  /** That wire has asked to wait. */
  #full = false

  static pair(): [LocalWire, LocalWire] {
    const a = new LocalWire()
    const b = new LocalWire()
    a.other = b
    b.other = a
    return [a, b]
  }

  start(sink: WireSink): void {
    this.#sink = sink
    this.#schedule()
  }

  /** As `start`, for a sink that passes everything on to `to`. */
  startRelay(to: Wire, sink: WireSink): void {
    this.#relayedTo = to
    this.start(sink)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (this.#closed) {
      discardAttachments(attachments)
      return true
    }
    this.other.#receive({ bytes, attachments })
    return !this.other.#full
  }

  /** The wire that this end is relayed to asks the user of the other end to wait, or to go on. */
  relayFull(full: boolean): void {
    this.#full = full
    if (!full) this.other.#sink?.drain()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const each of this.#inbox) dropEvent(each)
    this.#inbox.clear()
    this.other.#receive('close')
  }

  unref(): void {}

  /** Reads from the wire that the other end is relayed to: what comes there may be for this end. */
  receiveSync(timeoutMs: number): boolean {
    const delivered = deliverNow()
    return this.other.#relayedTo?.receiveSync?.(delivered ? 0 : timeoutMs) || delivered
  }

  deliver(): void {
    this.#scheduled = false
    for (let event = this.#inbox.shift(); event; event = this.#inbox.shift()) this.#give(event)
  }

  #receive(event: WireEvent): void {
    if (this.#closed) return dropEvent(event)
    // The sink may be called at once in both directions: a relay's sink only sends, and what a relay brings comes from the
    // event loop.
    const through = this.#relayedTo || this.other.#relayedTo
    if (through && this.#sink && !this.#scheduled) return this.#give(event)
    this.#inbox.push(event)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#sink || this.#inbox.length === 0) return
    this.#scheduled = true
    deliverLater(this)
  }

  #give(event: WireEvent): void {
    const sink = this.#sink as WireSink
    if (event === 'close') {
      this.#closed = true
      sink.close()
    } else {
      sink.frame(event.bytes, event.attachments)
    }
  }
}
