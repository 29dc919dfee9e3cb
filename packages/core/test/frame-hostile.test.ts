import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../src/codec/codec.js'
import { Envelope } from '../src/context/message-writer.js'
import { MpError } from '../src/errors.js'
import { Link, type LinkUser } from '../src/link/link.js'
import type { EndCarrier } from '../src/link/parcel-table.js'
import { RelayedEnd } from '../src/link/relayed-end.js'
import { ByteBuffer } from '../src/runtime/byte-buffer.js'
import type { Wire, WireSink } from '../src/transport/wire.js'
import { stubTransport } from './stub-transport.js'

const transport = stubTransport()

/** Frames that a peer of another process sends, and what can become of them on their way: nothing of it is trusted. */
class OpenWire implements Wire {
  readonly maxFrame = 700
  readonly sent: Uint8Array<ArrayBuffer>[] = []
  sink!: WireSink
  closed = false

  start(sink: WireSink): void {
    this.sink = sink
  }

  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.sent.push(bytes.slice())
    return true
  }

  close(): void {
    this.closed = true
  }

  unref(): void {}
}

const carrier: EndCarrier = { offer: () => 6, accept: () => new OpenWire() }
const TYPE = 20

interface Attacked {
  readonly wire: OpenWire
  readonly values: unknown[]
  closed: { error: Error | undefined } | undefined
}

function linked(): Attacked & { link: Link } {
  const wire = new OpenWire()
  const unpacking = {
    attachment(): never {
      throw new MpError('MP_DECODE', 'nothing rides along')
    },
    handle(): never {
      throw new MpError('MP_DECODE', 'no handles here')
    },
  }
  const attacked: Attacked = { wire, values: [], closed: undefined }
  const user: LinkUser = {
    message: ({ bytes, start, end }) => void attacked.values.push(decode(bytes, start, end, unpacking)),
    closed: error => {
      attacked.closed = { error }
    },
    lost: () => new MpError('MP_BROKEN_PIPE', 'lost'),
  }
  const link = new Link(wire, transport, user)
  link.carrier = carrier
  return Object.assign(attacked, { link })
}

/** Gives the frames to a new link. What it may do: go on, or close with a code. Anything else throws, here. */
function attack(...frames: Uint8Array[]): Attacked {
  const attacked = linked()
  for (const frame of frames) attacked.wire.sink.frame(frame)
  const { closed, wire } = attacked
  if (closed) {
    const { error } = closed
    if (!(error instanceof MpError) || (error.code !== 'MP_DECODE' && error.code !== 'MP_FRAME_TOO_LARGE')) {
      throw new Error('closed for another reason', { cause: error })
    }
    if (!wire.closed) throw new Error('the wire is left open')
  }
  return attacked
}

const values: unknown[] = [
  { id: 1, name: 'hello', v: [1, 2, 3] },
  new Uint8Array(300).fill(7),
  [new Map([[1, new Set(['x'])]]), new Date(1), 5n, undefined, /a/g],
  new Error('what', { cause: new RangeError('why') }),
]

/** Every kind of frame that a link sends: batches, credit, fragments, a moved end, an end that rides along. */
function corpus(): Uint8Array[] {
  const { link, wire } = linked()
  const say = (value: unknown, parcels?: RelayedEnd[]) => {
    const out = link.begin(TYPE, true)
    encode(value, out, new Envelope(transport))
    void link.commit(out, parcels)
  }
  for (const value of values) say(value)
  link.flush()
  say('with an end', [new RelayedEnd(new OpenWire())])
  link.flush()
  say(new Uint8Array(2_500).fill(9))
  link.credit(4 * 1024 * 1024)
  void link.move(new RelayedEnd(new OpenWire()))
  return wire.sent
}

const frames = corpus()
const seed = 20
const anyFrame = fc.constantFrom(...frames)

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255]
}

/** Bytes that buffers and the heap hold beyond what they did before. */
function grownBy(action: () => void): number {
  const use = () => process.memoryUsage().arrayBuffers
  const before = use()
  action()
  return use() - before
}

