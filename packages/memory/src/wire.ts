import type { Wire, WireSink } from '@mp/core/spi'

type Arrival = { bytes: Uint8Array; attachments: readonly object[] | undefined } | 'close'

/** The two ends of a wire within one thread. As on any other medium, what is sent arrives in a later turn of the event loop. */
export function wirePair(): [MemoryWire, MemoryWire] {
  const a = new MemoryWire()
  const b = new MemoryWire()
  a.other = b
  b.other = a
  return [a, b]
}

export class MemoryWire implements Wire {
  other: MemoryWire | undefined
  #sink: WireSink | undefined
  #arrivals: Arrival[] = []
  #scheduled = false

  start(sink: WireSink): void {
    this.#sink = sink
    this.#schedule()
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    this.other?.arrive({ bytes, attachments })
    return true
  }

  close(): void {
    this.other?.arrive('close')
    this.#cut()
  }

  /** Both ends hear a close, as if the process at the other side had died. */
  sever(): void {
    this.other?.arrive('close')
    this.arrive('close')
  }

  unref(): void {}

  arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#sink || this.#arrivals.length === 0) return
    this.#scheduled = true
    setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    this.#scheduled = false
    const arrivals = this.#arrivals
    this.#arrivals = []
    for (const arrival of arrivals) {
      const sink = this.#sink
      if (arrival === 'close') {
        this.#cut()
        sink?.close()
      } else {
        sink?.frame(arrival.bytes, arrival.attachments)
      }
    }
  }

  #cut(): void {
    this.other = undefined
    this.#sink = undefined
    this.#arrivals = []
  }
}
