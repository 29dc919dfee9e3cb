import { Deque } from './deque.js'
import { discardAttachments } from './relayed-end.js'
import type { Wire, WireSink } from './spi.js'

type Event = { bytes: Uint8Array; attachments: readonly object[] | undefined } | 'close'

/** A wire within one thread. Frames arrive in a later turn of the event loop, so that no two contexts can starve it. */
export class LocalWire implements Wire {
  other!: LocalWire
  #sink: WireSink | undefined
  #closed = false
  #scheduled = false
  readonly #inbox = new Deque<Event>()

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

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (this.#closed) discardAttachments(attachments)
    else this.other.#receive({ bytes, attachments })
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const each of this.#inbox) drop(each)
    this.#inbox.clear()
    this.other.#receive('close')
  }

  unref(): void {}

  #receive(event: Event): void {
    if (this.#closed) return drop(event)
    this.#inbox.push(event)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#sink || this.#inbox.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#deliver(this.#sink as WireSink)
    })
  }

  #deliver(sink: WireSink): void {
    for (let event = this.#inbox.shift(); event; event = this.#inbox.shift()) {
      if (event === 'close') {
        this.#closed = true
        sink.close()
      } else {
        sink.frame(event.bytes, event.attachments)
      }
    }
  }
}

function drop(event: Event): void {
  if (event !== 'close') discardAttachments(event.attachments)
}
