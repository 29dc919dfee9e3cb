import { createSecretKey } from 'node:crypto'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isTransferred } from '../src/codec/live-object.js'
import { registerType } from '../src/codec/registered-type.js'
import { MpError } from '../src/errors.js'
import { Note, Parcel, thrownBy, trip } from './codec-parcel.js'

const lone = '\ud800'
const mark = '\ufeff'

function nested(depth: number): unknown {
  let value: unknown = 'leaf'
  for (let i = 0; i < depth; i++) value = i % 2 ? { deep: value } : [value]
  return value
}

const atoms: [name: string, value: unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['-0', -0],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ...[
    0,
    1,
    -1,
    31,
    63,
    64,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    1e300,
  ]
    .flatMap(n => [n, -n - 1, n + 0.5])
    .map((n): [string, unknown] => [String(n), n]),
  ['Number.MIN_VALUE', Number.MIN_VALUE],
  ...[0n, 1n, -1n, 255n, -(2n ** 63n), 2n ** 64n, -(2n ** 200n), 10n ** 400n].map((n): [string, unknown] => [
    `${n}n`,
    n,
  ]),
  ...[
    '',
    'a',
    'é',
    '漢字',
    '😀',
    'x'.repeat(31),
    'x'.repeat(32),
    'é'.repeat(200),
    'x'.repeat(70_000),
    '\0',
    '__proto__',
  ].map((s): [string, unknown] => [`a string of ${s.length}: ${s.slice(0, 9)}`, s]),
  ['a lone surrogate', lone],
  ['lone surrogates within', `a${lone}b\udc00${'c'.repeat(100)}`],
  ['a byte order mark', mark],
  ['a long string with a byte order mark', mark + 'x'.repeat(100)],
]

const objects: [name: string, value: unknown][] = [
  ['an empty object', {}],
  ['an empty array', []],
  ['a plain object', { id: 1, name: 'hello', v: [1, 2, 3] }],
  ['undefined properties', { a: undefined, b: [undefined] }],
  [
    'keys of many kinds',
    { '': 1, 1: 2, 'a b': 3, constructor: 4, prototype: 5, toString: 6, hasOwnProperty: 7, toJSON: 8 },
  ],
  ['odd keys', { [lone]: 1, [mark + 'x'.repeat(100)]: 2, ['é'.repeat(300)]: 3 }],
  ['a null prototype', Object.assign(Object.create(null), { a: 1 })],
  ['a wide object', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
  ...[15, 16, 17].map((count): [string, unknown] => [
    `${count} keys, and objects within`,
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, { i, text: 'x'.repeat(i * 10) }])),
  ]),
  ['a long array', Array.from({ length: 70_000 }, (_, i) => i)],
  ['a long array with an odd end', [...Array.from({ length: 300 }, (_, i) => i), -0]],
  // biome-ignore lint/suspicious/noSparseArray: holes are what is tested
  ['holes', [, 1, , undefined, ,]],
  ['only holes', new Array(3)],
  ['a huge sparse array', Object.assign([1], { 4294967290: 'far' })],
  ['a Date', new Date(1e12 + 1)],
  ['an early Date', new Date(-1e14)],
  ['an invalid Date', new Date(Number.NaN)],
  ['a RegExp', /a(b)\/[^\n]/dgimsuy],
  ['a RegExp with an odd source', new RegExp(lone)],
  [
    'a Map',
    new Map<unknown, unknown>([
      ['a', 1],
      [{ k: 1 }, undefined],
      [Number.NaN, -0],
      [undefined, new Map()],
    ]),
  ],
  ['a Set', new Set<unknown>([1, 'a', { x: 1 }, undefined, new Set()])],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ['an empty ArrayBuffer', new ArrayBuffer(0)],
  ['Int8Array', new Int8Array([-1, 2])],
  ['Uint8Array', new Uint8Array([1, 255])],
  ['an empty Uint8Array', new Uint8Array()],
  ['Uint8ClampedArray', new Uint8ClampedArray([1, 255])],
  ['Int16Array', new Int16Array([-1, 256])],
  ['Uint16Array', new Uint16Array([1, 65535])],
  ['Int32Array', new Int32Array([-1, 2 ** 30])],
  ['Uint32Array', new Uint32Array([1, 2 ** 32 - 1])],
  ['Float32Array', new Float32Array([0.5, Number.NaN])],
  ['Float64Array', new Float64Array([Math.PI, -0])],
  ['BigInt64Array', new BigInt64Array([-1n])],
  ['BigUint64Array', new BigUint64Array([2n ** 63n])],
  ['a view within a buffer', new Float64Array(new Float64Array([1, 2, 3]).buffer, 8, 1)],
  ['DataView', new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)],
  ['a large Uint8Array', new Uint8Array(66_000).fill(7)],
  ['boxed primitives', [Object(1), Object(-0), Object('é'), Object(lone), Object(true), Object(5n)]],
  ['nested to the limit', nested(1000)],
  ['nested to the limit, rich', nested(999) && [new Map([['m', nested(997)]])]],
]

