import { describe, expect, it } from 'vitest'
import { CANCEL } from '../src/broker/protocol.js'
import { Context } from '../src/context/context.js'
import { Envelope } from '../src/context/message-writer.js'
import { LocalWire } from '../src/link/local-wire.js'
import type { Parcel } from '../src/link/wire-end.js'
import { adopt } from '../src/process/adopt.js'
import type { QueueEstate } from '../src/queue/handover.js'
import { QueueHome } from '../src/queue/home.js'
import { itemOf } from '../src/queue/item.js'
import { LocalQueue } from '../src/queue/local.js'
import * as protocol from '../src/queue/protocol.js'
import { RemoteQueue } from '../src/queue/remote.js'
import { RawHolder, transport, until } from './raw-holder.js'
import { stubTransport } from './stub-transport.js'

const { BOARD, CLAIMED, DONE, GRANTED, ITEM, OPENED, REFUSED, RESERVE, WANT, WATCH } = protocol

/** Of contexts that have boards in files. */
const processes = stubTransport()

function context(id: string): Context {
  return new Context({ id, name: id, pid: 1, daemon: false, path: [] }, null)
}

function make(maxsize = 0, over = transport): { home: QueueHome; holder: () => RawHolder } {
  const home = new QueueHome(context('child'), over, 'queue', maxsize)
  return { home, holder: () => RawHolder.joining(wire => home.admit(wire, over)) }
}

function put(home: QueueHome, value: number): void {
  home.put(itemOf(Uint8Array.of(value), 0, 1, undefined))
}

/** Moves the queue to another context. Its holders follow, and say nothing by themselves. */
async function moved(home: QueueHome, over = transport): Promise<{ home: QueueHome; estate: QueueEstate }> {
  const estates: QueueEstate[] = []
  let parcels: readonly Parcel[] = []
  await home.handOver(build => {
    const envelope = new Envelope(over)
    estates.push(build(envelope) as QueueEstate)
    parcels = envelope.parcels ?? []
  })
  const parent = context('parent')
  const [estate] = estates as [QueueEstate]
  adopt(parent, over, estate, index => parcels[index] as Parcel, new Map())
  return { home: parent.homes.get('queue') as QueueHome, estate }
}

describe('a queue that moves', () => {
  it('keeps the places of getters in line', async () => {
    const { home, holder } = make()
    const all = [holder(), holder()] as const
    for (const each of all) {
      each.say(WANT, 0, 1, 1, 0)
      each.say(WATCH, 8, 1)
      // Home has read both.
      await until(() => each.heard.length > 0)
    }
    const { home: next } = await moved(home)
    put(next, 5)
    put(next, 6)
    for (const each of all) await each.hears(ITEM, 1)
  })

  describe('with getters in line that have not opened their boards at the new home', () => {
    async function makeLine() {
      const { home, holder } = make(0, processes)
      const all = [holder(), holder()] as const
      for (const each of all) {
        each.say(WANT, 0, 1, 1, 0)
        await each.hears(BOARD)
        each.say(OPENED, 0)
        each.say(WATCH, 8, 1)
        // Home has read everything.
        await until(() => each.heard.length > 1)
        each.heard.length = 0
        each.bodies.length = 0
      }
      const { home: next } = await moved(home, processes)
      for (const each of all) await each.hears(BOARD)
      put(next, 5)
      put(next, 6)
      return all
    }

    /** The item that comes, without the place before it. */
    async function itemAt(holder: RawHolder): Promise<number | undefined> {
      await holder.hears(ITEM)
      return holder.bodies.at(-1)?.[4]
    }

    it('keeps their places, whoever opens its board first', async () => {
      const [first, second] = await makeLine()
      second.say(OPENED, 0)
      second.say(WATCH, 9, 1)
      // Home has read that.
      await until(() => second.heard.length > 1)
      first.say(OPENED, 0)
      expect([await itemAt(first), await itemAt(second)]).toEqual([5, 6])
    })

    it('serves the others when one is gone', async () => {
      const [first, second] = await makeLine()
      second.say(OPENED, 0)
      first.die()
      expect(await itemAt(second)).toBe(5)
    })

    it('serves the others when one does not answer', async () => {
      const [, second] = await makeLine()
      second.say(OPENED, 0)
      expect(await itemAt(second)).toBe(5)
    })
  })

  it('keeps the places of putters in line, but for those that gave up', async () => {
    const { home, holder } = make(1)
    put(home, 5)
    const [first, second, third] = [holder(), holder(), holder()] as const
    for (const [call, each] of [first, second, third].entries()) {
      each.say(RESERVE, call, 0)
      if (each === first) each.say(CANCEL, call)
      each.say(WATCH, 8, 0)
      await each.hears(DONE, 8)
    }
    const { home: next, estate } = await moved(home)
    expect(estate.putters.length).toBe(4)
    expect(next.take(true)?.bytes[0]).toBe(5)
    await second.hears(GRANTED, 1)
    expect([first, third].some(each => each.has(GRANTED))).toBe(false)
  })

  it('grants no slot to a holder that follows it: later puts would overtake the one that does not hear of it', async () => {
    const { home, holder } = make(1)
    put(home, 5)
    const [getter, putter] = [holder(), holder()] as const
    getter.say(WANT, 0, 1, 1, 0)
    await getter.hears(ITEM, 1)
    for (const call of [1, 2]) putter.say(RESERVE, call, 0)
    putter.say(WATCH, 8, 1)
    await putter.hears(REFUSED, 8)
    const moving = moved(home)
    // The item is claimed, so its slot is free.
    getter.say(CLAIMED, 1)
    getter.cut()
    const { estate } = await moving
    expect(estate.putters).toEqual([1, 1, 1, 2])
    await putter.hears(GRANTED, 1)
  })

  it('still knows how many items are not dealt with', async () => {
    const { home } = make()
    put(home, 5)
    put(home, 6)
    home.take(true)
    home.share()
    const { home: next } = await moved(home)
    let dealt = false
    next.watchTasks({
      ready() {
        dealt = true
      },
    })
    expect(next.taskDone()).toBe(true)
    expect(dealt).toBe(false)
    expect(next.taskDone()).toBe(true)
    expect(dealt).toBe(true)
    expect(next.taskDone()).toBe(false)
  })

  it('stays shut down', async () => {
    const { home } = make()
    put(home, 5)
    home.share()
    home.shutDown(false)
    const { home: next } = await moved(home)
    expect([next.isShutDown, next.exhausted]).toEqual([true, false])
    next.take(true)
    expect(next.exhausted).toBe(true)
  })
})

