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

const { DONE, GRANTED, ITEM, RESERVE, WANT, WATCH } = protocol

function context(id: string): Context {
  return new Context({ id, name: id, pid: 1, daemon: false, path: [] }, null)
}

function make(maxsize = 0): { home: QueueHome; holder: () => RawHolder } {
  const home = new QueueHome(context('child'), transport, 'queue', maxsize)
  return { home, holder: () => RawHolder.joining(wire => home.admit(wire, transport)) }
}

function put(home: QueueHome, value: number): void {
  home.put(itemOf(Uint8Array.of(value), 0, 1, undefined))
}

/** Moves the queue to another context. Its holders follow, and say nothing by themselves. */
async function moved(home: QueueHome): Promise<{ home: QueueHome; estate: QueueEstate }> {
  const estates: QueueEstate[] = []
  let parcels: readonly Parcel[] = []
  await home.handOver(build => {
    const envelope = new Envelope(transport)
    estates.push(build(envelope) as QueueEstate)
    parcels = envelope.parcels ?? []
  })
  const parent = context('parent')
  const [estate] = estates as [QueueEstate]
  adopt(parent, transport, estate, index => parcels[index] as Parcel, new Map())
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
