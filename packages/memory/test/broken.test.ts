import { conformance } from '@mp/conformance'
import { createContext } from '@mp/core'
import type { Peer, SpawnOptions, Transport, Wire, WireSink } from '@mp/core/spi'
import { transport } from '@mp/memory'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

type Frame = [bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[] | undefined]

/** A transport that is wrong in one way, for which the suite must fail it. */
function broken(change: { wire?: (wire: Wire) => Wire; peer?: (peer: Peer) => Peer }): Transport {
  const spawn = (options: SpawnOptions): Peer => {
    const peer = transport.spawn(options)
    const wired = change.wire ? { ...peer, wire: change.wire(peer.wire) } : peer
    return change.peer ? change.peer(wired) : wired
  }
  return { ...transport, spawn }
}

/** A wire whose frames to the child go through `send`, and what comes back through `sink`. */
function wire(
  inner: Wire,
  own: { send?(frame: Frame, next: (frame: Frame) => void): void; sink?(sink: WireSink): WireSink },
): Wire {
  return {
    start: sink => inner.start(own.sink ? own.sink(sink) : sink),
    send: (...frame) => {
      if (own.send) own.send(frame, ([bytes, attachments]) => inner.send(bytes, attachments as readonly object[]))
      else inner.send(frame[0], frame[1] as readonly object[])
      return true
    },
    close: () => inner.close(),
    unref: () => inner.unref(),
  }
}

/** Runs one case by the beginning of its name; tells whether it failed. */
async function fails(wrong: Transport, name: string): Promise<boolean> {
  const found: (() => Promise<void>)[] = []
  const collect = (each: string, body: () => Promise<void>) => {
    if (each.startsWith(name)) found.push(body)
  }
  conformance({
    transport: wrong,
    context: createContext(wrong),
    module: new URL('../dist/index.js', import.meta.url),
    describe: (_, body) => body(),
    test: Object.assign(collect, { skip: () => {} }),
  })
  expect(found).toHaveLength(1)
  return (found[0] as () => Promise<void>)().then(
    () => false,
    () => true,
  )
}

describe('a broken transport fails the suite', () => {
  beforeAll(() => {
    process.env.MP_CONFORMANCE_PATIENCE = '1000'
  })
  afterAll(() => {
    delete process.env.MP_CONFORMANCE_PATIENCE
  })

  test('one that is not broken passes', async () => {
    for (const name of ['P33', 'Q2 items leave in the order in which they came, from one', 'C16']) {
      expect(await fails(broken({ wire: inner => wire(inner, {}) }), name)).toBe(false)
    }
  })

  test('drops a frame', async () => {
    let count = 0
    const drops = broken({ wire: inner => wire(inner, { send: (frame, next) => void (++count === 3 || next(frame)) }) })
    expect(await fails(drops, 'Q2 items leave in the order in which they came, from one')).toBe(true)
  })

  test('reorders frames', async () => {
    let held: Frame | undefined
    let count = 0
    const send = (frame: Frame, next: (frame: Frame) => void) => {
      if (++count === 3) held = frame
      else {
        next(frame)
        if (held) next(held)
        held = undefined
      }
    }
    expect(
      await fails(
        broken({ wire: inner => wire(inner, { send }) }),
        'Q2 items leave in the order in which they came, from one',
      ),
    ).toBe(true)
  })

  test('gives a frame twice', async () => {
    let count = 0
    const send = (frame: Frame, next: (frame: Frame) => void) => {
      const copy = frame[0].slice()
      next(frame)
      if (++count > 2) next([copy])
    }
    expect(await fails(broken({ wire: inner => wire(inner, { send }) }), 'Q5')).toBe(true)
  })

  test('throws on send', async () => {
    const send = () => {
      throw new Error('the medium is gone')
    }
    expect(await fails(broken({ wire: inner => wire(inner, { send }) }), 'P12')).toBe(true)
  })

  test('forgets to say that the child is gone', async () => {
    const sink = (inner: WireSink): WireSink => ({ ...bind(inner), close() {} })
    expect(await fails(broken({ wire: inner => wire(inner, { sink }) }), 'C15 a recv from a child')).toBe(true)
  })

  test('never tells the exit', async () => {
    const never = broken({ peer: peer => ({ ...peer, exited: new Promise(() => {}) }) })
    expect(await fails(never, 'P12')).toBe(true)
  })

  test('tells a terminated child as one that failed', async () => {
    const tells = (peer: Peer) => ({
      ...peer,
      exited: peer.exited.then(({ signal, code }) => ({ code: signal ? 1 : code, signal: null })),
    })
    expect(await fails(broken({ peer: tells }), 'P33')).toBe(true)
  })

  test('does not terminate', async () => {
    expect(
      await fails(broken({ peer: peer => ({ ...peer, kill() {} }) }), 'P49 terminate() and kill() do not wait'),
    ).toBe(true)
  })
})

function bind(sink: WireSink): WireSink {
  return {
    frame: (...args) => sink.frame(...args),
    drain: () => sink.drain(),
    close: error => sink.close(error),
  }
}
