import { describe, expect, it } from 'vitest'
import type { HomeBoard } from '../src/board/board.js'
import { SharedBoard } from '../src/board/shared-board.js'
import { LiveObject } from '../src/link/wire-end.js'
import { itemOf } from '../src/queue/item.js'
import { Lease } from '../src/queue/lease.js'

function item(size = 8) {
  return itemOf(new Uint8Array(size), 0, size, undefined)
}

/** A lease on a board in memory, and the holder's side of that. */
function make(): { lease: Lease; holder: SharedBoard; send: (count: number) => void } {
  const board = new SharedBoard(new SharedArrayBuffer(SharedBoard.bytes), 0)
  const lease = new Lease()
  lease.board = board as HomeBoard
  const send = (count: number) => {
    lease.announce(count)
    for (let i = 0; i < count; i++) lease.add(item(), true)
  }
  return { lease, holder: board, send }
}

describe('what home knows of a holder', () => {
  it('needs as many items as calls wait, less those that are on their way', () => {
    const { lease, send } = make()
    lease.want(0, 3, 3, 0)
    expect(lease.need).toBe(3)
    send(2)
    expect(lease.need).toBe(1)
    // It says the same again, and has not seen them yet.
    lease.want(0, 3, 3, 0)
    expect(lease.need).toBe(1)
    lease.want(2, 1, 1, 0)
    expect(lease.need).toBe(1)
  })

  it('needs again what was taken back, once, and not what it was sent since', () => {
    const { lease, holder, send } = make()
    lease.want(0, 1, 1, 0)
    send(5)
    expect(lease.takeBack().items).toHaveLength(5)
    expect(lease.need).toBe(1)
    send(5)
    expect(lease.need).toBe(-4)
    // It has seen the void ones, and the others are still on their way.
    lease.want(5, 1, 1, 0)
    expect(lease.need).toBe(-4)
    expect(holder.claim(1)).toBe(false)
    expect(holder.claim(6)).toBe(true)
    expect(lease.look()).toBe(1)
    expect(lease.length).toBe(4)
    lease.want(8, 0, 0, 0)
    expect(lease.need).toBe(-2)
  })

  it('takes back what is not claimed, and tells what was', () => {
    const { lease, holder, send } = make()
    lease.want(0, 1, 1, 0)
    send(4)
    expect(lease.woken).toBe(false)
    holder.claim(1)
    holder.claim(2)
    const { items, claimed } = lease.takeBack()
    expect([items.length, claimed, lease.length]).toEqual([2, 2, 0])
    expect(lease.woken).toBe(true)
  })

  it('knows that a holder whose calls are all answered does not wait', () => {
    const { lease, holder, send } = make()
    lease.want(0, 1, 1, 0)
    send(1)
    holder.claim(1)
    lease.look()
    // Ahead of its asking.
    send(10)
    expect(lease.woken).toBe(true)
  })

  it('does not believe that a holder has seen what was never sent', () => {
    const { lease, send } = make()
    lease.want(1000, 1, 1, 0)
    expect(lease.need).toBe(1)
    send(1)
    expect(lease.need).toBe(0)
  })

  it('lets a holder have 64 KiB, and 1,024 items, ahead', () => {
    const { lease, holder, send } = make()
    for (let sent = 0; sent < 10_000; sent += 100) {
      send(100)
      for (let place = sent + 1; place <= sent + 100; place++) holder.claim(place)
      lease.look()
      lease.want(sent + 100, 0, 0, 0)
    }
    expect(lease.room(false)).toBe(1024)
    lease.announce(1)
    lease.add(item(64 * 1024 - 1), true)
    expect(lease.room(false)).toBe(1023)
    send(1)
    expect(lease.room(false)).toBe(0)
  })

  it('gets back from a holder without a board what this has not told of, but nothing that exists once', () => {
    const lease = new Lease()
    lease.want(0, 4, 4, 0)
    const items = Array.from({ length: 3 }, () => item())
    const single = itemOf(new Uint8Array(8), 0, 8, [new LiveObject(new ArrayBuffer(1))])
    for (const each of [...items, single]) lease.add(each, false)
    expect(lease.claimed(1)).toBe(1)
    expect(lease.claimed(1)).toBe(0)
    expect(lease.length).toBe(3)
    expect(lease.end()).toEqual(items.slice(1))
    expect(lease.length).toBe(0)
  })
})
