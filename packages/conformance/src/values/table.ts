import { MpError } from '@mp/core'
import { Money, Point, ShortageError } from './registered.js'

/**
 * Values that arrive as they are, by name. Each call makes new objects. `generated.ts` makes further values of these.
 */
export function valueTable(): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ...primitives(),
    ...containers(),
    ...binary(),
    ...errors(),
    ...registered(),
    ...graphs(),
  ])
}

function primitives(): [string, unknown][] {
  const values: unknown[] = [
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1.5,
    -1,
    127,
    128,
    -129,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 32,
    2 ** 53,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0n,
    -1n,
    2n ** 64n,
    -(2n ** 200n),
    '',
    'text',
    'äß漢字😀',
    '\u0000\n',
    '__proto__',
  ]
  return [
    ...values.map((value): [string, unknown] => [
      typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'undefined'),
      value,
    ]),
    ['-0', -0],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a lone surrogate', '\ud800 lone'],
    ['a byte order mark', '\ufeffmarked'],
    ['a string of 70,000', 'x'.repeat(70_000)],
    ['a string of 70,000 beyond ASCII', 'ß'.repeat(70_000)],
  ]
}

function containers(): [string, unknown][] {
  return [
    ['an empty array', []],
    ['arrays in arrays', [undefined, null, [[]]]],
    // biome-ignore lint/suspicious/noSparseArray: holes arrive as holes
    ['a hole', [1, , 3]],
    ['an array of holes', new Array(5)],
    ['an empty object', {}],
    ['undefined properties', { a: undefined, b: { c: [{}] } }],
    ['keys of many kinds', { '': 1, '0': 2, 'with space': 3, constructor: 4, toString: 5, length: 6, toJSON: 7 }],
    ['a key that is no well-formed string', { '\udc00': 1 }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['the first date', new Date(0)],
    ['a date', new Date(1_700_000_000_123)],
    ['an invalid date', new Date(Number.NaN)],
    ['a regular expression', /a+(?<name>b)/giu],
    [
      'a map',
      new Map<unknown, unknown>([
        [{ key: 1 }, new Map([[1, 2]])],
        [Number.NaN, undefined],
      ]),
    ],
    ['a set', new Set<unknown>([1, 'a', new Set([null]), Number.NaN])],
    ['a boxed number', Object(5)],
    ['a boxed string', Object('boxed')],
    ['a boxed boolean', Object(false)],
    ['a boxed bigint', Object(5n)],
  ]
}

function binary(): [string, unknown][] {
  const views: ArrayBufferView[] = [
    new Uint8Array([0, 255]),
    new Uint8ClampedArray([1]),
    new Int8Array([-1]),
    new Int16Array([-300]),
    new Uint16Array([300]),
    new Int32Array([-70_000]),
    new Uint32Array([2 ** 32 - 1]),
    new Float32Array([0.5, -0, Number.NaN]),
    new Float64Array([Math.PI]),
    new BigInt64Array([-5n]),
    new BigUint64Array([5n]),
    new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
  ]
  return [
    ...views.map((view): [string, unknown] => [`a ${view.constructor.name}`, view]),
    ['an empty view', new Uint32Array(0)],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3, 4]).buffer],
    ['an empty ArrayBuffer', new ArrayBuffer(0)],
    ['20 KB', new Uint8Array(20_000).map((_, index) => index)],
    ['a part of 20 KB', new Float64Array(new ArrayBuffer(20_000), 8, 3)],
  ]
}

function errors(): [string, unknown][] {
  const renamed = new Error('renamed')
  renamed.name = 'Renamed'
  return [
    ['an Error', new Error('plain')],
    ['an error with a cause', new TypeError('outer', { cause: new RangeError('inner', { cause: 'a string' }) })],
    ['an error with fields', Object.assign(new SyntaxError('with fields'), { code: 'E_FIELDS', detail: { at: [7] } })],
    ['an AggregateError', new AggregateError([new TypeError('one'), new EvalError('two'), 3], 'several')],
    ['an error without message', new URIError()],
    ['a ReferenceError', new ReferenceError('which')],
    ['a renamed error', renamed],
    ['an error that is its own cause', ownCause()],
    ['an MpError', new MpError('MP_FULL', 'of our own', { cause: new MpError('MP_EMPTY', 'inner') })],
  ]
}

function ownCause(): Error {
  const error = new Error('circular')
  error.cause = error
  return error
}

function registered(): [string, unknown][] {
  const point = new Point(1, -0)
  return [
    ['a registered class', point],
    ['a registered class, twice', [point, point, new Point(2, 3)]],
    ['a registered class with an encoding', new Money(-(2n ** 70n))],
    ['a registered class of errors', new ShortageError('sold out', ['tea', 'milk'])],
  ]
}

function graphs(): [string, unknown][] {
  const shared = { shared: true }
  const cycle: Record<string, unknown> & { list: unknown[] } = {
    list: [shared, shared],
    map: new Map(),
    set: new Set(),
  }
  cycle.self = cycle
  cycle.list.push(cycle.list)
  ;(cycle.map as Map<unknown, unknown>).set(cycle.map, shared)
  ;(cycle.set as Set<unknown>).add(cycle)
  const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer
  let deep: unknown = 'leaf'
  for (let i = 0; i < 500; i++) deep = i % 2 ? { deep } : [deep]
  return [
    ['cycles and shared references', cycle],
    ['views of one buffer', { buffer, views: [new Uint8Array(buffer, 2, 4), new Float64Array(buffer)] }],
    ['overlapping views without their buffer', [new Uint8Array(buffer, 1, 3), new Uint8Array(buffer, 2, 4)]],
    ['500 deep', deep],
  ]
}
