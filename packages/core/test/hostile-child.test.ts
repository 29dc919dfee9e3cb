import { describe, expect, it } from 'vitest'
import { Context, type Home } from '../src/context/context.js'
import { Envelope, encodeMessage } from '../src/context/message-writer.js'
import { LocalWire } from '../src/link/local-wire.js'
import { CLOSE, FRAME, SPLICE, SPLICED, SPLICING } from '../src/link/protocol.js'
import { LiveObject } from '../src/link/wire-end.js'
import * as protocol from '../src/process/protocol.js'
import { SpawnedChild } from '../src/process/spawned-child.js'
import { ByteBuffer, writeU32 } from '../src/runtime/byte-buffer.js'
import type { Peer, PeerExit } from '../src/transport/transport.js'
import { RawHolder as RawChild, until } from './raw-holder.js'
import { stubTransport } from './stub-transport.js'
import { watchedEnd } from './watched-end.js'

const { ADOPT, ASK_PROGRAM, PROGRAM_GOES_ON, READY, RETURNED, START, THREW, UNLOADABLE } = protocol

const NONE = new Uint8Array(0)
const PID = 4321
const transport = stubTransport()

interface Family {
  readonly context: Context
  readonly child: SpawnedChild
  readonly raw: RawChild
  readonly killed: () => boolean
}

/** `full`: the child does not read. */
function makeFamily(full = false): Family & { exit: () => void } {
  const context = new Context({ id: 'main', name: 'main', pid: 1, daemon: false, path: [] }, null)
  const [ours, childs] = LocalWire.pair()
  let exit!: (how: PeerExit) => void
  const exited = new Promise<PeerExit>(resolve => {
    exit = resolve
  })
  let killed = false
  const send = ours.send.bind(ours)
  if (full) ours.send = (...frame) => send(...frame) && false
  const peer: Peer = {
    pid: PID,
    wire: ours,
    exited,
    kill() {
      killed = true
      childs.close()
      exit({ code: null, signal: 'SIGKILL' })
    },
  } as unknown as Peer
  const owner = { name: 'Process-1', daemon: true }
  const child = new SpawnedChild(owner, context, transport, peer, 'main.5', [])
  child.ready.catch(() => {})
  const raw = new RawChild(childs)
  const end = () => {
    raw.die()
    exit({ code: 0, signal: null })
  }
  return { context, child, raw, killed: () => killed, exit: end }
}

function encoded(value: unknown): Uint8Array {
  const out = new ByteBuffer(256)
  encodeMessage(value, out, new Envelope(transport), 'value')
  return out.bytes.slice(0, out.length)
}

function semaphore(id: unknown, more: object = {}): Uint8Array {
  return encoded({
    kind: 'semaphore',
    id,
    limit: 1,
    value: 1,
    abandoned: 0,
    nextGrant: 1,
    holders: [],
    grants: [],
    ...more,
  })
}

function queue(id: string, more: object = {}): Uint8Array {
  const state = { maxsize: 0, shutDown: 'no', unfinished: 0, holders: [], items: [], getters: [], putters: [] }
  return encoded({ kind: 'queue', id, ...state, ...more })
}

/** A message with a table that says that the end of a channel rides along, as the bytes of a frame. */
function offering(type: number, channels: readonly unknown[], body: Uint8Array = NONE): Uint8Array<ArrayBuffer> {
  const table = encoded(channels.map(channel => ({ channel })))
  const frame = new Uint8Array(5 + body.length + 8 + table.length)
  frame[0] = type | 0x80
  writeU32(frame, 1, body.length)
  frame.set(body, 5)
  writeU32(frame, 5 + body.length + 4, table.length)
  frame.set(table, 13 + body.length)
  return frame
}

/** What a child does, and whether it is killed for it. Otherwise it is answered, or ignored. */
interface Row {
  readonly does: string
  readonly act: (family: Family) => unknown
  readonly killed: boolean
}

function says(killed: boolean, type: number, body: Uint8Array = NONE): Pick<Row, 'act' | 'killed'> {
  return { act: ({ raw }) => raw.sayRaw(type, body), killed }
}

function offers(killed: boolean, type: number, channels: readonly unknown[]): Pick<Row, 'act' | 'killed'> {
  return { act: ({ raw }) => raw.sendFrame(offering(type, channels, encoded(1))), killed }
}