describe('hostile frames', () => {
  test('the corpus itself is understood', () => {
    expect(frames.length).toBeGreaterThan(6)
    const { values: seen, closed } = attack(...frames.slice(0, -1))
    expect(closed).toBeUndefined()
    expect(seen).toEqual([...values, 'with an end', new Uint8Array(2_500).fill(9)])
  })

  test('10,000 that are cut short: some messages of it, or a closed link', () => {
    let closed = 0
    const property = fc.property(anyFrame, fc.nat(), (frame, at) => {
      const cut = at % frame.length
      const attacked = attack(frame.slice(0, cut))
      if (attacked.closed) closed++
      // Where a batch is cut between two messages, nothing shows.
      else if (attacked.values.length >= values.length) throw new Error('a cut frame gave everything')
    })
    fc.assert(property, { numRuns: 10_000, seed })
    expect(closed).toBeGreaterThan(5_000)
  })

  test('100,000 with flipped bits', () => {
    let closed = 0
    const flips = fc.array(fc.nat(), { minLength: 1, maxLength: 4 })
    const property = fc.property(anyFrame, flips, (frame, at) => {
      const flipped = frame.slice()
      for (const bit of at)
        flipped[(bit >>> 3) % frame.length] = (flipped[(bit >>> 3) % frame.length] as number) ^ (1 << (bit & 7))
      if (attack(flipped).closed) closed++
    })
    fc.assert(property, { numRuns: 100_000, seed })
    expect(closed).toBeGreaterThan(10_000)
  }, 60_000)

  test('20,000 of random bytes, alone and behind a good one', () => {
    const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), anyFrame, (bytes, good) => {
      attack(bytes)
      attack(good, bytes)
    })
    fc.assert(property, { numRuns: 20_000, seed })
  })

  test('frames in any order, doubled and dropped', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), given => void attack(...given)),
      { numRuns: 5_000, seed },
    )
  })

  const longest = 1024 * 1024 * 1024
  test.each([
    ['a message of 4 GiB', [TYPE, ...u32(0xffffffff), 1, 2, 3], 'MP_DECODE'],
    ['a message one byte longer than its frame', [TYPE, ...u32(4), 1, 2, 3], 'MP_DECODE'],
    ['a table of 4 GiB', [TYPE | 0x80, ...u32(0), ...u32(1), ...u32(0xffffffff)], 'MP_DECODE'],
    ['a table of 4 billion attachments', [TYPE | 0x80, ...u32(0), ...u32(0xffffffff), ...u32(0)], 'MP_DECODE'],
    ['fragments of 4 GiB in all', [2, ...u32(6), 0, ...u32(0xffffffff), 1], 'MP_FRAME_TOO_LARGE'],
    ['fragments of one byte more than the most', [2, ...u32(6), 0, ...u32(longest + 6), 1], 'MP_FRAME_TOO_LARGE'],
    ['a fragment longer than the whole', [2, ...u32(10), 0, ...u32(4), 1, 2, 3, 4, 5], 'MP_DECODE'],
    ['a last fragment of half the whole', [2, ...u32(10), 1, ...u32(10), 1, 2, 3, 4, 5], 'MP_DECODE'],
    ['a fragment of fragments', [2, ...u32(10), 1, ...u32(5), 2, 0, 0, 0, 0], 'MP_DECODE'],
    ['credit of no length', [1, ...u32(0)], 'MP_DECODE'],
    ['a move to nowhere', [3, ...u32(0)], 'MP_DECODE'],
    ['an answer to a move that nobody asked for', [4, ...u32(0)], 'MP_DECODE'],
    ['a move by an end that is a value', [3 | 0x80, ...u32(0), ...u32(0), ...u32(2), 0, 0xc0], 'MP_DECODE'],
  ])('%s closes the link, and costs no memory', (_, bytes, code) => {
    const grown = grownBy(() => expect(attack(Uint8Array.from(bytes)).closed?.error).toMatchObject({ code }))
    expect(grown).toBeLessThan(2 * 1024 * 1024)
  })

  test('a link that is closed hears nothing more', () => {
    const attacked = attack(Uint8Array.of(1, 0, 0, 0, 0), ...frames)
    expect(attacked.closed?.error).toMatchObject({ code: 'MP_DECODE' })
    expect(attacked.values).toEqual([])
  })

  test('nesting of 100,000 costs an error, neither the stack nor the memory', () => {
    for (const nest of [0x91, 0x81, 0xdd]) {
      const depth = 100_000
      const body = new ByteBuffer(1024)
      const head = nest === 0x91 ? [nest] : nest === 0x81 ? [nest, 0xa1, 0x61] : [nest, 0, 0, 0, 1]
      body.reserve(1 + depth * head.length + 1)
      body.length = 1
      body.bytes[0] = 0
      for (let i = 0; i < depth; i++) for (const byte of head) body.bytes[body.length++] = byte
      body.bytes[body.length++] = 0xc0
      const message = body.bytes.subarray(0, body.length)
      const frame = Uint8Array.from([TYPE, ...u32(message.length), ...message])
      const grown = grownBy(() => expect(attack(frame).closed?.error).toMatchObject({ code: 'MP_DECODE' }))
      expect(grown).toBeLessThan(2 * frame.length)
    }
  })
})