for (const attachments of [false, true]) {
  describe(`values, with attachments: ${attachments}`, () => {
    test.each([...atoms, ...objects])('%s', (_, value) => {
      expect(trip(value, { attachments })).toStrictEqual(value)
    })

    test.each([...atoms, ...objects.filter(([name]) => !name.includes('limit'))])('%s within others', (_, value) => {
      expect(trip({ value }, { attachments })).toStrictEqual({ value })
      expect(trip([value, 1], { attachments })).toStrictEqual([value, 1])
      const map = trip(new Map([['value', value]]), { attachments })
      expect(map.get('value')).toStrictEqual(value)
      const error = trip(Object.assign(new Error('holds it'), { value }), { attachments })
      expect(error.value).toStrictEqual(value)
    })
  })
}

test('what arrives are own, enumerable properties, whatever their names', () => {
  const value = { constructor: 1, toString: undefined, hasOwnProperty: -0 }
  expect(Object.entries(trip(value))).toStrictEqual(Object.entries(value))
})

test('what Object.prototype has been given does not travel', () => {
  const give = () =>
    Object.defineProperty(Object.prototype, 'given', { value: 1, enumerable: true, configurable: true })
  const backs: unknown[] = []
  try {
    give()
    backs.push(trip({ a: [{ b: 1 }] }))
    Reflect.deleteProperty(Object.prototype, 'given')
    const whileRead = {
      get a() {
        give()
        return [{ b: 1 }]
      },
      c: { d: 2 },
    }
    backs.push(trip(whileRead))
  } finally {
    Reflect.deleteProperty(Object.prototype, 'given')
  }
  expect(backs).toEqual([{ a: [{ b: 1 }] }, { a: [{ b: 1 }], c: { d: 2 } }])
})

test('generated values arrive equal', () => {
  const value = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
    maxDepth: 5,
  } as never)
  fc.assert(
    fc.property(value, fc.boolean(), (value, attachments) => {
      if (hasProtoKey(value)) return
      expect(trip(value, { attachments })).toStrictEqual(value)
    }),
    { numRuns: 3000, seed: 20 },
  )
})

test('generated plain values and strings of any code units arrive equal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.integer({ min: 0, max: 0xffff })), (value, units) => {
      const text = String.fromCharCode(...units)
      const both = { value: JSON.stringify(value).includes('__proto__') ? 0 : value, text, [`${text}.`]: 1 }
      expect(trip(both)).toStrictEqual(both)
    }),
    { numRuns: 2000, seed: 20 },
  )
})

describe('strings', () => {
  const numbered = Array.from({ length: 3000 }, (_, i) => `key-${i}`)

  test('that differ in their last characters are told apart, as values and as keys, again and again', () => {
    const value = [numbered, Object.fromEntries(numbered.map((key, i) => [key, i])), numbered.toReversed()]
    for (let i = 0; i < 3; i++) expect(trip(value)).toStrictEqual(value)
  })

  test('generated ones of every length arrive equal, as values and as keys, when they come again', () => {
    const unit = fc.constantFrom(
      'a',
      'b',
      '7',
      '\0',
      '\x7f',
      'é',
      '\u07ff',
      '\u0800',
      '漢',
      '\ufeff',
      '\uffff',
      '😀',
      '\u{10ffff}',
    )
    const text = fc.oneof(
      fc.string({ unit, maxLength: 70 }),
      fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 }),
    )
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), texts => {
        const value = [...texts, Object.fromEntries(texts.map(each => [`${each}.`, each]))]
        for (let i = 0; i < 3; i++) expect(trip(value)).toStrictEqual(value)
      }),
      { numRuns: 1500, seed: 20 },
    )
  })
})

