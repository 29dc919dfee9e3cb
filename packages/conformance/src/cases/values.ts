import assert from 'node:assert/strict'
import { MpError } from '@mp/core'
import { type Body, group, needs } from '../case.js'
import { rejects, within } from '../harness.js'
import * as targets from '../targets.js'
import * as handleTargets from '../targets-handles.js'
import * as processTargets from '../targets-process.js'
import { routes } from '../values/routes.js'
import { assertSame } from '../values/same.js'
import { valueTable } from '../values/table.js'

const perRoute = Object.entries(routes).flatMap(([name, route]): [string, Body][] => [
  [
    `values arrive as they are, as ${name}`,
    async t => {
      const way = await route(t)
      const table = valueTable()
      const arrived = (await way.trip([...table.values()])) as unknown[]
      for (const [index, [what, value]] of [...table].entries()) assertSame(arrived[index], value, what)
      if (!way.slow) for (const [what, value] of table) assertSame(await way.trip(value), value, what)
      await way.end()
    },
  ],
  [
    `values arrive as they are within others, and as properties of errors, as ${name}`,
    async t => {
      const way = await route(t)
      const held = [...valueTable()].map(([what, value]): [string, unknown] => [what, holders(value)])
      const arrived = (await way.trip(held)) as typeof held
      for (const [index, [what, value]] of held.entries()) assertSame(arrived[index]?.[1], value, what)
      await way.end()
    },
  ],
  [
    `generated values arrive as they are, as ${name}`,
    async t => {
      // Loaded when it is needed, since that takes a while.
      const [{ default: fc }, { generatedValue }] = await Promise.all([
        import('fast-check'),
        import('../values/generated.js'),
      ])
      const way = await route(t)
      const several = way.slow ? { minLength: 25, maxLength: 25 } : { minLength: 1, maxLength: 1 }
      const property = fc.asyncProperty(fc.array(generatedValue, several), async values =>
        assertSame(await way.trip(values), values),
      )
      await fc.assert(property, { seed: t.seed, numRuns: way.slow ? 2 : 60, interruptAfterTimeLimit: 10_000 })
      await way.end()
    },
  ],
])

/** A graph that holds the value several times, in everything that can hold one. It must stay one object. */
function holders(value: unknown): unknown {
  return {
    deep: [{ value }, [value]],
    map: new Map([['key', value]]),
    key: new Map([[value, 'value']]),
    set: new Set([value]),
    error: Object.assign(new RangeError('the holder', { cause: value }), { value, code: 'E_HOLDER' }),
    errors: new AggregateError([value], 'several'),
  }
}

class Unregistered {
  field = 1
}

export const values = group('Values', {
  ...Object.fromEntries(perRoute),

  'byte arrays of Buffer arrive as Uint8Array': async t => {
    for (const route of Object.values(routes)) {
      const way = await route(t)
      assertSame(await way.trip(Buffer.from('text')), new Uint8Array([116, 101, 120, 116]))
      await way.end()
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
    const both = await rejects(t.run(processTargets.failWith, 'aggregate'), AggregateError)
    assert.deepEqual(
      (both as AggregateError).errors.map(each => [each.constructor, each.message]),
      [
        [TypeError, 'one'],
        [RangeError, 'two'],
      ],
    )
    const outer = await rejects(t.run(processTargets.failWith, 'cause'), Error)
    assert.ok(outer.cause instanceof TypeError && outer.cause.message === 'inner')
    const fields = await rejects(t.run(processTargets.failWith, 'fields'), SyntaxError)
    assert.deepEqual({ ...fields }, { code: 'E_FIELDS', detail: { at: 7 } })
    assert.match(String(fields.stack), /targets-process\.[jt]s:\d+:\d+/)
  },

  'an error of a class that the parent does not know comes back as MP_REMOTE, with name, message, code and stack':
    async t => {
      const error = await rejects(t.run(processTargets.failWith, 'class'), MpError)
      assert.match(String(error.stack), /targets-process\.[jt]s:\d+:\d+/)
      assert.match(`${error.name} ${error.message} ${error.stack}`, /HomemadeError/)
      assert.match(error.message, /homemade/)
    },

  'a thrown value that is no error comes back as it is': async t => {
    for (const [kind, value] of [
      ['string', 'only a string'],
      ['undefined', undefined],
    ] as const) {
      const child = await t.start(processTargets.failWith, [kind])
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
    const child = await t.start(handleTargets.addToShared, [shared, theirs])
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
