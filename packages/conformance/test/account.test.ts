import { describe, expect, test } from 'vitest'
import { type ConsumerHistory, type QueueHistory, settle } from '../src/soak/account.js'

const producer = { resolved: 6, flushed: 3, killed: false }

function consumer(name: string, numbers: readonly number[], more: Partial<ConsumerHistory> = {}): ConsumerHistory {
  const taken = numbers.map(sequence => ({ producer: 0, sequence }))
  return { name, taken, abreast: 1, firm: true, killed: false, ...more }
}

function violations(consumers: readonly ConsumerHistory[], more: Partial<QueueHistory> = {}): readonly string[] {
  return settle({ producers: [producer], consumers, native: false, homeKilled: false, ...more }).violations
}

describe('the account of a queue', () => {
  test('all items once and in order', () => {
    const { items, inHand, late, violations } = settle({
      producers: [producer],
      consumers: [consumer('a', [0, 2, 5]), consumer('b', [1, 3, 4])],
      native: false,
      homeKilled: false,
    })
    expect({ items, inHand, late, violations }).toEqual({ items: 6, inHand: 0, late: 0, violations: [] })
  })

  test('an item that is lost, in the middle or at the end', () => {
    expect(violations([consumer('a', [0, 1, 2, 4, 5])])).toEqual(['1 items are lost, allowed 0: 0:3'])
    expect(violations([consumer('a', [0, 1, 2, 3, 4])])).toEqual(['1 items are lost, allowed 0: 0:5'])
  })

  test('a consumer that was killed takes one item for each of its calls', () => {
    const rest = consumer('b', [2, 3, 4, 5])
    expect(violations([consumer('a', [0], { killed: true }), rest])).toEqual([])
    expect(violations([consumer('a', [], { killed: true }), rest])).toEqual(['2 items are lost, allowed 1: 0:0 0:1'])
    expect(violations([consumer('a', [], { killed: true, abreast: 2 }), rest])).toEqual([])
  })

  test('a producer that was killed delivers what it flushed, and then a beginning of the rest', () => {
    const killed = [{ ...producer, killed: true }]
    expect(violations([consumer('a', [0, 1, 2])], { producers: killed })).toEqual([])
    expect(violations([consumer('a', [0, 1])], { producers: killed })).toEqual(['1 items are lost, allowed 0: 0:2'])
    expect(violations([consumer('a', [0, 1, 2, 4])], { producers: killed })).toEqual([
      '1 items are lost, allowed 0: 0:3',
    ])
    expect(violations([consumer('a', [0, 1, 2])], { producers: killed, native: true })).toHaveLength(1)
  })

  test('an item that is given twice, or of no producer', () => {
    expect(violations([consumer('a', [0, 1, 2]), consumer('b', [2, 3, 4, 5])])).toEqual([
      'item 0:2 was given to a and to b',
    ])
    const stray = { ...consumer('a', [0, 1, 2, 3, 4, 5]), taken: [{ producer: 7, sequence: 0 }] }
    expect(violations([stray, consumer('b', [0, 1, 2, 3, 4, 5])])).toEqual(['a was given an item of no producer, 7'])
  })

  test('an item that comes late is allowed once for each call that could not give up and ended', () => {
    const after = consumer('b', [1, 0, 2, 3, 4, 5], { firm: false })
    expect(violations([consumer('a', []), after])).toEqual([])
    expect(violations([consumer('a', [], { firm: false }), after])).toHaveLength(1)
    expect(violations([consumer('a', []), after], { native: true })).toHaveLength(1)
    expect(violations([consumer('a', []), consumer('b', [2, 0, 1, 3, 4, 5], { firm: false })])).toHaveLength(1)
  })

  test('nothing must arrive when the home was killed, but nothing may come twice', () => {
    expect(violations([consumer('a', [0, 1])], { homeKilled: true })).toEqual([])
    expect(violations([consumer('a', [0, 1]), consumer('b', [1])], { homeKilled: true })).toHaveLength(1)
  })
})