test('arrays of any length and any numbers arrive equal, within others', () => {
  const number = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.integer({ min: -40, max: 300 }),
    fc.integer({ min: 65_000, max: 2 ** 32 }),
  )
  const item = fc.oneof({ weight: 5, arbitrary: number }, fc.constantFrom(null, true, false, 'text', {}, [], [[1]]))
  fc.assert(
    fc.property(fc.array(fc.array(item, { maxLength: 60 }), { maxLength: 6 }), arrays => {
      const value = [arrays.map(each => ({ each })), ...arrays.map(each => [...each])]
      expect(trip(value)).toStrictEqual(value)
    }),
    { numRuns: 1500, seed: 20 },
  )
})

describe('blocks', () => {
  const edges = [-(2 ** 31), -32_769, -32_768, -129, -128, -1, 0, 127, 128, 32_767, 32_768, 2 ** 31 - 1]
  const others = [2 ** 31, -(2 ** 31) - 1, 2 ** 53, -0, 0.1, Number.NaN, Number.NEGATIVE_INFINITY]
  const lengths = [15, 16, 17, 1000, 8191, 8192, 8193, 40_000]

  test.each(lengths)('%i numbers, all of a kind but one', length => {
    for (const usual of [1, -100, 1000, 100_000, 0.5]) {
      for (const one of [...edges, ...others]) {
        for (const at of [0, length >> 1, length - 1]) {
          const numbers = new Array(length).fill(usual)
          numbers[at] = one
          expect(trip(numbers)).toStrictEqual(numbers)
          if (length > 1000) break
        }
      }
    }
  })

  test.each(lengths)('%i elements, of which all but one are numbers', length => {
    for (const other of [null, 'text', 'é', [1], { a: 1 }, undefined, 5n]) {
      for (const at of [0, 1, length >> 1, length - 1]) {
        const array: unknown[] = new Array(length).fill(7)
        array[at] = other
        expect(trip(array)).toStrictEqual(array)
      }
    }
  })

  test('an element that is a getter may encode and decode another array', () => {
    const numbers = Array.from({ length: 100 }, (_, i) => i + 0.5)
    for (const given of [1.5, 'text']) {
      const array = [...numbers]
      Object.defineProperty(array, 50, {
        enumerable: true,
        get() {
          expect(trip([...numbers].reverse())).toStrictEqual([...numbers].reverse())
          return given
        },
      })
      expect(trip(array)).toStrictEqual(numbers.map((number, i) => (i === 50 ? given : number)))
    }
  })

  test('numbers that were encoded stay as they were when others are', () => {
    const [first, second] = [new Parcel(), new Parcel()]
    first.encode(new Array(100).fill(1))
    second.encode(new Array(100).fill(2))
    expect([first.decode(), second.decode()]).toStrictEqual([new Array(100).fill(1), new Array(100).fill(2)])
  })

  test.each([39, 40, 41, 1000, 20_000])('text of %i characters, of which one is not ASCII', length => {
    for (const odd of ['\x7f', '\x80', 'é', '漢', '\ud800', '\udc00', '\ufeff', '\uffff']) {
      for (const at of [0, 1, 7, length >> 1, length - 2, length - 1]) {
        const text = 'a'.repeat(at) + odd + 'a'.repeat(length - at - 1)
        for (const value of [text, [text, 1, text], { text, more: text }]) expect(trip(value)).toStrictEqual(value)
      }
    }
  })
})

function hasProtoKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, '__proto__')) return true
  const inner = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : []
  return [...inner, ...(ArrayBuffer.isView(value) ? [] : Object.values(value))].some(hasProtoKey)
}

