import assert from 'node:assert/strict'
import { MpError } from '@mp/core'
import { group, needs } from '../case.js'
import { rejects, type Trial, within } from '../harness.js'
import * as targets from '../targets.js'

/** Each arrives as it is, by assert.deepStrictEqual, which tells -0 from 0, undefined from absent, and compares prototypes. */
const table: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  1.5,
  -1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_VALUE,
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
  '\ud800 lone',
  'x'.repeat(70_000),
  [],
  [undefined, null, [[]]],
  // biome-ignore lint/suspicious/noSparseArray: holes arrive as holes
  [1, , 3],
  {},
  { a: undefined, b: { c: [{}] } },
  { '': 1, '0': 2, 'with space': 3, constructor: 4, toString: 5, length: 6 },
  new Date(0),
  new Date(1_700_000_000_123),
  /a+(?<name>b)/giu,
  new Map<unknown, unknown>([
    [{ key: 1 }, new Map([[1, 2]])],
    [Number.NaN, undefined],
  ]),
  new Set<unknown>([1, 'a', new Set([null]), -0]),
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
  new Uint8Array([1, 2, 3, 4]).buffer,
  new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
  new Uint32Array(0),
  Object(5),
  Object('boxed'),
  Object(false),
]

type Route = (t: Trial, values: readonly unknown[]) => Promise<unknown[]>

/** There and back, by each way on which a value can travel. */
const routes: Record<string, Route> = {
  'arguments and results': async (t, values) => {
    const child = await t.start(targets.giveAll, [...values])
    const result = await within(child.result(), 'result')
    await t.ends(child)
    return result as unknown[]
  },
  items: async (t, values) => {
    const [there, back] = [new t.api.Queue(), new t.api.Queue()]
    const child = await t.start(targets.echoItems, [there, back, values.length])
    for (const value of values) await there.put(value)
    const arrived: unknown[] = []
    for (const _ of values) arrived.push(await within(back.get(), 'get'))
    await t.ends(child)
    return arrived
  },
  'items of a bounded queue': async (t, values) => {
    const [there, back] = [new t.api.Queue(2), new t.api.Queue(2)]
    const child = await t.start(targets.echoItems, [there, back, values.length])
    const arrived: unknown[] = []
    for (const value of values) {
      await within(there.put(value), 'put')
      arrived.push(await within(back.get(), 'get'))
    }
    await t.ends(child)
    return arrived
  },
  messages: async (t, values) => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    for (const value of values) await mine.send(value)
    const arrived: unknown[] = []
    for (const _ of values) arrived.push(await within(mine.recv(), 'recv'))
    await mine.close()
    await t.ends(child)
    return arrived
  },
  'items within one process': async (t, values) => {
    const queue = new t.api.Queue()
    for (const value of values) await queue.put(value)
    const arrived: unknown[] = []
    for (const _ of values) arrived.push(await queue.get())
    return arrived
  },
}

const perRoute = Object.entries(routes).flatMap(([name, route]) => [
  [
    `values arrive as they are, as ${name}`,
    async (t: Trial) => {
      const arrived = await route(t, table)
      for (const [index, value] of table.entries()) assert.deepEqual(arrived[index], value)
      assert.equal(arrived.length, table.length)
    },
  ],
  [
    `cycles and shared references arrive as such, as ${name}`,
    async (t: Trial) => {
      const shared = { shared: true }
      const cycle: {
        self?: unknown
        list: unknown[]
        map: Map<unknown, unknown>
        buffer: ArrayBuffer
        views: unknown[]
      } = {
        list: [shared, shared],
        map: new Map(),
        buffer: new ArrayBuffer(8),
        views: [],
      }
      cycle.self = cycle
      cycle.list.push(cycle.list)
      cycle.map.set(cycle.map, shared)
      cycle.views.push(new Uint8Array(cycle.buffer, 2, 4), new Float64Array(cycle.buffer))
      const [arrived] = (await route(t, [cycle])) as [typeof cycle]
      assert.notEqual(arrived, cycle)
      assert.equal(arrived.self, arrived)
      assert.equal(arrived.list[0], arrived.list[1])
      assert.equal(arrived.list[2], arrived.list)
      assert.equal(arrived.map.get(arrived.map), arrived.list[0])
      const [bytes, floats] = arrived.views as [Uint8Array, Float64Array]
      assert.equal(bytes.buffer, arrived.buffer)
      assert.equal(floats.buffer, arrived.buffer)
      assert.deepEqual([bytes.byteOffset, bytes.length], [2, 4])
    },
  ],
  [
    `errors arrive with class, message, stack, code, cause, own fields and members, as ${name}`,
    async (t: Trial) => {
      const errors: Error[] = [
        new Error('plain'),
        new TypeError('with cause', { cause: new RangeError('inner', { cause: 'a string' }) }),
        Object.assign(new SyntaxError('with fields'), { code: 'E_FIELDS', detail: { at: [7] } }),
        new AggregateError([new TypeError('one'), new EvalError('two'), 3], 'several'),
        new URIError(),
        new MpError('MP_FULL', 'of our own', { cause: new MpError('MP_EMPTY', 'inner') }),
      ]
      const arrived = (await route(t, errors)) as Error[]
      for (const [index, error] of errors.entries()) {
        const each = arrived[index]
        assert.deepEqual(each, error)
        assert.equal(each?.constructor, error.constructor)
        assert.equal(each?.stack, error.stack)
        assert.deepEqual(each?.cause, error.cause)
        assert.deepEqual(
          Object.getOwnPropertyDescriptors(each).message,
          Object.getOwnPropertyDescriptors(error).message,
        )
      }
      assert.deepEqual((arrived[3] as AggregateError).errors, (errors[3] as AggregateError).errors)
      assert.ok(arrived[5] instanceof MpError)
      assert.equal((arrived[5] as MpError).code, 'MP_FULL')
    },
  ],
]) as [string, (t: Trial) => Promise<void>][]

