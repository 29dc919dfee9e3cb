import { describe, expect, it } from 'vitest'
import { Context } from '../src/context/context.js'
import { QueueHome } from '../src/queue/home.js'
import { type Item, itemOf } from '../src/queue/item.js'
import * as protocol from '../src/queue/protocol.js'
import { RawHolder, transport, until } from './raw-holder.js'

const { CLAIMED, DONE, EXHAUSTED, FILL, GRANTED, ITEM, PUT, REFUSED, RESERVE, UNGET, UNRESERVE, WANT, WATCH } = protocol

function make(maxsize = 0): { home: QueueHome; holder: () => RawHolder } {
  const identity = { id: 'home', name: 'home', pid: 1, daemon: false, path: [] }
  const home = new QueueHome(new Context(identity, null), transport, 'queue', maxsize)
  return { home, holder: () => RawHolder.joining(wire => home.admit(wire, transport)) }
}

function item(value: number): Item {
  return itemOf(Uint8Array.of(value), 0, 1, undefined)
}

/** Says that one call waits, which cannot give up, and that so many places have come. */
function want(holder: RawHolder, seen = 0): void {
  holder.say(WANT, seen, 1, 1, 0)
}

describe('the home of a queue that was shut down', () => {
  it('refuses a slot', async () => {
    const { home, holder } = make(1)
    const producer = holder()
    home.shutDown(false)
    producer.say(RESERVE, 7, 0)
    await producer.hears(REFUSED, 7, protocol.REASON_SHUT_DOWN)
  })

  it('lets its getters wait for what fills a slot that was granted before', async () => {
    const { home, holder } = make(1)
    const [producer, consumer] = [holder(), holder()]
    producer.say(RESERVE, 7, 0)
    await producer.hears(GRANTED, 7)
    want(consumer)
    home.shutDown(false)
    producer.sayItem(FILL, 5)
    await consumer.hears(ITEM, 1)
    expect(consumer.has(EXHAUSTED)).toBe(false)
    // Now nothing will come any more.
    want(consumer, 1)
    consumer.say(CLAIMED, 1)
    await consumer.hears(EXHAUSTED)
  })

  it.each([
    ['comes back', (producer: RawHolder) => producer.say(UNRESERVE, 1)],
    ['is filled with an item, which is dropped', (producer: RawHolder) => producer.sayItem(FILL, 5)],
    ['is lost with its holder', (producer: RawHolder) => producer.die()],
  ])('refuses its getters, and wakes its watchers, when the last slot %s', async (_, act) => {
    const { home, holder } = make(1)
    const [producer, consumer, watcher] = [holder(), holder(), holder()]
    producer.say(RESERVE, 7, 0)
    await producer.hears(GRANTED, 7)
    want(consumer)
    watcher.say(WATCH, 8, 0)
    home.shutDown(true)
    act(producer)
    await consumer.hears(EXHAUSTED)
    await watcher.hears(DONE, 8)
    expect(home.size).toBe(0)
  })

  it('refuses a getter behind one that got the last item, which came back', async () => {
    const { home, holder } = make()
    const [first, second] = [holder(), holder()]
    want(first)
    home.put(item(5))
    await first.hears(ITEM, 1)
    const delivered: number[] = []
    home.waitForItem({ deliver: ({ bytes }) => void delivered.push(bytes[0] as number), refuse() {} })
    want(second)
    second.say(WATCH, 8, 1)
    await second.hears(REFUSED, 8, protocol.REASON_WAIT)
    home.shutDown(false)
    first.die()
    await second.hears(EXHAUSTED)
    expect(delivered).toEqual([5])
  })

  it('takes in nothing more after an immediate shutdown, also when another one follows', async () => {
    const { home, holder } = make()
    const [producer, watcher] = [holder(), holder()]
    home.shutDown(true)
    home.shutDown(false)
    producer.sayItem(PUT, 5)
    // Home reads this after it.
    producer.say(WATCH, 8, 0)
    await producer.hears(DONE, 8)
    expect(home.size).toBe(0)
    watcher.die()
  })
})

describe('a watcher', () => {
  it.each([
    [
      'is given back',
      (consumer: RawHolder) => {
        consumer.say(WANT, 1, 0, 0, 0)
        consumer.sayItem(UNGET, 5, 1)
      },
    ],
    ['was not claimed by a consumer that died', (consumer: RawHolder) => consumer.die()],
  ])('hears of an item that %s', async (_, act) => {
    const { home, holder } = make()
    const [consumer, watcher] = [holder(), holder()]
    want(consumer)
    home.put(item(5))
    await consumer.hears(ITEM, 1)
    watcher.say(WATCH, 8, 0)
    await new Promise(resolve => setImmediate(resolve))
    expect(watcher.has(DONE)).toBe(false)
    act(consumer)
    await watcher.hears(DONE, 8)
    expect(home.size).toBe(1)
  })
})

it('a holder that puts beyond the bound is cut off', async () => {
  const { home, holder } = make(1)
  const producer = holder()
  producer.sayItem(PUT, 5)
  await until(() => producer.end !== undefined)
  expect(home.size).toBe(0)
})
