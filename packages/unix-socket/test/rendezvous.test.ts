import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@mp/conformance'
import { describe, it, onTestFinished } from 'vitest'
import * as control from '../src/control.js'
import type { HandOffWire } from '../src/hand-off-wire.js'
import { type OwnEnd, Rendezvous } from '../src/rendezvous.js'
import { RawClient } from './raw-client.js'

/** Other contexts, whose messages to the rendezvous may arrive in any order. */
class Scene {
  readonly #secret = randomBytes(16)
  readonly #address: string
  readonly folder = mkdtempSync(join(tmpdir(), 'rendezvous-test-'))
  readonly rendezvous: Rendezvous

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }))
    this.#address = join(this.folder, 'rendezvous')
    this.rendezvous = new Rendezvous(this.#address, this.#secret)
  }

  /** A context that tells what it holds. */
  context(): { tell(what: number, end: control.WireEnd, text?: string): void } & Pick<
    RawClient,
    'socket' | 'frame' | 'frames'
  > {
    const client = this.#connect(control.CONTEXT, wireEnd())
    // The first frame is ACCEPTED.
    const tell = (what: number, end: control.WireEnd, text?: string) =>
      client.send(control.control(this.#secret, what, end, text))
    return { tell, socket: client.socket, frames: client.frames, frame: index => client.frame(1 + index) }
  }

  open(end: control.WireEnd): RawClient {
    return this.#connect(control.OPEN, end)
  }

  /** Waits until the rendezvous has heard what was sent before, and has closed what was lost. */
  async settled(): Promise<void> {
    const [near, far] = pair()
    const probe = this.open(near)
    let met = false
    const own: OwnEnd = {
      meet() {
        met = true
      },
      lost() {},
      isWaiting: false,
    }
    this.rendezvous.open(far, own)
    await eventually(() => met, 'the probe')
    probe.socket.destroy()
    await new Promise(resolve => setTimeout(resolve, 150))
  }

  #connect(what: number, end: control.WireEnd): RawClient {
    const client = new RawClient(this.#address)
    client.send(control.control(this.#secret, what, end))
    return client
  }
}

function wireEnd(end: 0 | 1 = 0, hops = 0): control.WireEnd {
  return { token: randomBytes(16).toString('hex'), end, hops }
}

function pair(): [control.WireEnd, control.WireEnd] {
  const near = wireEnd()
  return [near, { ...near, end: 1 }]
}

const VIA = 'ab'.repeat(16)

describe('the rendezvous', () => {
  it('keeps an end that came to the main context, although word of its departure comes later', async ({ expect }) => {
    const scene = new Scene()
    const [near, far] = pair()
    const waiting = scene.open(near)
    scene.rendezvous.arrived({ ...far, hops: 1 })
    scene.context().tell(control.SENT, { ...far, hops: 1 }, VIA)
    await scene.settled()
    scene.rendezvous.lost(VIA)
    await scene.settled()
    expect(waiting.closed).toBe(false)
    const met: HandOffWire[] = []
    scene.rendezvous.open(
      { ...far, hops: 1 },
      { meet: connection => void met.push(connection), lost() {}, isWaiting: false },
    )
    expect(met.length).toBe(1)
  })

  it('closes what was on its way over a wire that is lost, and what a context held that is gone', async ({
    expect,
  }) => {
    for (const how of ['lost on its way', 'held'] as const) {
      const scene = new Scene()
      const [near, far] = pair()
      const waiting = scene.open(near)
      const context = scene.context()
      if (how === 'held') context.tell(control.HELD, { ...far, hops: 1 })
      else context.tell(control.SENT, { ...far, hops: 1 }, VIA)
      await scene.settled()
      expect(waiting.closed).toBe(false)
      if (how === 'held') context.socket.destroy()
      else context.tell(control.LOST, { token: VIA, end: 0, hops: 0 })
      await waiting.cutOff(1_000)
    }
  })

  it('closes what was on its way over a wire that nobody can read any more, and not before all have said so', async ({
    expect,
  }) => {
    const scene = new Scene()
    const [near, far] = pair()
    const waiting = scene.open(near)
    const [sender, reader, other] = [scene.context(), scene.context(), scene.context()]
    const answer = async (context: typeof reader, what: number, question = 0) => {
      expect((await context.frame(question)).toString('hex')).toContain(VIA)
      context.tell(what, { token: VIA, end: 0, hops: 0 })
    }
    sender.tell(control.SENT, { ...far, hops: 1 }, VIA)
    await scene.settled()
    sender.socket.destroy()
    await answer(other, control.CANNOT)
    await answer(reader, control.MAY)
    await scene.settled()
    expect(waiting.closed).toBe(false)
    other.tell(control.CLOSED, { token: VIA, end: 0, hops: 0 })
    await answer(other, control.CANNOT, 1)
    await reader.frame(1)
    await scene.settled()
    expect(waiting.closed).toBe(false)
    reader.socket.destroy()
    await waiting.cutOff(1_000)
  })

  it('closes an end that could not be opened', async () => {
    const scene = new Scene()
    const [near, far] = pair()
    const waiting = scene.open(near)
    scene.context().tell(control.FAILED, { ...far, hops: 1 })
    await waiting.cutOff(1_000)
  })

  it('takes later news for later, in whatever order it comes', async ({ expect }) => {
    const scene = new Scene()
    const [near, far] = pair()
    const waiting = scene.open(near)
    const [first, second] = [scene.context(), scene.context()]
    second.tell(control.HELD, { ...far, hops: 2 })
    await scene.settled()
    first.tell(control.HELD, { ...far, hops: 1 })
    first.tell(control.SENT, { ...far, hops: 2 }, VIA)
    first.tell(control.LOST, { token: VIA, end: 0, hops: 0 })
    await scene.settled()
    first.socket.destroy()
    await scene.settled()
    expect(waiting.closed).toBe(false)
    second.socket.destroy()
    await waiting.cutOff(1_000)
  })

  it('removes the socket of a context that has ended, and nothing else that it names', async ({ expect }) => {
    const scene = new Scene()
    const file = (name: string) => {
      const path = join(scene.folder, name)
      writeFileSync(path, '')
      return path
    }
    const [own, others, foreign] = [file('0123456789ab'), file('ba9876543210'), file('precious')]
    const [first, second, third] = [scene.context(), scene.context(), scene.context()]
    second.tell(control.ACCEPTOR, control.NO_WIRE, others)
    await scene.settled()
    first.tell(control.ACCEPTOR, control.NO_WIRE, foreign)
    first.tell(control.ACCEPTOR, control.NO_WIRE, others)
    first.tell(control.ACCEPTOR, control.NO_WIRE, own)
    third.tell(control.ACCEPTOR, control.NO_WIRE, join(scene.folder, 'deeper', '..', 'precious'))
    await scene.settled()
    for (const each of [first, third]) each.socket.destroy()
    await eventually(() => !existsSync(own), 'the removal')
    await scene.settled()
    expect([others, foreign].map(existsSync)).toEqual([true, true])
  })

  it('closes what was on its way over a wire whose own end is gone', async ({ expect }) => {
    const scene = new Scene()
    const [near, far] = pair()
    const carrier = pair()[1]
    const waiting = scene.open(near)
    // The sender is too busy to answer questions.
    const [sender, reader] = [scene.context(), scene.context()]
    sender.tell(control.SENT, { ...far, hops: 1 }, carrier.token)
    reader.tell(control.HELD, { ...carrier, hops: 1 })
    await scene.settled()
    expect(waiting.closed).toBe(false)
    reader.socket.destroy()
    await waiting.cutOff(2_000)
  })

  it('asks nobody about a wire whose other end was not opened yet', async ({ expect }) => {
    const scene = new Scene()
    const [near, far] = pair()
    const [carrier] = pair()
    const waiting = scene.open(near)
    scene.open(carrier)
    const [sender, reader] = [scene.context(), scene.context()]
    sender.tell(control.SENT, { ...far, hops: 1 }, carrier.token)
    await scene.settled()
    sender.socket.destroy()
    await scene.settled()
    await scene.settled()
    // It has heard that it was accepted, and nothing else.
    expect(reader.frames.length).toBe(1)
    expect(waiting.closed).toBe(false)
  })

  it('closes an end that is opened when the other one is gone', async () => {
    const scene = new Scene()
    const [near, far] = pair()
    scene.context().tell(control.FAILED, { ...far, hops: 1 })
    await scene.settled()
    await scene.open(near).cutOff(1_000)
  })

  it('keeps an end that has arrived, although word of it comes behind word of the loss of its wire', async ({
    expect,
  }) => {
    const scene = new Scene()
    const [near, far] = pair()
    const waiting = scene.open(near)
    const [sender, reader] = [scene.context(), scene.context()]
    sender.tell(control.SENT, { ...far, hops: 1 }, VIA)
    await scene.settled()
    sender.tell(control.LOST, { token: VIA, end: 0, hops: 0 })
    reader.tell(control.HELD, { ...far, hops: 1 })
    await scene.settled()
    expect(waiting.closed).toBe(false)
  })

  it('cuts off whoever opens a ticket a second time', async () => {
    const scene = new Scene()
    const [near] = pair()
    scene.open(near)
    await scene.settled()
    await scene.open(near).cutOff(1_000)
  })
})
