import { describe, expect, it } from 'vitest'
import { CANCEL } from '../src/broker/protocol.js'
import { Context } from '../src/context/context.js'
import { Envelope } from '../src/context/message-writer.js'
import type { Parcel } from '../src/link/wire-end.js'
import { adopt } from '../src/process/adopt.js'
import type { QueueEstate } from '../src/queue/handover.js'
import { QueueHome } from '../src/queue/home.js'
import { itemOf } from '../src/queue/item.js'
import * as protocol from '../src/queue/protocol.js'
import { RawHolder, transport, until } from './raw-holder.js'
import { stubTransport } from './stub-transport.js'

const { BOARD, DONE, GRANTED, ITEM, OPENED, RESERVE, WANT, WATCH } = protocol

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
