import { describe, expect, it } from 'vitest'
import { SharedBoard } from '../src/board/shared-board.js'
import { Hand } from '../src/queue/hand.js'

/** A hand with a board, and what it has told its home. */
function make() {
  const claims: number[] = []
  const hand = new Hand({ claimed: place => void claims.push(place), waitedFor() {}, revoked() {} })
  hand.use({ board: new SharedBoard(new SharedArrayBuffer(SharedBoard.bytes), 0), close() {} })
  const add = (place: number, onBoard: boolean) => {
    hand.add({ bytes: Uint8Array.of(place), start: 0, end: 1, parcels: undefined, place, onBoard })
  }
  const unwanted = () => hand.takeUnwanted().map(({ place }) => place)
  return { hand, claims, add, unwanted }
}

describe('the items that a context has before its calls', () => {
  it('gives back what home cannot take back, also behind what it can', () => {
    const { hand, claims, add, unwanted } = make()
    add(1, true)
    add(2, false)
    add(3, true)
    add(4, false)
    expect(unwanted()).toEqual([2, 4])
    expect(claims).toEqual([])
    expect([hand.take()?.place, hand.take()?.place, hand.take()]).toEqual([1, 3, undefined])
  })

  it('has nothing to give back of what was taken, or cleared', () => {
    const { hand, claims, add, unwanted } = make()
    add(1, false)
    expect(hand.take()?.place).toBe(1)
    expect(claims).toEqual([1])
    expect(unwanted()).toEqual([])
    add(2, false)
    hand.clear()
    expect(unwanted()).toEqual([])
    add(3, false)
    expect(unwanted()).toEqual([3])
  })
})
