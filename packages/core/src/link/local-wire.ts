import { Deque } from '../runtime/deque.js'
import { deliverLater, deliverNow } from '../runtime/next-turn.js'
import type { Wire, WireSink } from '../transport/wire.js'
import { discardAttachments } from './relayed-end.js'

type Event = { bytes: Uint8Array; attachments: readonly object[] | undefined } | 'close'

/**
 * A wire within one thread. Frames arrive in a later turn of the event loop, so that no two contexts can starve it; where one
 * end is relayed they go through at once, since the other wire brings a turn of its own.
 */
export class LocalWire implements Wire {
  other!: LocalWire
  #sink: WireSink | undefined
  #closed = false
  #scheduled = false
  readonly #inbox = new Deque<Event>()
  /** The wire that this end is relayed to, and whether that has asked to wait. */
  #relayedTo: Wire | undefined
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

  /** The wire that this end is relayed to asks the other end's user to wait, or to go on. */
  relayFull(full: boolean): void {
    this.#full = full
    if (!full) this.other.#sink?.drain()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const each of this.#inbox) drop(each)
    this.#inbox.clear()
    this.other.#receive('close')
  }

  unref(): void {}

  /** Of the wire that the other end is relayed to: what comes there may be for this one. */
  receiveSync(timeoutMs: number): boolean {
    const delivered = deliverNow()
    return this.other.#relayedTo?.receiveSync?.(delivered ? 0 : timeoutMs) || delivered
  }

  deliver(): void {
    this.#scheduled = false
    for (let event = this.#inbox.shift(); event; event = this.#inbox.shift()) this.#give(event)
  }

  #receive(event: Event): void {
    if (this.#closed) return drop(event)
    // Both directions are free to call: a relay's sink only sends, and what a relay brings comes from the event loop.
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

  #give(event: Event): void {
    const sink = this.#sink as WireSink
    if (event === 'close') {
      this.#closed = true
      sink.close()
    } else {
      sink.frame(event.bytes, event.attachments)
    }
  }
}

function drop(event: Event): void {
  if (event !== 'close') discardAttachments(event.attachments)
}
