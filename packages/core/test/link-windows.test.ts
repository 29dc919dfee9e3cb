import { describe, expect, it } from 'vitest'
import { Link } from '../src/link/link.js'
import { LocalWire } from '../src/link/local-wire.js'
import { RelayedEnd } from '../src/link/relayed-end.js'
import { appendBytes } from '../src/runtime/byte-buffer.js'
import { Collector, linked, send, TYPE, transport, until } from './linked.js'

async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

/** Sends a message whose call gives up when the signal is aborted. */
function sendUntil(link: Link, text: string, signal: AbortSignal): Promise<void> {
  const out = link.begin(TYPE, true)
  appendBytes(out, Buffer.from(text, 'latin1'), 0, text.length)
  return link.commit(out, undefined, (pending, withdraw) => pending.limit({ signal }, () => {}, withdraw))
}

describe('a call that waits for the window, and gives up,', () => {
  it('lets go what waits behind it', async () => {
    const { users, links } = linked({ window: 100 })
    const controller = new AbortController()
    await send(links[0], 'x'.repeat(1000))
    const waits = sendUntil(links[0], 'withdrawn', controller.signal)
    void send(links[0], 'behind', false)
    await turns()
    expect(users[1].texts.length).toBe(1)
    controller.abort('enough')
    await expect(waits).rejects.toBe('enough')
    await until(() => users[1].texts.length === 2)
    expect(users[1].texts[1]).toBe('behind')
  })

  it('does so too late when half of its message has gone', async () => {
    const { wires, users, links } = linked({ maxFrame: 1024, window: 4096 })
    const controller = new AbortController()
    await send(links[0], 'x'.repeat(5000))
    const text = 'L'.repeat(100_000)
    const waits = sendUntil(links[0], text, controller.signal)
    const next = send(links[0], 'next')
    await until(() => users[1].costs.length === 1)
    const frames = wires[0].frames.length
    links[1].credit(users[1].costs[0] as number)
    await until(() => wires[0].frames.length > frames)
    expect(users[1].texts.length).toBe(1)
    controller.abort('enough')
    await until(() => users[1].texts.includes(text))
    await waits
    links[1].credit(users[1].costs[1] as number)
    await next
  })
})

describe('a move starts with full windows', () => {
  it('also where much was unread, and much had no credit', async () => {
    const { users, links } = linked({ window: 10_000 })
    // Nobody reads: the window is almost full.
    for (let i = 0; i < 9; i++) await send(links[0], 'x'.repeat(936))
    for (let i = 0; i < 9; i++) await send(links[1], 'x'.repeat(936))
    await until(() => users.every(({ texts }) => texts.length === 9))
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    const moved = links[1].move(new RelayedEnd(a))
    const takerLink = new Link(b, transport, taker, 10_000)
    await moved
    links[1].close()
    let sent = 0
    for (let i = 0; i < 9; i++) {
      void send(links[0], 'y'.repeat(936)).then(() => sent++)
      void send(takerLink, 'z'.repeat(936)).then(() => sent++)
    }
    await until(() => taker.texts.length === 9 && users[0].texts.length === 18)
    expect(sent).toBe(18)
    expect([users[0].end, taker.end]).toEqual([undefined, undefined])
  })

  it('also where the other side went beyond them, which it may not do again', async () => {
    const { users, links } = linked({ window: 1000 })
    for (let i = 0; i < 5; i++) void send(links[1], 'x'.repeat(936))
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    const moved = links[1].move(new RelayedEnd(a))
    // Its window is larger, so it does not keep to that of the other side.
    const takerLink = new Link(b, transport, taker, 100_000)
    await moved
    links[1].close()
    await until(() => users[0].texts.length === 5)
    for (let i = 0; i < 5; i++) void send(takerLink, 'y'.repeat(936)).catch(() => {})
    await until(() => users[0].end !== undefined)
    expect(users[0].end?.error).toMatchObject({ code: 'MP_DECODE' })
  })

  it('and brings the rest of a message of which half had gone', async () => {
    const { wires, users, links } = linked({ maxFrame: 1024, window: 4096 })
    const small = Array.from({ length: 4 }, () => 'x'.repeat(800))
    const texts = [...small, 'L'.repeat(100_000)]
    // Nobody reads the small ones. So one fragment of the large one goes. It gets the first credit at once, which lets one more go; for
    // that there is none, since it is less than half a window.
    const sends = [...texts, 'last'].map(text => send(links[0], text))
    await until(() => users[1].texts.length === 4)
    await turns()
    expect(wires[0].frames.length).toBe(6)
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    const moved = links[1].move(new RelayedEnd(a))
    void new Link(b, transport, taker, 4096)
    await moved
    links[1].close()
    await Promise.all(sends)
    await until(() => taker.texts.length === 1)
    expect(users[1].texts).toEqual(texts)
    expect(taker.texts).toEqual(['last'])
  })
})