describe('identity', () => {
  test('of objects that come twice', () => {
    const shared = { x: 1 }
    const arrived = trip({ a: shared, b: [shared], c: new Map([[shared, shared]]), d: new Set([shared]) })
    expect(arrived.a).toStrictEqual(shared)
    expect(arrived.b[0]).toBe(arrived.a)
    expect([...arrived.c][0]).toStrictEqual([arrived.a, arrived.a])
    expect(arrived.c.get(arrived.a)).toBe(arrived.a)
    expect(arrived.d.has(arrived.a)).toBe(true)
  })

  test('of any two among few', () => {
    for (let count = 2; count < 12; count++) {
      for (let first = 0; first < count; first++) {
        const objects: object[] = Array.from({ length: count }, (_, i) => ({ i }))
        objects.push(objects[first] as object)
        const back = trip(objects) as object[]
        expect(back.indexOf(back[count] as object)).toBe(first)
      }
    }
  })

  test('of many objects, in arrays and objects', () => {
    const shared = Array.from({ length: 40 }, (_, i) => ({ i }))
    const arrived = trip([shared, [...shared].reverse()])
    for (let i = 0; i < 40; i++) expect(arrived[1][39 - i]).toBe(arrived[0][i])
  })

  test('in cycles of every kind of container', () => {
    const value: Record<string, unknown> = {}
    value.self = value
    value.array = [value]
    value.map = new Map<unknown, unknown>([[value, value]])
    value.set = new Set([value])
    value.error = new Error('cycle', { cause: value })
    value.nothing = Object.assign(Object.create(null), { value })
    value.date = new Date(1)
    value.again = value.date
    const arrived = trip(value)
    expect(arrived.self).toBe(arrived)
    expect(arrived.array[0]).toBe(arrived)
    expect(arrived.map.get(arrived)).toBe(arrived)
    expect(arrived.set.has(arrived)).toBe(true)
    expect(arrived.error.cause).toBe(arrived)
    expect(arrived.nothing.value).toBe(arrived)
    expect(arrived.again).toBe(arrived.date)
  })

  test('of an array that holds itself, and a map that is its own key', () => {
    const array: unknown[] = []
    array.push(array)
    const map = new Map<unknown, unknown>()
    map.set(map, map)
    expect(trip(array)[0]).toSatisfy((first: unknown[]) => first[0] === first)
    const arrived = trip(map)
    expect(arrived.get(arrived)).toBe(arrived)
  })

  test('nothing is shared with the value that was sent, nor with the bytes', () => {
    const value = { bytes: new Uint8Array([1, 2]), list: [1] }
    const parcel = new Parcel().encode(value)
    value.bytes[0] = 9
    value.list.push(2)
    const arrived = parcel.decode()
    parcel.out.bytes.fill(0)
    expect(arrived).toStrictEqual({ bytes: new Uint8Array([1, 2]), list: [1] })
  })
})