it('gives back to a queue that moves what it keeps for a call that has not been answered', async () => {
  const { home } = make()
  const local = new LocalQueue(home, context('child'), transport)
  const [mine, homes] = LocalWire.pair()
  home.admit(homes, transport)
  const queue = new RemoteQueue(
    context('holder'),
    transport,
    { id: 'queue', maxsize: 0, shutDown: false, end: 0 },
    mine,
  )
  queue.use()
  const controller = new AbortController()
  const given = queue.get({ signal: controller.signal }, false, () => {})
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  // Home sends the item, and then word of the move. Neither has come when the call gives up, and another one asks.
  await local.put('item', undefined, false, () => {})
  const moving = moved(home)
  controller.abort('enough')
  await expect(given).rejects.toBe('enough')
  const next = queue.get(undefined, true, () => {})
  await moving
  expect(await next).toBe('item')
})

describe('a holder whose wire asks it to wait when the queue moves', () => {
  const SLOTS = 64

  /** A bounded queue, used from elsewhere. `fill` lets the wire ask to wait from then on. */
  function use() {
    const { home } = make(SLOTS)
    const [mine, homes] = LocalWire.pair()
    home.admit(homes, transport)
    let full = false
    const send = mine.send.bind(mine)
    mine.send = (bytes, beside) => send(bytes, beside) && !full
    const queue = new RemoteQueue(
      context('holder'),
      transport,
      { id: 'queue', maxsize: SLOTS, shutDown: false, end: 0 },
      mine,
    )
    const fill = () => {
      full = true
    }
    return { home, queue: queue.use(), fill }
  }

  const puts = (queue: RemoteQueue, items: readonly unknown[]) =>
    Promise.all(items.map(item => queue.put(item, undefined, false, () => {})))

  /** Home grants slots ahead from then on: several at a time. */
  async function growGrants(queue: RemoteQueue): Promise<number> {
    let count = 0
    for (let round = 1; round <= 4; round++) {
      for (let i = 0; i < round; i++, count++) await puts(queue, ['x'])
      await new Promise(resolve => setImmediate(resolve))
    }
    return count
  }

  // The last of the large ones waits behind a batch. Behind a single one waits what gives the slots back.
  it.each([5, 1])('loses nothing of what fills slots, or gives them back (%i large items)', async large => {
    const { home, queue, fill } = use()
    const before = await growGrants(queue)
    await puts(queue, ['x'])
    fill()
    const more = puts(queue, [...Array.from({ length: large }, () => 'x'.repeat(70_000)), 'y', 'z'])
    const { home: next } = await moved(home)
    await more
    await until(() => next.size === before + 1 + large + 2)
    expect(next.full).toBe(false)
    // Every slot that is left can be filled.
    await puts(
      queue,
      Array.from({ length: SLOTS - next.size }, () => 'x'),
    )
    await expect(queue.put('x', undefined, true, () => {})).rejects.toMatchObject({ code: 'MP_FULL' })
  })
})
