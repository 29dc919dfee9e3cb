import { describe, expect, it } from 'vitest'
import { MpError } from '../src/errors.js'
import { Link } from '../src/link/link.js'
import { LocalWire } from '../src/link/local-wire.js'
import { RelayedEnd } from '../src/link/relayed-end.js'
import { appendBytes } from '../src/runtime/byte-buffer.js'
import { Collector, linked, send, TYPE, transport, until } from './linked.js'

describe('batching', () => {
  it('makes one frame of what is sent in one turn', async () => {
    const { wires, users, links } = linked()
    for (let i = 0; i < 100; i++) await send(links[0], `message ${i}`)
    await until(() => users[1].texts.length === 100)
    expect(users[1].texts).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`))
    expect(wires[0].frames.length).toBeLessThanOrEqual(3)
  })

  it('sends within the call at 256 messages and at 64 KiB', () => {
    const { wires, links } = linked()
    for (let i = 0; i < 256; i++) void send(links[0], 'x')
    expect(wires[0].frames.length).toBeGreaterThanOrEqual(1)
    const before = wires[0].frames.length
    void send(links[0], 'y'.repeat(70_000))
    expect(wires[0].frames.length).toBe(before + 1)
  })

  it('lets timers fire during a loop of awaited sends', async () => {
    const { users, links } = linked()
    let fired = 0
    const timer = setInterval(() => fired++, 1)
    const end = performance.now() + 5_000
    while (fired <= 5 && performance.now() < end) {
      await send(links[0], 'x')
      for (const cost of users[1].costs.splice(0)) links[1].credit(cost)
    }
    clearInterval(timer)
    expect(fired).toBeGreaterThan(5)
  })
})

describe('credits', () => {
  it('let a sender go no further than its window ahead of the reader', async () => {
    const { users, links } = linked({ window: 10_000 })
    let accepted = 0
    const sends = Array.from({ length: 200 }, () => send(links[0], 'x'.repeat(936)).then(() => accepted++))
    await until(() => users[1].texts.length >= 10)
    await new Promise(resolve => setImmediate(resolve))
    expect(accepted).toBeLessThanOrEqual(11)
    expect(users[1].texts.length).toBeLessThanOrEqual(11)
    // Whoever reads lets it go on.
    let read = 0
    await until(() => {
      for (; read < users[1].costs.length; read++) links[1].credit(users[1].costs[read] as number)
      return read === 200
    })
    await Promise.all(sends)
  })

  it('are waited for also by what needs none and comes behind', async () => {
    const { users, links } = linked({ window: 100 })
    await send(links[0], 'x'.repeat(1000))
    const blocked = send(links[0], 'waits')
    void send(links[0], 'behind', false)
    await until(() => users[1].texts.length > 0)
    await new Promise(resolve => setImmediate(resolve))
    expect(users[1].texts.length).toBe(1)
    links[1].credit(users[1].costs[0] as number)
    await blocked
    await until(() => users[1].texts.length === 3)
    expect(users[1].texts.slice(1)).toEqual(['waits', 'behind'])
  })

  it('reject, when the link is lost, whoever waits for them', async () => {
    const { users, links } = linked({ window: 100 })
    await send(links[0], 'x'.repeat(1000))
    const blocked = send(links[0], 'waits')
    links[1].close()
    await expect(blocked).rejects.toMatchObject({ code: 'MP_BROKEN_PIPE' })
    await until(() => users[0].end !== undefined)
    await expect(send(links[0], 'late')).rejects.toMatchObject({ code: 'MP_BROKEN_PIPE' })
  })

  it('are not waited for by a close: what was sent arrives', async () => {
    const { users, links } = linked({ window: 100 })
    await send(links[0], 'x'.repeat(1000))
    const blocked = send(links[0], 'waits')
    links[0].close()
    await blocked
    await until(() => users[1].end !== undefined)
    expect(users[1].texts[1]).toBe('waits')
  })
})

describe('fragments', () => {
  it('carry what is larger than a frame, in order with what is not', async () => {
    const { wires, users, links } = linked({ maxFrame: 1024 })
    const texts = [
      'small',
      'L'.repeat(100_000),
      'x'.repeat(1019),
      'y'.repeat(1020),
      'z'.repeat(500),
      'z'.repeat(500),
      '',
    ]
    for (const text of texts) await send(links[0], text)
    await until(() => users[1].texts.length === texts.length)
    expect(users[1].texts).toEqual(texts)
    expect(Math.max(...wires[0].frames)).toBeLessThanOrEqual(1024)
  })

  it('of a message larger than the window go on as they arrive', async () => {
    const { users, links } = linked({ maxFrame: 1024, window: 4096 })
    const sent = send(links[0], 'L'.repeat(1_000_000))
    const next = send(links[0], 'next')
    await until(() => users[1].texts.length === 1)
    await sent
    // Nobody has read the large one.
    expect(users[1].texts.length).toBe(1)
    links[1].credit(users[1].costs[0] as number)
    await next
    await until(() => users[1].texts.length === 2)
  })
})

describe('a wire that is full', () => {
  it('gets nothing more until it drains', async () => {
    const { wires, users, links } = linked()
    wires[0].full = true
    await send(links[0], 'first')
    await until(() => users[1].texts.length === 1)
    const blocked = send(links[0], 'second')
    void send(links[0], 'third', false)
    await new Promise(resolve => setImmediate(resolve))
    expect(wires[0].frames.length).toBe(1)
    expect(links[0].undrained).toBe(true)
    wires[0].full = false
    wires[0].sink?.drain()
    expect(users[0].drains).toBe(1)
    await blocked
    await until(() => users[1].texts.length === 3)
    expect(users[1].texts).toEqual(['first', 'second', 'third'])
  })

  it('tells its user nothing while what waited fills it again', async () => {
    const { wires, users, links } = linked()
    wires[0].full = true
    await send(links[0], 'first')
    await until(() => users[1].texts.length === 1)
    void send(links[0], 'x'.repeat(100_000))
    wires[0].sink?.drain()
    await until(() => users[1].texts.length === 2)
    expect(users[0].drains).toBe(0)
    wires[0].sink?.drain()
    expect(users[0].drains).toBe(1)
  })
})

describe('a frame that cannot be read', () => {
  const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]
  const frames: [string, number[]][] = [
    ['ends in a header', [TYPE, 1, 0]],
    ['announces more than it has', [TYPE, ...u32(100), 1, 2, 3]],
    ['announces 4 GiB', [TYPE, ...u32(0xffff_ffff)]],
    ['has a table that is cut short', [TYPE | 0x80, ...u32(0), 1]],
    ['has a table of garbage', [TYPE | 0x80, ...u32(0), ...u32(1), ...u32(3), 99, 99, 99]],
    ['gives credit without a number', [1, ...u32(0)]],
    ['has a fragment longer than its message', [2 | 0x40, ...u32(10), 0, ...u32(2), 1, 2, 3, 4, 5]],
    ['ends a message of fragments early', [2 | 0x40, ...u32(7), 1, ...u32(100), TYPE, 0]],
    ['has a fragment of a fragment', [2 | 0x40, ...u32(10), 1, ...u32(5), 2, 0, 0, 0, 0]],
    ['announces a message of 4 GiB in fragments', [2 | 0x40, ...u32(6), 0, ...u32(0xffff_ffff), 1]],
    ['moves to nowhere', [3, ...u32(0)]],
  ]

  it.each(frames)('closes the link with a coded error: %s', async (_, bytes) => {
    const { wires, users } = linked()
    wires[0].send(new Uint8Array(bytes))
    await until(() => users[1].end !== undefined)
    expect(users[1].end?.error).toBeInstanceOf(MpError)
    expect(wires[1].closed).toBe(true)
    await until(() => users[0].end !== undefined)
    expect(users[0].end?.error).toBeUndefined()
  })
})

describe('a move', () => {
  it('loses and doubles nothing of what either side sends meanwhile', async () => {
    const { users, links } = linked()
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    for (let i = 0; i < 50; i++) void send(links[0], `old ${i}`)
    // What 1 hears until the move is done is its own to pass on; the rest comes to the taker.
    const moved = links[1].move(new RelayedEnd(a))
    const takerLink = new Link(b, transport, taker)
    for (let i = 50; i < 100; i++) {
      void send(links[0], `old ${i}`)
      void send(takerLink, `back ${i}`)
      await new Promise(resolve => setImmediate(resolve))
    }
    await moved
    links[1].close()
    await until(() => users[1].texts.length + taker.texts.length === 100)
    expect([...users[1].texts, ...taker.texts]).toEqual(Array.from({ length: 100 }, (_, i) => `old ${i}`))
    await until(() => users[0].texts.length === 50)
    expect(users[0].texts).toEqual(Array.from({ length: 50 }, (_, i) => `back ${i + 50}`))
    expect(users[0].moves).toBe(1)
    expect(users[0].end).toBeUndefined()
  })

  it('closes the end of a side that moved at the same time, and left before it answered', async () => {
    const { links } = linked()
    const [a, b] = LocalWire.pair()
    const [c] = LocalWire.pair()
    const taker = new Collector()
    void new Link(b, transport, taker)
    const moved = links[1].move(new RelayedEnd(c))
    void links[0].move(new RelayedEnd(a))
    links[0].tellLeft()
    links[0].close()
    await moved
    await until(() => taker.end !== undefined)
  })

  it('does not lose what is sent first, when the other side has moved and left by then', async () => {
    const { links } = linked()
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    void new Link(b, transport, taker)
    links[0].keepFirst()
    void links[1].move(new RelayedEnd(a))
    links[1].tellLeft()
    links[1].close()
    void send(links[0], 'first')
    void send(links[0], 'second')
    // The encode of a message sends another one on the same link.
    const outer = links[0].begin(TYPE, true)
    void send(links[0], 'inner')
    appendBytes(outer, Buffer.from('outer'), 0, 5)
    void links[0].commit(outer, undefined)
    void send(links[0], 'last')
    await until(() => taker.texts.includes('last'))
    expect(taker.texts.slice(0, 2)).toEqual(['first', 'second'])
    expect(taker.texts.toSorted()).toEqual(['first', 'inner', 'last', 'outer', 'second'])
  })

  it('ends when the other side is gone', async () => {
    const { users, links } = linked()
    links[0].close()
    await until(() => users[1].end !== undefined)
    const [a, b] = LocalWire.pair()
    const taker = new Collector()
    await links[1].move(new RelayedEnd(a))
    void new Link(b, transport, taker)
    await until(() => taker.end !== undefined)
  })
})

describe('a first send of a link that keeps it', () => {
  it('rejects when the other side had closed before, whether it was sent at once or had to wait', async () => {
    const { links } = linked()
    links[1].close()
    links[0].keepFirst()
    const sends = [send(links[0], 'copied'), send(links[0], 'x'.repeat(100_000)), send(links[0], 'behind it')]
    for (const each of await Promise.allSettled(sends)) {
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'MP_BROKEN_PIPE' } })
    }
  })

  it('resolves when the other side read it, and then closed before the link had listened', async () => {
    const { wires, users, links } = linked()
    let tell = () => {}
    Object.assign(wires[0], { caughtUp: () => new Promise<void>(resolve => (tell = resolve)) })
    links[0].keepFirst()
    const sent = send(links[0], 'first')
    await until(() => users[1].texts.length === 1)
    links[1].credit(users[1].costs[0] as number)
    links[1].close()
    expect(await sent).toBe(undefined)
    tell()
  })
})