describe('bytes', () => {
  for (const attachments of [false, true]) {
    test.each([16, 8192, 66_000])(`views keep sharing a buffer of %i (attachments: ${attachments})`, size => {
      const buffer = new Uint8Array(size).map((_, i) => i).buffer
      const value = { a: new Uint8Array(buffer, 3, 5), b: new Uint16Array(buffer, 12, 2), c: new DataView(buffer, 4) }
      const arrived = trip(value, { attachments })
      expect(arrived).toStrictEqual(value)
      expect(arrived.a.buffer).toBe(arrived.c.buffer)
      arrived.c.setUint8(0, 99)
      expect(arrived.a[1]).toBe(99)
      const whole = trip({ ...value, buffer }, { attachments })
      expect(whole.buffer).toStrictEqual(buffer)
      expect(whole.a.buffer).toBe(whole.buffer)
      expect(whole.b.byteOffset).toBe(12)
    })
  }

  test('what no view shows does not travel', () => {
    const buffer = new ArrayBuffer(8192)
    new Uint8Array(buffer).fill(0x55)
    const parcel = new Parcel().encode([new Uint8Array(buffer, 100, 1).fill(1), new Uint8Array(buffer, 110, 1).fill(2)])
    expect(parcel.bytes.includes(0x55)).toBe(false)
    expect(parcel.decode()[1]).toStrictEqual(new Uint8Array([2]))
    const alone = new Parcel().encode({ view: new Uint8Array(buffer, 103, 1) })
    expect(alone.decode().view.buffer.byteLength).toBe(1)
  })

  test('a Buffer arrives as a Uint8Array, alone and within', () => {
    expect(trip(Buffer.from('abc'))).toStrictEqual(new Uint8Array([97, 98, 99]))
    expect(trip([Buffer.from('abc')])).toStrictEqual([new Uint8Array([97, 98, 99])])
  })

  test('from a frame that is a Buffer', () => {
    const parcel = new Parcel().encode(new Uint8Array([1, 2, 3]))
    parcel.out.bytes = Buffer.from(parcel.out.bytes) as never
    const arrived = parcel.decode()
    parcel.out.bytes.fill(0)
    expect(arrived).toStrictEqual(new Uint8Array([1, 2, 3]))
  })

  test('from a frame in shared memory', () => {
    const value = { text: 'é'.repeat(100), bytes: new Uint8Array([1, 2]), set: new Set([-0, 'key']) }
    const parcel = new Parcel().encode(value)
    const shared = new Uint8Array(new SharedArrayBuffer(parcel.out.length))
    shared.set(parcel.bytes)
    parcel.out.bytes = shared as never
    expect(parcel.decode()).toStrictEqual(value)
    expect(parcel.decode().bytes.buffer).toBeInstanceOf(ArrayBuffer)
  })

  test.each([(bytes: Uint8Array): unknown => bytes, (bytes: Uint8Array): unknown => ({ bytes })])(
    'large ones ride beside the message, in a copy',
    wrap => {
      const bytes = new Uint8Array(80_000).fill(3)
      const parcel = new Parcel({ attachments: true }).encode(wrap(bytes.subarray(1000, 70_000)))
      expect(parcel.bytes.length).toBeLessThan(100)
      expect(parcel.objects).toHaveLength(1)
      expect((parcel.objects[0] as ArrayBuffer).byteLength).toBe(69_000)
      bytes.fill(0)
      expect(parcel.decode()).toStrictEqual(wrap(new Uint8Array(69_000).fill(3)))
    },
  )

  test.each([(bytes: Uint8Array): unknown => bytes, (bytes: Uint8Array): unknown => ({ bytes })])(
    'large ones ride beside the message of a medium of bytes, as long as there is room',
    wrap => {
      const bytes = new Uint8Array(80_000).fill(3)
      const within = new Parcel({ room: 79_999 }).encode(wrap(bytes))
      expect(within.objects).toHaveLength(0)
      const beside = new Parcel({ room: 80_000 }).encode(wrap(bytes))
      expect(beside.bytes.length).toBeLessThan(100)
      expect(beside.objects).toStrictEqual([bytes.buffer.slice(0)])
      expect(beside.objects[0]).not.toBe(bytes.buffer)
      for (const parcel of [within, beside]) expect(parcel.decode()).toStrictEqual(wrap(bytes))
      const moved = new Parcel({ room: 80_000, transfer: [bytes.buffer] }).encode(wrap(bytes))
      expect(moved.objects[0]).toBe(bytes.buffer)
      expect(new Parcel({ room: 80_000 }).encode(wrap(bytes.subarray(0, 1000))).objects).toHaveLength(0)
    },
  )

  test('transferred buffers are attached as they are', () => {
    const { buffer } = new Uint8Array([1, 2, 3, 4])
    for (const value of [
      new Uint8Array(buffer),
      new Uint8Array(buffer, 1, 2),
      buffer,
      { a: new DataView(buffer, 2) },
    ]) {
      const parcel = new Parcel({ attachments: true, transfer: [buffer] }).encode(value)
      expect(parcel.objects).toStrictEqual([buffer])
      expect(parcel.objects[0]).toBe(buffer)
      expect(parcel.decode()).toStrictEqual(value)
    }
    expect(trip({ buffer }, { transfer: [buffer] })).toStrictEqual({ buffer })
  })

  test('shared memory stays the same memory', () => {
    const shared = new SharedArrayBuffer(16)
    const value = { shared, view: new Int32Array(shared, 4, 2), top: new Uint8Array(shared) }
    const arrived = trip(value, { attachments: true })
    expect(arrived.shared).toBe(shared)
    expect(arrived.view.buffer).toBe(shared)
    expect(arrived.view.byteOffset).toBe(4)
    expect(trip(new Uint8Array(shared), { attachments: true }).buffer).toBe(shared)
    for (const value of [shared, { a: [new Uint8Array(shared)] }, new Uint8Array(shared)]) {
      expect(thrownBy(() => trip(value))).toMatchObject({ code: 'MP_NOT_SHAREABLE' })
    }
  })
})

