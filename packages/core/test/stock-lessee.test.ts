import { describe, expect, it } from 'vitest'
import type { HomeBoard } from '../src/board/board.js'
import { SharedBoard } from '../src/board/shared-board.js'
import { type Item, itemOf } from '../src/queue/item.js'
import { Lease } from '../src/queue/lease.js'
import { type Consumer, Stock } from '../src/queue/stock.js'

/** A consumer whose calls may give up, and its side of the board. */
function makeConsumer(): Consumer & { readonly holder: SharedBoard } {
  const board = new SharedBoard(new SharedArrayBuffer(SharedBoard.bytes), 0)
  const lease = new Lease()
  lease.board = board as HomeBoard
  return { lease, opening: false, asks: [], holder: board }
}

function make() {
  /** What is done when items have been taken, once: as if a put had waited for a slot. */
  let then: (() => void) | undefined
  const stock = new Stock({
    fits: () => true,
    refuse: () => {},
    send: () => {},
    taken: () => {
      const next = then
      then = undefined
      next?.()
    },
  })
  const items = Array.from({ length: 4 }, (_, index) => itemOf(Uint8Array.of(index), 0, 1, undefined))
  const put = (...numbers: number[]) => {
    for (const number of numbers) stock.put(items[number] as Item)
  }
  const want = (consumer: Consumer) => {
    consumer.lease.want(consumer.lease.sent, 1, 0, 0)
    stock.wanted(consumer)
  }
  return {
    stock,
    put,
    want,
    take: () => stock.take(true)?.bytes[0],
    whenTaken: (next: () => void) => {
      then = next
    },
  }
}

/** The first of two consumers has claimed one item, and has more. */
function makeLessee() {
  const { stock, put, want } = make()
  const [first, second] = [makeConsumer(), makeConsumer()]
  want(first)
  put(0)
  expect(first.holder.claim(1)).toBe(true)
  want(first)
  put(1, 2, 3)
  return { stock, want, first, second }
}

describe('a stock with a lessee', () => {
  it('gives nobody anything while there is a lessee, also if that is one since a moment', () => {
    const { stock, put, want, take, whenTaken } = make()
    const [first, second] = [makeConsumer(), makeConsumer()]
    want(first)
    put(0, 1, 2)
    want(second)
    expect(first.lease.length).toBe(1)
    expect(first.holder.claim(1)).toBe(true)
    // A put that waited is let in, and serves the second one, when home sees the claim.
    whenTaken(() => put(3))
    expect(take()).toBe(1)
    stock.end(second)
    expect([take(), take(), take()]).toEqual([2, 3, undefined])
    stock.end(first)
  })

  it('serves who waits at once when the lessee has said that it takes nothing, whoever comes first', () => {
    for (const saidFirst of [true, false]) {
      const { stock, want, first, second } = makeLessee()
      if (saidFirst) stock.idle(first)
      want(second)
      if (!saidFirst) {
        expect(second.lease.length).toBe(0)
        stock.idle(first)
      }
      expect(second.lease.length).toBeGreaterThan(0)
      expect(first.holder.claim(2)).toBe(false)
      stock.end(first)
      stock.end(second)
    }
  })

  it('leaves a lessee what it has that has claimed something since it said that it takes nothing', () => {
    const { stock, want, first, second } = makeLessee()
    stock.idle(first)
    expect(first.holder.claim(2)).toBe(true)
    want(second)
    expect(second.lease.length).toBe(0)
    expect(first.holder.claim(3)).toBe(true)
    stock.end(first)
    stock.end(second)
  })

  it('counts what came in while it counted', () => {
    const { stock, put, want, whenTaken } = make()
    const consumer = makeConsumer()
    want(consumer)
    put(0, 1)
    expect(stock.size).toBe(2)
    expect(consumer.holder.claim(1)).toBe(true)
    whenTaken(() => put(2))
    expect(stock.size).toBe(2)
    stock.end(consumer)
  })
})
