import { Packr } from 'msgpackr/pack'
import { describe, expect, test } from 'vitest'
import { decode } from '../src/codec/codec.js'
import { registerType } from '../src/codec/registered-type.js'
import { MpError } from '../src/errors.js'
import { Note, Parcel, thrownBy } from './codec-parcel.js'

class Known {
  x = 1
}
registerType(Known, { name: 'hostile.Known' })

const cyclic: Record<string, unknown> = { a: [1], date: new Date(1) }
cyclic.self = cyclic
const buffer = new ArrayBuffer(24)

const samples: unknown[] = [
  null,
  -5,
  1e100,
  'text',
  'é'.repeat(100),
  { id: 1, name: 'hello', v: [1, 2, 3], deep: { deeper: [true, null, 70_000, -70_000] } },
  Array.from({ length: 20 }, (_, i) => i * 1000),
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key${i}`, i])),
  new Uint8Array([1, 2, 3]),
  cyclic,
  [undefined, -0, 5n, -(2n ** 70n), /a+/g, '\ud800', new Date(Number.NaN)],
  new Map<unknown, unknown>([[{ k: 1 }, new Set([1, undefined])]]),
  Object.assign(new Array(5), { 3: 'x' }),
  { a: new Float64Array(buffer, 8, 1), b: new Uint8Array(buffer, 3, 4), buffer, big: new BigInt64Array(2) },
  [Object(1), Object('s'), Object.assign(Object.create(null), { a: undefined })],
  Object.assign(new TypeError('what', { cause: new AggregateError([1], 'x') }), { code: 'E', extra: [-0] }),
  [new DOMException('x', 'AbortError'), new MpError('MP_FULL', 'full'), new (class Odd extends Error {})('odd')],
  [new Known(), new Note({ state: [undefined] })],
]

const { unpacking } = new Parcel()

/** Decodes hostile bytes: a value or an MP_DECODE, and nothing else. */
function attack(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: decode(bytes, 0, bytes.length, unpacking) }
  } catch (error) {
    // The handle that a flipped kind may name is not the codec's business.
    if (!(error instanceof MpError) || error.code !== 'MP_DECODE') throw error
    return undefined
  }
}

function encoded(value: unknown): Uint8Array {
  return new Parcel().encode(value).bytes.slice()
}

const refused = { code: 'MP_DECODE' }

function expectRefused(bytes: Uint8Array | readonly number[]): void {
  const error = thrownBy(() => decode(Uint8Array.from(bytes), 0, bytes.length, unpacking))
  expect(error).toBeInstanceOf(MpError)
  expect(error).toMatchObject(refused)
}

/** The rich form of a tree that is given as it is. */
function rich(root: unknown, table?: unknown, bytes: readonly number[] = []): Uint8Array {
  const packr = new Packr({ useRecords: false, variableMapSize: true })
  const tree = packr.pack(table === undefined ? [root] : [root, table])
  const form = Buffer.alloc(5)
  form[0] = 1
  form.writeUInt32BE(tree.length, 1)
  return Uint8Array.from([...form, ...tree, ...bytes])
}

test('the empty message, and ranges that are not there', () => {
  expectRefused([])
  const bytes = encoded(1)
  for (const [start, end] of [
    [0, 3],
    [-1, 1],
    [2, 1],
    [5, 6],
    [0, 0],
  ] as const) {
    expect(thrownBy(() => decode(bytes, start, end, unpacking))).toMatchObject(refused)
  }
})

test('an unknown form', () => {
  for (let form = 4; form < 256; form++) expectRefused([form, 0xc0])
})

describe.each(samples.map((value, i) => [i, encoded(value)] as const))('sample %i', (_, bytes) => {
  test('truncated at each length', () => {
    for (let length = 0; length < bytes.length; length++) {
      const part = bytes.slice(0, length)
      // Raw bytes have no length of their own: the link's framing gives it.
      if (bytes[0] === 2 && length > 0) expect(attack(part)).toBeDefined()
      else expectRefused(part)
    }
  })

  test('with something behind it', () => {
    if (bytes[0] !== 2) expectRefused([...bytes, 0])
  })

  test('each byte with each value', () => {
    const copy = bytes.slice()
    for (let i = 0; i < copy.length; i++) {
      const before = copy[i] as number
      for (const value of [
        0,
        1,
        0x7f,
        0x80,
        0x8f,
        0x9f,
        0xa0,
        0xc0,
        0xc1,
        0xd4,
        0xdd,
        0xdf,
        0xff,
        before ^ 1,
        before + 1,
      ]) {
        copy[i] = value
        attack(copy)
      }
      copy[i] = before
    }
  })
})

test('20,000 flips of one to four bits, seeded', () => {
  let seed = 1
  // xorshift32
  const random = (below: number) => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) % below
  }
  const all = samples.map(encoded)
  let values = 0
  for (let i = 0; i < 20_000; i++) {
    const bytes = (all[random(all.length)] as Uint8Array).slice()
    for (let flips = random(4); flips >= 0; flips--) {
      const at = random(bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    }
    if (attack(bytes) !== undefined) values++
  }
  expect(values).toBeGreaterThan(0)
  expect(attack(encoded({ still: ['well', -0] }))).toStrictEqual({ value: { still: ['well', -0] } })
})

test('length bombs', () => {
  for (const token of [0xc6, 0xc9, 0xdb, 0xdd, 0xdf]) {
    expectRefused([0, token, 0xff, 0xff, 0xff, 0xff])
    expectRefused([0, 0x91, token, 0xff, 0xff, 0xff, 0xff])
    expectRefused([0, 0x81, 0xa1, 0x61, token, 0xff, 0xff, 0xff, 0xff, 0, 0, 0])
  }
  for (const token of [0xc5, 0xc8, 0xda, 0xdc, 0xde]) expectRefused([0, token, 0xff, 0xff])
  for (const token of [0xc4, 0xc7, 0xd9]) expectRefused([0, token, 0xff])
  expectRefused([1, 0xff, 0xff, 0xff, 0xff, 0x91, 0xc0])
  expectRefused(rich([15, 1, 0, 0, 2 ** 40], [2 ** 40]))
  // Each array alone would fit the bytes that are left; together they do not.
  const arrays = new Uint8Array(20_000).fill(0)
  for (let i = 1; i + 5 < arrays.length; i += 5) arrays.set([0xdd, 0, 0, 0x30, 0], i)
  expectRefused(arrays)
})

test('a sparse array may be long, and costs nothing', () => {
  const array = attack(rich([8, 0xffff_ffff]))?.value as unknown[]
  expect(array.length).toBe(0xffff_ffff)
  expectRefused(rich([8, 0x1_0000_0000]))
})

describe('nesting', () => {
  test.each([
    ['arrays', [0x91]],
    ['maps', [0x81, 0xa1, 0x61]],
    ['16-bit arrays', [0xdc, 0, 1]],
    ['32-bit maps', [0xdf, 0, 0, 0, 1, 0xa0]],
  ])('of 100,000 %s', (_, level) => {
    for (const form of [[0], [1, 0, 0, 0, 0]]) {
      const bytes = new Uint8Array(form.length + level.length * 100_000 + 1).fill(0xc0)
      bytes.set(form)
      for (let i = 0; i < 100_000; i++) bytes.set(level, form.length + i * level.length)
      if (form[0] === 1) new DataView(bytes.buffer).setUint32(1, bytes.length - 5)
      expectRefused(bytes)
    }
  })

  test('of tagged nodes', () => {
    let node: unknown = null
    for (let i = 0; i < 1002; i++) node = [7, node]
    expect(attack(rich(node))).toBeUndefined()
  })
})

test('every extension type in every form', () => {
  for (let type = 0; type < 256; type++) {
    for (const [token, size] of [
      [0xd4, 1],
      [0xd5, 2],
      [0xd6, 4],
      [0xd7, 8],
      [0xd8, 16],
    ] as const) {
      expectRefused([0, token, type, ...new Array(size).fill(1)])
      expectRefused([0, 0x91, token, type, ...new Array(size).fill(1)])
    }
    expectRefused([0, 0xc7, 2, type, 1, 1])
    expectRefused([0, 0xc8, 0, 2, type, 1, 1])
    expectRefused([0, 0xc9, 0, 0, 0, 2, type, 1, 1])
    expectRefused([1, 0, 0, 0, 4, 0x91, 0xd4, type, 0])
  }
  expectRefused([0, 0xc1])
})

test('blocks of no kind, and such as have fewer bytes than they say', () => {
  for (const kind of [6, 7, 0xff]) expectRefused([0, 0xc1, kind, 0, 0, 0, 0])
  for (const [kind, size] of [1, 2, 4, 8, 1, 2].entries()) {
    expectRefused([0, 0xc1, kind, 0, 0, 0])
    expectRefused([0, 0xc1, kind, 0, 0, 0, 2, ...new Array(2 * size - 1).fill(1)])
    expectRefused([0, 0xc1, kind, 0, 0, 0, 2, ...new Array(2 * size + 1).fill(1)])
    expectRefused([0, 0xc1, kind, 0xff, 0xff, 0xff, 0xff, 1, 1, 1, 1])
    // As a key.
    expectRefused([0, 0x81, 0xc1, kind, 0, 0, 0, 1, ...new Array(size).fill(0x61), 1])
    expect(attack(Uint8Array.from([0, 0xc1, kind, 0, 0, 0, 0]))).toStrictEqual({ value: kind < 4 ? [] : '' })
  }
})

test('byte strings and 64-bit integers, which nothing encodes so', () => {
  expectRefused([0, 0xc4, 1, 1])
  for (const token of [0xcf, 0xd3]) expectRefused([0, token, 0, 0, 0, 0, 0, 0, 0, 1])
})

test('bytes that are no UTF-8 read as Node reads them', () => {
  const heads = [0x41, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff]
  const tails = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
  for (const size of [4, 16, 17, 24, 25, 64, 65]) {
    for (const head of heads) {
      for (const a of tails) {
        for (const b of tails) {
          for (const at of [0, size - 3, size - 1]) {
            const text = Buffer.alloc(size + 3, 0x61)
            text.set([head, a, b, 0x80], at)
            const bytes = Uint8Array.from([0, 0xd9, size, ...text.subarray(0, size)])
            expect(attack(bytes)).toStrictEqual({ value: text.toString('utf8', 0, size) })
          }
        }
      }
    }
  }
})

test('nested arrays cannot claim what the arrays around them still need', () => {
  // Each claims all the bytes that are left, and is the first item of the one around it.
  const bytes = new Uint8Array(1 + 900 * 3 + 4000)
  for (let i = 0; i < 900; i++) bytes.set([0xdc, 0x10, 0], 1 + i * 3)
  const before = process.memoryUsage().heapUsed
  expectRefused(bytes)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 1024 * 1024)
})

describe('keys', () => {
  const proto = [...Buffer.from('__proto__')]

  test('__proto__, however its length is written', () => {
    for (const head of [[0xa9], [0xd9, 9], [0xda, 0, 9], [0xdb, 0, 0, 0, 9]]) {
      expectRefused([0, 0x81, ...head, ...proto, 0x80])
      expectRefused([0, 0x91, 0x82, 0xa1, 0x61, 0x01, ...head, ...proto, 0x81, 0xa1, 0x78, 0x01])
    }
    for (const tag of [5, 6]) expectRefused(rich([tag, '__proto__', [5, 'polluted', true]]))
    expectRefused(rich([17, 'hostile.Known', '__proto__', 1]))
    expectRefused(rich([16, 0, 'Error', 0, '__proto__', [5]]))
    expectRefused(rich([5, [3, 0, 0, 0, 18], 1], [18], [...Buffer.from('__proto__', 'utf16le')]))
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('as a value it is a string like any other', () => {
    expect(attack(Uint8Array.from([0, 0xa9, ...proto]))).toStrictEqual({ value: '__proto__' })
  })

  test('constructor and prototype are properties like any other', () => {
    const value = { constructor: { prototype: { polluted: true } } }
    for (const bytes of [encoded(value), Uint8Array.from([0, ...new Packr({ useRecords: false }).pack(value)])]) {
      const arrived = attack(bytes)?.value as typeof value
      expect(Object.entries(arrived)).toEqual(Object.entries(value))
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('that are not strings', () => {
    for (const key of [[1], [0xc0], [0x90], [0x80], [0xc2], [0xcb, 0, 0, 0, 0, 0, 0, 0, 0]]) {
      expectRefused([0, 0x81, ...key, 1])
    }
  })
})

describe('trees', () => {
  test.each<[string, unknown, unknown?, number[]?]>([
    ['an unknown tag', [99]],
    ['a tag that is no number', ['5', 'a', 1]],
    ['no tag', []],
    ['a map', { a: 1 }],
    ['a number for a BigInt', [2, 5]],
    ['no number in a BigInt', [2, 'xyz']],
    ['nothing in a BigInt', [2, '']],
    ['a reference to nothing', [4, 0]],
    ['a reference before the first', [4, -1]],
    ['a reference to what comes', [7, [4, 1], [5]]],
    ['a fraction as a reference', [7, [4, 0.5]]],
    ['a registered type that refers to itself', [18, 'hostile.Known', [4, 0]]],
    ['a handle that refers to itself', [19, 'note', [4, 0]]],
    ['an object without a last value', [5, 'a']],
    ['a key that is no string', [5, 1, 1]],
    ['a sparse index beyond the length', [8, 2, 2, 1]],
    ['sparse indexes that go back', [8, 5, 2, 1, 1, 1]],
    ['a sparse length below zero', [8, -1]],
    ['a map without a last value', [9, 1]],
    ['a date that is text', [11, '2020']],
    ['a pattern that does not compile', [12, '(', '']],
    ['flags that are none', [12, 'a', 'gg']],
    ['a boxed object', [13, [5]]],
    ['bytes that are not there', [14, 0]],
    ['bytes that are not there, by far', [14, 5], [1], [1]],
    ['an unknown kind of view', [15, 12, 0, 0, 1], [1], [1]],
    ['a view beyond its bytes', [15, 1, 0, 1, 1], [1], [1]],
    ['a view before its bytes', [15, 1, 0, -1, 1], [1], [1]],
    ['a view that is not aligned', [15, 3, 0, 1, 2], [4], [1, 2, 3, 4]],
    ['half an element', [15, 3, 0, 0, 1], [2], [1, 2]],
    ['half a code unit', [3, 0, 0, 0, 1], [2], [1, 2]],
    ['fewer bytes than the table says', [14, 0], [2], [1]],
    ['more bytes than the table says', [14, 0], [1], [1, 2]],
    ['bytes without a table', null, undefined, [1]],
    ['a table that is no array', null, 'x'],
    ['an attachment from outside', [14, 0], [-1]],
    ['an attachment before the first', [20, -1]],
    ['a live object from outside', [20, 0]],
    ['the class of an error that is none', [16, 0, 'Function', 0]],
    ['the kind of an error that is none', [16, 9, 'Error', 0]],
    ['more hidden properties than there are', [16, 0, 'Error', 1]],
    ['hidden properties below zero', [16, 0, 'Error', -1, 'a', 1]],
    ['a hidden property of its own', [16, 0, 'Error', 1, 'toString', 1]],
    ['an unregistered type', [17, 'Nobody']],
    ['an unknown kind of handle', [19, 'nobody', null]],
    ['a node that is binary', new Uint8Array(1)],
  ])('%s', (_, root, table, bytes) => {
    expectRefused(rich(root, table, bytes))
  })

  test('a registered error that is not registered here arrives as an MpError', () => {
    const value = attack(rich([16, 3, 'Nobody', 1, 'message', 'what']))?.value
    expect(value).toBeInstanceOf(MpError)
    expect(value).toMatchObject({ name: 'Nobody', code: 'MP_REMOTE', message: 'what' })
  })
})