test.each([
  ['an object', {}],
  ['an object of undefined', { a: undefined }],
  ['an array', [1]],
  ['a long array', Array.from({ length: 500 }, () => 1)],
  ['a Map', new Map([[1, 2]])],
])('properties of %s with symbol keys stay behind, as with structured clone', (_, value) => {
  const tagged = Object.assign(structuredClone(value), { [Symbol('tag')]: 1 })
  expect(trip(tagged)).toStrictEqual(value)
  expect(structuredClone(tagged)).toStrictEqual(value)
})

class Unregistered {
  x = 1
}

const cyclicTwin = { deep: nested(2000) }

const refused: [name: string, value: unknown, message: RegExp | string][] = [
  ['a function', { a: [1, 2, 3, { b: () => 0 }] }, 'value.a[3].b: a function'],
  ['a symbol', [Symbol('s')], 'value[0]: a symbol'],
  ['a promise', { p: Promise.resolve() }, 'value.p: a promise'],
  ['a WeakMap', new WeakMap(), 'value: a WeakMap'],
  ['a WeakSet', [new WeakSet()], 'value[0]: a WeakSet'],
  ['a WeakRef', { 'odd key': new WeakRef({}) }, 'value["odd key"]: a WeakRef'],
  ['a class instance', { a: new Unregistered() }, 'value.a: an instance of `Unregistered`'],
  ['a class instance says what to do', new Unregistered(), 'registerType'],
  ['a subclass of Map', new (class Mine extends Map {})(), '`Mine`'],
  ['a subclass of Array', new (class Mine extends Array {})(), '`Mine`'],
  ['a subclass of Uint8Array', [new (class Mine extends Uint8Array {})(2)], '`Mine`'],
  ['a subclass of Uint8Array, alone', new (class Mine extends Uint8Array {})(2), '`Mine`'],
  ['a subclass of Date', [new (class Mine extends Date {})()], '`Mine`'],
  ['a false Map', Object.create(Map.prototype), '`Map`'],
  ['a boxed symbol', Object(Symbol('s')), '`Symbol`'],
  ['a generator', (function* () {})(), 'value: an instance'],
  ['an own __proto__', { a: JSON.parse('{"__proto__":1}') }, 'value.a.__proto__'],
  ['an array with properties', { m: 'abc'.match(/b/) }, 'value.m: an array with extra properties'],
  [
    'a long array with properties',
    Object.assign(
      Array.from({ length: 500 }, () => 1),
      { x: 1 },
    ),
    'extra properties',
  ],
  ['a sparse array with properties', Object.assign(new Array(3), { x: 1 }), 'extra properties'],
  ['a Map with properties', Object.assign(new Map(), { x: 1 }), 'extra property, x'],
  ['a Date with properties', [Object.assign(new Date(), { x: 1 })], 'extra property, x'],
  ['within a Map', { m: new Map([['k', [() => 0]]]) }, 'value.m.get("k")[0]: a function'],
  ['as a key of a Map', new Map([[() => 0, 1]]), 'value.<key>: a function'],
  ['within a Set', new Set([() => 0]), 'value.<item>: a function'],
  ['within an error', Object.assign(new Error('e', { cause: { f: () => 0 } })), 'value.cause.f: a function'],
  ['within a handle', [new Note({ f: () => 0 })], 'value[0].<state>.f: a function'],
  ['too deep', { a: nested(1000) }, 'nested more than 1000 deep'],
  ['far too deep', nested(100_000), 'nested more than 1000 deep'],
  ['too deep beside a cycle', [cyclicTwin, cyclicTwin], 'nested more than 1000 deep'],
  [
    'a getter that throws',
    {
      get bad() {
        throw new Error('ouch')
      },
    },
    'ouch',
  ],
  [
    'a getter that throws what is no error',
    {
      get bad() {
        throw { message: Object.create(null) }
      },
    },
    'something odd',
  ],
  ['a Proxy that throws', new Proxy({}, { ownKeys: () => [].at(0) as never }), 'Cannot encode'],
]

