import { describe, expect, it } from 'vitest'
import type { HomeBoard } from '../src/board/board.js'
import { SharedBoard } from '../src/board/shared-board.js'
import { type Item, itemOf } from '../src/queue/item.js'
import { Lease } from '../src/queue/lease.js'
import { type Ask, type Consumer, Stock } from '../src/queue/stock.js'

interface SentItem {
  readonly value: number
  readonly place: number
}

/** A stock, and what its user is told. */
function make() {
  const sent = new Map<Consumer, SentItem[]>()
  const told = { taken: 0 }
  const stock = new Stock({
    fits: () => true,
    refuse() {},
    send(consumer, items) {
      const all = sent.get(consumer) ?? []
      for (const [i, { bytes }] of items.entries()) {
        all.push({ value: bytes[0] as number, place: consumer.lease.sent + 1 + i })
      }
      sent.set(consumer, all)
    },
    taken() {
      told.taken++
    },
  })
  return { stock, sent, told }
}

function item(value: number): Item {
  return itemOf(Uint8Array.of(value), 0, 1, undefined)
}

/** A consumer of which so many calls wait, and cannot give up. */
function consumer(waiting: number, board?: HomeBoard): Consumer {
  const lease = new Lease()
  lease.board = board
  lease.want(0, waiting, waiting, 0)
  return { lease, opening: false, asks: [] as Ask[] }
}

function valuesIn(stock: Stock): number[] {
  return [...stock.drain()].map(({ bytes }) => bytes[0] as number)
}

describe('a stock', () => {
  it('puts what a consumer gives back before what came later', () => {
    for (const places of [
      [1, 2],
      [2, 1],
    ]) {
      const { stock } = make()
      const one = consumer(2)
      stock.wanted(one)
      for (let value = 1; value <= 3; value++) stock.put(item(value))
      one.lease.want(2, 0, 0, 0)
      for (const place of places) stock.returned(one, place, item(place))
      expect(valuesIn(stock)).toEqual([1, 2, 3])
    }
  })

  it('puts what dead consumers had in its old place, and gives it to who waits', () => {
    const { stock } = make()
    const [first, second] = [consumer(1), consumer(1)]
    for (const each of [first, second]) stock.wanted(each)
    for (let value = 1; value <= 3; value++) stock.put(item(value))
    stock.end(second)
    stock.end(first)
    expect(valuesIn(stock)).toEqual([1, 2, 3])

    const third = consumer(1)
    stock.wanted(third)
    stock.put(item(4))
    const delivered: number[] = []
    stock.wait({ deliver: ({ bytes }) => void delivered.push(bytes[0] as number), refuse() {} })
    stock.end(third)
    expect(delivered).toEqual([4])
  })

  it('tells that slots may be free when a consumer dies that has claimed something', () => {
    const { stock, told } = make()
    const board = new SharedBoard(new SharedArrayBuffer(SharedBoard.bytes), 0)
    const one = consumer(1, board)
    stock.wanted(one)
    stock.put(item(1))
    board.claim(1)
    const { taken } = told
    stock.end(one)
    expect(told.taken).toBeGreaterThan(taken)
  })

  it('sees a claim that came just before it asked to be told of the next', () => {
    const { stock, told } = make()
    const board = new SharedBoard(new SharedArrayBuffer(SharedBoard.bytes), 0)
    const late: HomeBoard = {
      begun: 0,
      revoked: false,
      sent() {},
      takeBack: last => board.takeBack(last),
      resume() {},
      ask: () => void board.claim(1),
    }
    Object.defineProperty(late, 'begun', { get: () => board.begun })
    const one = consumer(1, late)
    stock.wanted(one)
    stock.put(item(1))
    expect(told.taken).toBe(0)
    stock.ask(true)
    expect(told.taken).toBe(1)
    expect(stock.size).toBe(0)
  })

  it('is told of every claim while somebody waits for a slot, and of none afterwards', () => {
    const { stock } = make()
    const board = new SharedBoard(new SharedArrayBuffer(SharedBoard.bytes), 0)
    const one = consumer(3, board)
    stock.wanted(one)
    stock.ask(true)
    for (let value = 1; value <= 3; value++) stock.put(item(value))
    const asked = new Set<number>()
    for (let place = 1; place <= 2; place++) {
      expect(board.claim(place)).toBe(true)
      asked.add(board.asked)
      stock.claimed(one, 0)
    }
    expect(asked.has(0)).toBe(false)
    expect(asked.size).toBe(2)
    stock.ask(false)
    expect(board.claim(3)).toBe(true)
    expect(board.asked).toBe(0)
  })

  it('gives nothing to a consumer that died while it waited', () => {
    const { stock, sent } = make()
    const [first, second] = [consumer(2), consumer(1)]
    for (const each of [first, second]) stock.wanted(each)
    stock.end(first)
    stock.put(item(1))
    stock.put(item(2))
    expect(sent.get(first)).toBeUndefined()
    expect(sent.get(second)?.map(({ value }) => value)).toEqual([1])
    expect(valuesIn(stock)).toEqual([2])
  })

  it('gives a consumer 1,024 places in line at most, whatever it says', () => {
    const { stock } = make()
    stock.wanted(consumer(0xffff_ffff))
    expect(stock.waiting.length).toBe(1024)
  })
})