class Unregistered {
  field = 1
}

export const values = group('Values', {
  ...Object.fromEntries(perRoute),

  'byte arrays of Buffer arrive as Uint8Array': async t => {
    for (const route of Object.values(routes)) {
      const [bytes] = await route(t, [Buffer.from('text')])
      assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
      assert.deepEqual(bytes, new Uint8Array([116, 101, 120, 116]))
    }
  },

  'what cannot travel is refused everywhere, and not silently changed': async t => {
    const refused: unknown[] = [
      () => {},
      Symbol('s'),
      Promise.resolve(1),
      new WeakMap(),
      new WeakSet(),
      new WeakRef({}),
      new Unregistered(),
      [1, [2, { f() {} }]],
      new Map([[1, Symbol('s')]]),
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('hostile')
          },
        },
      ),
    ]
    const queue = new t.api.Queue()
    const bounded = new t.api.Queue(1)
    const [a, b] = t.api.Pipe()
    for (const value of refused) {
      await rejects(queue.put(value), 'MP_ENCODE')
      await rejects(bounded.put(value), 'MP_ENCODE')
      await rejects(a.send(value), 'MP_ENCODE')
      await rejects(t.process(targets.give, [value]).start(), 'MP_ENCODE')
    }
    assert.equal(await queue.qsize(), 0)
    assert.equal(await bounded.qsize(), 0)
    assert.equal(await b.poll(), false)
    assert.deepEqual(t.api.activeChildren(), [])
  },

  'an invalid date arrives as one': async t => {
    for (const route of Object.values(routes)) {
      const [date] = (await route(t, [new Date(Number.NaN)])) as [Date]
      assert.ok(date instanceof Date && Number.isNaN(date.getTime()))
    }
  },

  'an object with a __proto__ key of its own arrives as it is or is refused, and pollutes nothing': async t => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')
    const queue = new t.api.Queue()
    for (const trip of [() => queue.put(hostile).then(() => queue.get()), () => t.run(targets.give, hostile)]) {
      const arrived = (await trip().catch(error => assert.equal(error.code, 'MP_ENCODE'))) as
        | { polluted?: boolean }
        | undefined
      if (arrived) {
        assert.equal(Object.getPrototypeOf(arrived), Object.prototype)
        assert.deepEqual(arrived, hostile)
      }
      assert.equal(arrived?.polluted, undefined)
      assert.equal(({} as { polluted?: boolean }).polluted, undefined)
    }
  },

  'what a target throws comes back as the same class where it is built in, with all it carries': async t => {
    const both = await rejects(t.run(targets.failWith, 'aggregate'), AggregateError)
    assert.deepEqual(
      (both as AggregateError).errors.map(each => [each.constructor, each.message]),
      [
        [TypeError, 'one'],
        [RangeError, 'two'],
      ],
    )
    const outer = await rejects(t.run(targets.failWith, 'cause'), Error)
    assert.ok(outer.cause instanceof TypeError && outer.cause.message === 'inner')
    const fields = await rejects(t.run(targets.failWith, 'fields'), SyntaxError)
    assert.deepEqual({ ...fields }, { code: 'E_FIELDS', detail: { at: 7 } })
    assert.match(String(fields.stack), /targets\.[jt]s:\d+:\d+/)
  },

  'an error of a class that the parent does not know comes back as MP_REMOTE, with name, message, code and stack':
    async t => {
      const error = await rejects(t.run(targets.failWith, 'class'), MpError)
      assert.match(String(error.stack), /targets\.[jt]s:\d+:\d+/)
      assert.match(`${error.name} ${error.message} ${error.stack}`, /HomemadeError/)
      assert.match(error.message, /homemade/)
    },

  'a thrown value that is no error comes back as it is': async t => {
    for (const [kind, value] of [
      ['string', 'only a string'],
      ['undefined', undefined],
    ] as const) {
      const child = await t.start(targets.failWith, [kind])
      const settled = child.result().then(
        () => 'resolved',
        thrown => [thrown],
      )
      assert.deepEqual(await within(settled, 'result'), [value])
      await t.ends(child, 1)
    }
  },

  'a SharedArrayBuffer is the same memory at the other side': needs('sharedMemory', async t => {
    const shared = new Int32Array(new SharedArrayBuffer(8))
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.addToShared, [shared, theirs])
    await within(mine.recv(), 'the word')
    assert.deepEqual([...shared], [1, 0])
    const again = new Int32Array(shared.buffer, 4)
    await mine.send({ again })
    await within(mine.recv(), 'the word')
    assert.deepEqual([...shared], [1, 1])
    await t.ends(child)
  }),

  'many small values of one shape keep their fields apart': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    const shapes = Array.from({ length: 400 }, (_, i) =>
      i % 3 === 0 ? { a: i, b: i } : i % 3 === 1 ? { b: i, a: -i } : { [`k${i}`]: i },
    )
    for (const each of shapes) void mine.send(each)
    for (const each of shapes) assert.deepEqual(await within(mine.recv(), 'recv'), each)
    await mine.close()
    await t.ends(child)
  },
})