describe('refusals', () => {
  test.each(refused)('%s', (_, value, message) => {
    const parcel = new Parcel()
    parcel.out.reserve(3)
    parcel.out.length = 3
    const error = thrownBy(() => parcel.encode(value))
    expect(error).toBeInstanceOf(MpError)
    expect(error).toMatchObject({ code: 'MP_ENCODE', message: expect.stringContaining(message as string) })
    expect(parcel.out.length).toBe(3)
    // The next value is not disturbed by what the last one left.
    expect(trip({ a: [1] })).toStrictEqual({ a: [1] })
  })

  test('a detached buffer', () => {
    const bytes = new Uint8Array(4)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    for (const value of [bytes, { bytes }, [bytes.buffer]]) {
      expect(thrownBy(() => trip(value))).toMatchObject({
        code: 'MP_ENCODE',
        message: expect.stringContaining('detached'),
      })
    }
  })

  test('a resizable buffer, but not a view of it', () => {
    const buffer = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]) as ArrayBuffer
    expect(thrownBy(() => trip({ buffer }))).toMatchObject({
      message: expect.stringContaining('value.buffer: a resizable'),
    })
    expect(trip([new Uint8Array(buffer, 0, 2)])).toStrictEqual([new Uint8Array(2)])
  })

  test('toJSON is ignored, as a property that is a function', () => {
    expect(thrownBy(() => trip({ toJSON: () => 1 }))).toMatchObject({
      message: expect.stringContaining('value.toJSON'),
    })
    expect(trip({ toJSON: 1 })).toStrictEqual({ toJSON: 1 })
  })

  test('getters are read', () => {
    const value = {
      get a() {
        return trip({ b: [2] })
      },
    }
    expect(trip(value)).toStrictEqual({ a: { b: [2] } })
  })
})

describe('live objects', () => {
  test('of which structured clone makes copies are attached as copies, where that can be', () => {
    const key = createSecretKey(Buffer.from('secret'))
    const arrived = trip({ key, again: key }, { attachments: true })
    expect(arrived.again).toBe(arrived.key)
    expect(arrived.key).not.toBe(key)
    expect(arrived.key.equals(key)).toBe(true)
    expect(thrownBy(() => trip({ key }))).toMatchObject({
      code: 'MP_ENCODE',
      message: 'Cannot encode value.key: a SecretKeyObject, which cannot leave its process',
    })
    expect(isTransferred(key)).toBe(false)
    expect(isTransferred(new ArrayBuffer(1))).toBe(true)
  })

  test.skipIf(!('Float16Array' in globalThis))('a Float16Array is a view like others', () => {
    const { Float16Array } = globalThis as never as { Float16Array: Uint8ArrayConstructor }
    const whole = Float16Array.of(1, 2, 3, 4)
    expect(trip(whole.subarray(1, 3))).toStrictEqual(Float16Array.of(2, 3))
    expect(trip(whole.subarray(1, 3)).buffer.byteLength).toBe(4)
  })

  test('a transferred port is attached where that can be', () => {
    const { port1, port2 } = new MessageChannel()
    try {
      const transfer = [port1]
      expect(trip({ port1 }, { attachments: true, transfer }).port1).toBe(port1)
      expect(thrownBy(() => trip([port1], { transfer }))).toMatchObject({ code: 'MP_NOT_SUPPORTED' })
      expect(thrownBy(() => trip([port1], { attachments: true }))).toMatchObject({ code: 'MP_ENCODE' })
    } finally {
      port1.close()
      port2.close()
    }
  })

  test('handles travel with their state, and keep identity', () => {
    const note = new Note({ to: [new Note(-0)] })
    const arrived = trip({ note, again: [note] })
    expect(arrived.note).toBeInstanceOf(Note)
    expect(arrived.again[0]).toBe(arrived.note)
    expect(arrived.note.state.to[0].state).toBe(-0)
    expect(trip(new Note(1))).toStrictEqual(new Note(1))
  })

  test('what packing and unpacking throw is passed on', () => {
    expect(thrownBy(() => trip([new Note(1, 'closed')]))).toMatchObject({ code: 'MP_CLOSED' })
    expect(thrownBy(() => trip([new Note(1, 'strange')]))).toMatchObject({ code: 'MP_DECODE', message: 'unknown kind' })
    expect(thrownBy(() => trip([new Note(1, 'broken')]))).toStrictEqual(new RangeError('a broken handle'))
  })

  test('a handle that holds itself is refused', () => {
    const state: unknown[] = []
    const note = new Note(state)
    state.push(note)
    expect(thrownBy(() => trip(note))).toMatchObject({ code: 'MP_ENCODE', message: expect.stringContaining('cycle') })
  })
})

