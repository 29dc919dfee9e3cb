import { describe, expect, test } from 'vitest'
import { Money } from '../src/values/registered.js'
import { assertSame } from '../src/values/same.js'
import { valueTable } from '../src/values/table.js'

const shared = {}
const buffer = new ArrayBuffer(8)
const cycle = () => {
  const object: { self?: unknown } = {}
  object.self = object
  return object
}
class Mine {}

/** Pairs of values that a wrong comparison could find equal. */
const different: [what: string, actual: unknown, expected: unknown][] = [
  ['zeros', 0, -0],
  ['a number and its text', 1, '1'],
  ['null and undefined', null, undefined],
  // biome-ignore lint/suspicious/noSparseArray: it is about holes
  ['a hole and undefined', [,], [undefined]],
  ['absent and undefined', {}, { a: undefined }],
  ['the order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }],
  ['an object without prototype', Object.create(null), {}],
  ['an instance and its fields', {}, new Mine()],
  ['an array and an object with its keys', ['a'], { 0: 'a' }],
  ['the length of an array of holes', new Array(2), new Array(3)],
  ['one object, where there were two', [shared, shared], [{}, {}]],
  ['two objects, where there was one', [{}, {}], [shared, shared]],
  ['a cycle that was unrolled', { self: cycle() }, cycle()],
  ['dates', new Date(1), new Date(2)],
  ['flags', /a/g, /a/i],
  ['a boxed number', Object(1), 1],
  ['boxed numbers', Object(1), Object(2)],
  [
    'the order of a map',
    new Map([
      [1, 1],
      [2, 2],
    ]),
    new Map([
      [2, 2],
      [1, 1],
    ]),
  ],
  ['the size of a set', new Set([1]), new Set([1, 2])],
  ['bytes', new Uint8Array([1]), new Uint8Array([2])],
  ['kinds of views', new Uint8Array(4), new Int8Array(4)],
  [
    'views that shared their buffer',
    [new Uint8Array(8), new Uint8Array(8)],
    [new Uint8Array(buffer), new Uint8Array(buffer)],
  ],
  [
    'the place of a view in its buffer',
    [buffer, new Uint8Array(buffer, 4)],
    [buffer.slice(0), new Uint8Array(buffer, 0, 4)],
  ],
  ['messages', new Error('a'), new Error('b')],
  ['classes of errors', new TypeError('a'), new RangeError('a')],
  ['a cause', new Error('a'), new Error('a', { cause: undefined })],
  ['what fields do not show', new Money(1n), new Money(2n)],
]

describe('assertSame', () => {
  test.each(different)('tells %s apart', (_, actual, expected) => {
    expect(() => assertSame(actual, expected)).toThrow()
  })

  test('takes each value for itself', () => {
    for (const value of valueTable().values()) assertSame(value, value)
  })

  test('takes equal values for the same', () => {
    assertSame([cycle(), new Set([shared]), new Map([[1, [2]]])], [cycle(), new Set([{}]), new Map([[1, [2]]])])
    assertSame(new Uint8Array(buffer, 2, 2), new Uint8Array(2))
  })
})
