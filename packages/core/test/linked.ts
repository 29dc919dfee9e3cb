import { MpError } from '../src/errors.js'
import { Link, type LinkUser, type Message } from '../src/link/link.js'
import { LocalWire } from '../src/link/local-wire.js'
import { appendBytes, type ByteBuffer } from '../src/runtime/byte-buffer.js'
import type { Wire, WireSink } from '../src/transport/wire.js'
import { stubTransport } from './stub-transport.js'

/** The type of the messages that `send` sends. */
export const TYPE = 20

export const transport = stubTransport({ reach: 'thread', isolation: 'none' })

/** A wire that counts its frames, and can refuse to take more. */
class SpiedWire implements Wire {
  readonly frames: number[] = []
  readonly maxFrame?: number
  full = false
  closed = false
  sink: WireSink | undefined
  readonly #wire: Wire

  constructor(wire: Wire, maxFrame?: number) {
    this.#wire = wire
    if (maxFrame !== undefined) this.maxFrame = maxFrame
  }

  start(sink: WireSink): void {
    this.sink = sink
    this.#wire.start(sink)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    this.frames.push(bytes.length)
    this.#wire.send(bytes, attachments)
    return !this.full
  }

  close(): void {
    this.closed = true
    this.#wire.close()
  }

  unref(): void {}
}

/** Keeps what its link tells. */
export class Collector implements LinkUser {
  readonly texts: string[] = []
  readonly costs: number[] = []
  end: { error: Error | undefined } | undefined
  moves = 0
  drains = 0

  message({ bytes, start, end, cost }: Message): void {
    this.texts.push(Buffer.from(bytes.subarray(start, end)).toString('latin1'))
    this.costs.push(cost)
  }

  moved(): void {
    this.moves++
  }

  drained(): void {
    this.drains++
  }

  closed(error: Error | undefined): void {
    this.end = { error }
  }

  lost(): MpError {
    return new MpError('MP_BROKEN_PIPE', 'lost')
  }
}

/** Two links with a wire between them. */
export function linked({ maxFrame, window }: { maxFrame?: number; window?: number } = {}) {
  const [a, b] = LocalWire.pair()
  const wires = [new SpiedWire(a, maxFrame), new SpiedWire(b, maxFrame)] as const
  const users = [new Collector(), new Collector()] as const
  const links = [
    new Link(wires[0], transport, users[0], window),
    new Link(wires[1], transport, users[1], window),
  ] as const
  return { wires, users, links }
}

export function send(link: Link, text: string, credited = true): Promise<void> {
  const out: ByteBuffer = link.begin(TYPE, credited)
  appendBytes(out, Buffer.from(text, 'latin1'), 0, text.length)
  return link.commit(out, undefined)
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never: ${condition}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}
