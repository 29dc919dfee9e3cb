import { expect, it } from 'vitest'
import { MpError } from '../src/errors.js'
import { Channels } from '../src/link/channels.js'
import { Link, type Message } from '../src/link/link.js'
import { LocalWire } from '../src/link/local-wire.js'
import { appendBytes } from '../src/runtime/byte-buffer.js'
import type { Wire, WireSink } from '../src/transport/wire.js'
import { stubTransport } from './stub-transport.js'

const transport = stubTransport()

/** A wire that takes all, and asks to wait while it is `full`. */
class NarrowWire implements Wire {
  full = false
  readonly #wire: Wire
  #sink: WireSink | undefined

  constructor(wire: Wire) {
    this.#wire = wire
  }

  start(sink: WireSink): void {
    this.#sink = sink
    this.#wire.start(sink)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    this.#wire.send(bytes, attachments)
    return !this.full
  }

  drain(): void {
    this.full = false
    this.#sink?.drain()
  }

  close(): void {
    this.#wire.close()
  }

  unref(): void {}
}

function linkOver(wire: Wire, side: 'parent' | 'child'): Channels {
  const link: Link = new Link(wire, transport, {
    message: message => void channels.message(message),
    drained: () => channels.drained(),
    closed: () => channels.closed(),
    lost: () => new MpError('MP_WORKER_LOST', 'lost'),
  })
  const channels: Channels = new Channels(link, side)
  link.carrier = channels
  return channels
}

/** Two ends of a channel inside a narrow wire, and one local end that the parent's is relayed to. */
function channelled() {
  const [a, b] = LocalWire.pair()
  const narrow = new NarrowWire(a)
  const parent = linkOver(narrow, 'parent')
  const child = linkOver(b, 'child')
  const [near, far] = LocalWire.pair()
  return { narrow, near, there: child.accept(parent.offer(far)) }
}

const TYPE = 20

function send(link: Link, size: number): Promise<void> {
  const out = link.begin(TYPE, true)
  appendBytes(out, new Uint8Array(size), 0, size)
  return link.commit(out, undefined)
}

it('asks who sends by a channel to wait for the wire of the link that carries it', async () => {
  const { narrow, near, there } = channelled()
  const received: number[] = []
  const user = { closed() {}, lost: () => new MpError('MP_BROKEN_PIPE', 'lost') }
  const from = new Link(near, transport, { ...user, message() {} })
  new Link(there, transport, { ...user, message: ({ start, end }: Message) => void received.push(end - start) })
  await send(from, 10)
  await expect.poll(() => received).toEqual([10])
  narrow.full = true
  await send(from, 80_000)
  await expect.poll(() => received).toEqual([10, 80_000])
  let accepted = false
  const waits = send(from, 20).then(() => {
    accepted = true
  })
  for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
  expect(accepted).toBe(false)
  narrow.drain()
  await waits
  await expect.poll(() => received).toEqual([10, 80_000, 20])
})

it('is offered once', () => {
  const channels = linkOver(LocalWire.pair()[0], 'child')
  channels.accept(2).start({ frame() {}, drain() {}, close() {} })
  expect(() => channels.accept(2)).toThrow(expect.objectContaining({ code: 'MP_DECODE' }))
})