describe('a message that is being encoded', () => {
  it('goes before what its encode sends, and does not hold that up', async () => {
    const { users, links } = linked()
    const outer = links[0].begin(TYPE, true)
    const inner = send(links[0], 'inner')
    appendBytes(outer, Buffer.from('outer'), 0, 5)
    await links[0].commit(outer, undefined)
    await inner
    await until(() => users[1].texts.length === 2)
    expect(users[1].texts).toEqual(['outer', 'inner'])
  })

  it('stays behind when its encode flushes what came before', async () => {
    const { wires, users, links } = linked()
    void send(links[0], 'before')
    const outer = links[0].begin(TYPE, true)
    appendBytes(outer, Buffer.from('half'), 0, 4)
    links[0].flush()
    expect(wires[0].frames.length).toBe(1)
    appendBytes(outer, Buffer.from(' and half'), 0, 9)
    await links[0].commit(outer, undefined)
    await until(() => users[1].texts.length === 2)
    expect(users[1].texts).toEqual(['before', 'half and half'])
  })

  it('lets go what was sent meanwhile, although it is given up itself', async () => {
    const { users, links } = linked()
    const outer = links[0].begin(TYPE, true)
    void send(links[0], 'inner')
    links[0].abandon(outer)
    await until(() => users[1].texts.length === 1)
    expect(users[1].texts).toEqual(['inner'])
  })
})

it('a message with an end that does not fit into the frame begins the next one', async () => {
  const { wires, users, links } = linked({ maxFrame: 1024 })
  const [a, b] = LocalWire.pair()
  void new Link(b, transport, new Collector())
  void send(links[0], 'x'.repeat(100))
  const out = links[0].begin(TYPE, true)
  appendBytes(out, Buffer.from('y'.repeat(450)), 0, 450)
  void links[0].commit(out, [new RelayedEnd(a)])
  await until(() => users[1].texts.length === 2)
  expect(users[1].texts).toEqual(['x'.repeat(100), 'y'.repeat(450)])
  expect(wires[0].frames.length).toBe(2)
})

/** Sends an end of a new wire. Gives the user of its other end. */
function sendEnd(link: Link): { other: Collector; sent: Promise<void> } {
  const [a, b] = LocalWire.pair()
  const other = new Collector()
  void new Link(b, transport, other)
  const out = link.begin(TYPE, true)
  return { other, sent: link.commit(out, [new RelayedEnd(a)]) }
}

describe('an end of a wire closes', () => {
  it('in a message that waits for the window of a link that is lost', async () => {
    const { links } = linked({ window: 100 })
    await send(links[0], 'x'.repeat(1000))
    const { other, sent } = sendEnd(links[0])
    links[1].close()
    await expect(sent).rejects.toMatchObject({ code: 'MP_BROKEN_PIPE' })
    await until(() => other.end !== undefined)
  })

  it('in a message that has not left when its link is lost', async () => {
    const { wires, links } = linked()
    const { other } = sendEnd(links[0])
    wires[0].sink?.close(undefined)
    await until(() => other.end !== undefined)
  })

  it('in a message to a link that is closed, or is closing while it listens', async () => {
    for (const listens of [false, true]) {
      const { links } = linked()
      const { other } = sendEnd(links[0])
      links[0].flush()
      if (listens) links[1].listenFirst()
      links[1].close()
      await until(() => other.end !== undefined)
    }
  })

  it('that a link was to move to, whose other side has left', async () => {
    const { links } = linked()
    links[0].tellLeft()
    await turns()
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    void new Link(b, transport, taker)
    await links[1].move(new RelayedEnd(a))
    await until(() => taker.end !== undefined)
  })
})