describe('registerType', () => {
  class Point {
    x: number
    y: number
    next: Point | undefined
    constructor(x: number, y: number) {
      this.x = x
      this.y = y
    }
    get length() {
      return Math.hypot(this.x, this.y)
    }
  }
  class Money {
    readonly #cents: bigint
    constructor(cents: bigint) {
      this.#cents = cents
    }
    static cents(money: Money) {
      return money.#cents
    }
  }
  class Pair extends Array<number> {}

  registerType(Point)
  registerType(Money, { name: 'test.Money', encode: Money.cents, decode: (cents: bigint) => new Money(cents) })

  test('by default carries own fields, and cycles', () => {
    const point = new Point(3, 4)
    point.next = point
    const arrived = trip([point, { point }])
    expect(arrived[0]).toBeInstanceOf(Point)
    expect(arrived[0].length).toBe(5)
    expect(arrived[0].next).toBe(arrived[0])
    expect(arrived[1].point).toBe(arrived[0])
  })

  test('carries what encode gives', () => {
    const money = new Money(5n)
    const arrived = trip({ a: money, b: [money] })
    expect(Money.cents(arrived.a)).toBe(5n)
    expect(arrived.b[0]).toBe(arrived.a)
  })

  test('does not take subclasses along', () => {
    class Point3 extends Point {}
    expect(thrownBy(() => trip(new Point3(1, 2)))).toMatchObject({ message: expect.stringContaining('`Point3`') })
  })

  test('refuses two classes of one name, and takes one class twice', () => {
    registerType(Point)
    expect(thrownBy(() => registerType(class Point {}))).toMatchObject({ code: 'MP_INVALID_STATE' })
    expect(thrownBy(() => registerType(class {}, { name: 'test.Money' }))).toMatchObject({ code: 'MP_INVALID_STATE' })
    expect(thrownBy(() => registerType(class {}))).toBeInstanceOf(TypeError)
  })

  test('refuses by fields what holds more than fields', () => {
    registerType(Pair)
    expect(thrownBy(() => trip(Pair.from([1, 2])))).toMatchObject({
      message: expect.stringContaining('give registerType'),
    })
    registerType(Pair, { encode: pair => [...pair], decode: items => Pair.from(items) as Pair })
    expect(trip([Pair.from([1, 2])])).toStrictEqual([Pair.from([1, 2])])
  })

  test('what decode throws is told as MP_DECODE', () => {
    class Fragile {}
    const cause = new MpError('MP_CLOSED', 'broken')
    registerType(Fragile, {
      decode() {
        throw cause
      },
    })
    expect(thrownBy(() => trip(new Fragile()))).toMatchObject({ code: 'MP_DECODE', cause })
  })
})