const rows: readonly Row[] = [
  // Its start and its result.
  { does: 'sends an order to start', ...says(true, START, encoded(1)) },
  { does: 'says whether the program goes on', ...says(true, PROGRAM_GOES_ON, Uint8Array.of(1, 0, 0, 0)) },
  { does: 'sends a message of a type that nobody knows', ...says(true, 63) },
  {
    does: 'says that it is another process',
    act: async ({ raw, child }) => {
      raw.say(READY, 1)
      await child.ready
      raw.say(READY, 99)
      raw.say(ASK_PROGRAM)
      await raw.hears(PROGRAM_GOES_ON)
      expect(child.pid).toBe(PID)
    },
    killed: false,
  },
  { does: 'is unloadable with what is no error', ...says(true, UNLOADABLE, Uint8Array.of(0xc1)) },
  {
    does: 'returns twice, each time with the end of a wire',
    act: async ({ raw }) => {
      const first = watchedEnd()
      raw.sayRaw(RETURNED, encoded(1), [first.end])
      raw.sayRaw(RETURNED, encoded(2), [watchedEnd().end])
      await until(first.closed)
    },
    killed: false,
  },
  { does: 'throws what cannot be read', ...says(false, THREW, Uint8Array.of(0xc1, 1, 2)) },
  {
    does: 'asks a thousand times whether the program goes on',
    act: async ({ raw }) => {
      for (let i = 0; i < 1000; i++) raw.say(ASK_PROGRAM)
      await raw.hears(PROGRAM_GOES_ON)
    },
    killed: false,
  },

  // What it leaves.
  { does: 'leaves nothing', ...says(true, ADOPT) },
  { does: 'leaves a number', ...says(true, ADOPT, encoded(7)) },
  { does: 'leaves null', ...says(true, ADOPT, encoded(null)) },
  { does: 'leaves an estate of an unknown kind', ...says(true, ADOPT, encoded({ kind: 'house', id: 'main.5.1' })) },
  { does: "leaves a queue of its parent's", ...says(true, ADOPT, queue('main.1')) },
  { does: "leaves a lock of its parent's", ...says(true, ADOPT, semaphore('main.1')) },
  { does: "leaves a lock of a sibling's", ...says(true, ADOPT, semaphore('main.50.1')) },
  {
    does: "leaves items for a queue of its parent's",
    ...says(true, ADOPT, encoded({ kind: 'items', id: 'main.1', items: [] })),
  },
  { does: 'leaves itself', ...says(true, ADOPT, semaphore('main.5')) },
  { does: 'leaves a lock whose name is a number', ...says(true, ADOPT, semaphore(5)) },
  { does: 'leaves a lock with a holder that is no end', ...says(true, ADOPT, semaphore('main.5.1', { holders: [3] })) },
  {
    does: 'leaves a queue with an item whose parcels did not come',
    ...says(true, ADOPT, queue('main.5.1', { items: [{ bytes: Uint8Array.of(1), parcels: [0] }] })),
  },
  { does: 'leaves a queue whose items are a number', ...says(true, ADOPT, queue('main.5.1', { items: 5 })) },
  { does: 'leaves a queue with a getter that is no holder', ...says(true, ADOPT, queue('main.5.1', { getters: [5] })) },
  {
    does: 'leaves a queue with a holder that is a live object',
    act: ({ raw }) => raw.sayRaw(ADOPT, queue('main.5.1', { holders: [0] }), [new LiveObject({})]),
    // A holder that cannot be reached counts as gone.
    killed: false,
  },

  // Channels.
  { does: "offers a channel that is its parent's to offer", ...offers(true, RETURNED, [2]) },
  { does: 'offers a channel twice', ...offers(true, RETURNED, [3, 3]) },
  { does: 'offers channel 1.5', ...offers(true, RETURNED, [1.5]) },
  { does: 'offers channel -1', ...offers(true, RETURNED, [-1]) },
  { does: 'offers channel 2 ** 40 + 1', ...offers(true, RETURNED, [2 ** 40 + 1]) },
  { does: 'sends over a channel that is not there', ...says(false, FRAME, Uint8Array.of(9, 0, 0, 0, 1, 2, 3)) },
  { does: 'closes a channel that is not there', ...says(false, CLOSE, Uint8Array.of(9, 0, 0, 0)) },
  { does: 'sends a frame without a channel', ...says(false, FRAME) },
  {
    does: 'closes a channel twice, and sends over it',
    act: ({ raw }) => {
      raw.sendFrame(offering(RETURNED, [1], encoded(1)))
      for (const type of [CLOSE, CLOSE, FRAME]) raw.say(type, 1)
    },
    killed: false,
  },
  { does: 'splices channels that are not there', ...says(false, SPLICED, Uint8Array.of(9, 0, 0, 0, 11, 0, 0, 0)) },
  {
    does: 'splices a channel with itself',
    act: async ({ raw }) => {
      raw.sendFrame(offering(RETURNED, [1], encoded(1)))
      raw.say(SPLICE, 1, 1)
      await raw.hears(SPLICING, 1, 1)
      raw.say(SPLICED, 1, 1)
      raw.say(FRAME, 1, 5)
    },
    killed: false,
  },
  {
    does: "answers a splice that was its parent's to answer",
    ...says(false, SPLICING, Uint8Array.of(1, 0, 0, 0, 3, 0, 0, 0)),
  },
]

describe('a child that', () => {
  it.each(rows)('$does', async ({ act, killed }) => {
    const family = makeFamily()
    const { context, child, raw } = family
    const own = { id: 'main.1', flush() {} } as unknown as Home
    context.homes.set('main.1', own)
    await act(family)
    if (killed) await until(family.killed)
    else {
      const asked = raw.heard.length
      raw.say(ASK_PROGRAM)
      await until(() => raw.heard.slice(asked).some(([type]) => type === PROGRAM_GOES_ON) || family.killed())
      expect(family.killed()).toBe(false)
      family.exit()
    }
    await child.exited
    expect(context.children.size).toBe(0)
    expect(context.links.size).toBe(0)
    // What its parent has is as it was, and nothing of the child's is there.
    expect([...context.homes]).toEqual([['main.1', own]])
    await child.over.catch(() => {})
    child.discard()
  })
})

it('a child that asks, and does not read the answers, is killed after 100,000', async () => {
  const { child, raw, killed } = makeFamily(true)
  raw.say(ASK_PROGRAM)
  await raw.hears(PROGRAM_GOES_ON)
  const frame = new Uint8Array(5 * 10_000)
  for (let at = 0; at < frame.length; at += 5) frame[at] = ASK_PROGRAM
  for (let i = 0; i < 12 && !killed(); i++) {
    raw.sendFrame(frame)
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(killed)
  await child.exited
})
