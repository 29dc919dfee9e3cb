import assert from 'node:assert/strict'
import { serialize } from 'node:v8'
import type { Lock, SharedArray, SharedType, Value } from '@mp/core'
import { group, needs } from '../case.js'
import { rejects, throws, within } from '../harness.js'
import * as targets from '../targets-shared-values.js'

const integers = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const
const all = [...integers, 'f32', 'f64'] as const

const isBig = (type: SharedType) => type === 'i64' || type === 'u64'
const as = (type: SharedType, n: number) => (isBig(type) ? BigInt(n) : n)

type AnyValue = Value<SharedType, Lock | undefined>
type AnyArray = SharedArray<SharedType, Lock | undefined>

export const sharedValues = group('Value and SharedArray', {
  'SV1 they are there where memory is shared, and say so where it is not': async ({ api, capabilities }) => {
    const makers = [() => new api.Value('i32', 5), () => new api.SharedArray('i32', [5])]
    for (const make of makers) {
      if (capabilities.sharedMemory) assert.equal(make().type, 'i32')
      else throws(make, 'MP_NOT_SUPPORTED')
    }
  },

  'SV1 what a child writes its parent reads, of every type, with a lock and without': needs('sharedMemory', async t => {
    for (const lock of [true, false]) {
      const values = all.map((type): AnyValue => new t.api.Value(type, as(type, 7), { lock }))
      const before = await t.run(targets.writeInto, values, 42)
      assert.deepEqual(
        before,
        all.map(type => as(type, 7)),
      )
      for (const { type, value } of values) assert.equal(value, as(type, 42))
      const array: AnyArray = new t.api.SharedArray('i16', [1, 2, -3], { lock })
      await t.run(targets.doubleAll, array)
      assert.deepEqual([...array], [2, 4, -6])
      for (const each of [...values, array]) await each.close()
    }
  }),

  'SV1 one arrives in a message, deep in an object, and goes on to a grandchild': needs('sharedMemory', async t => {
    const counter = new t.api.Value('i32', 100)
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.addToReceived, [t.module, theirs])
    await orders.send({ inner: { counter } })
    assert.equal(await within(child.result(), 'the result'), true)
    assert.equal(counter.value, 111)
    await t.ends(child)
  }),

  'SV1 they outlive the child that made them, and so does their lock': needs('sharedMemory', async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.makeShared, [t.module, theirs])
    const { value, array } = (await within(mine.recv(), 'the message')) as {
      value: Value<'f64'>
      array: SharedArray<'u8', undefined>
    }
    await t.ends(child)
    assert.ok(value instanceof t.api.Value)
    assert.ok(array instanceof t.api.SharedArray)
    assert.equal(value.add(1), 0.5)
    assert.equal(await t.run(targets.isHeld, value), false)
    const guard = await within(value.lock.acquire(), 'the lock')
    assert.equal(await t.run(targets.isHeld, value), true)
    await guard.release()
    assert.equal(value.value, 1.5)
    assert.deepEqual([...array], [1, 2, 3])
    await value.close()
    await mine.close()
  }),

  'SV1 a queue hands on the same memory, and what travels otherwise is refused': needs('sharedMemory', async t => {
    const queue = new t.api.Queue<unknown>()
    const array = new t.api.SharedArray('u32', 2)
    await queue.put([array, array, array.view])
    const [one, two, view] = (await within(queue.get(), 'the item')) as [
      SharedArray<'u32'>,
      SharedArray<'u32'>,
      number[],
    ]
    assert.equal(one, two)
    one.set(1, 9)
    assert.deepEqual([array.get(1), view[1]], [9, 9])
    for (const copy of [() => JSON.stringify(array), () => structuredClone(array), () => serialize(array)]) {
      throws(copy, 'MP_NOT_SHAREABLE')
    }
    await one.close()
    throws(() => one.get(0), 'MP_CLOSED')
    await rejects(queue.put(one), 'MP_CLOSED')
    await rejects(one.lock.acquire(), 'MP_CLOSED')
    assert.equal(array.get(1), 9)
    await queue.close()
  }),

  'SV2 a lock of its own, a given one, or none; anything else is refused': needs('sharedMemory', async t => {
    const { Lock, RLock, Semaphore, SharedArray, Value } = t.api
    const given = new RLock()
    const makers = [
      (lock?: never) => new Value('i32', 0, { lock }),
      (lock?: never) => new SharedArray('i32', 1, { lock }),
    ]
    for (const make of makers) {
      const own = make()
      assert.ok(own.lock instanceof Lock)
      assert.ok(make(true as never).lock instanceof Lock)
      assert.notEqual(own.lock, make().lock)
      assert.equal(make(given as never).lock, given)
      assert.equal(make(false as never).lock, undefined)
      for (const wrong of [5, 'lock', {}, new Semaphore()]) throws(() => make(wrong as never), TypeError)
    }
    const bare = new Value('i32', 0, { lock: false })
    assert.equal(await t.run(targets.hasNoLock, [bare, new SharedArray('f32', 1, { lock: false })]), true)
  }),

  'SV2 the lock arrives with it, and one that was given stays open when the value is closed': needs(
    'sharedMemory',
    async t => {
      const lock = new t.api.Lock()
      const value = new t.api.Value('u8', 0, { lock })
      {
        await using _guard = await lock.acquire()
        assert.equal(await t.run(targets.isHeld, value), true)
      }
      assert.equal(await t.run(targets.isHeld, value), false)
      await value.close()
      throws(() => value.value, 'MP_CLOSED')
      assert.equal(await lock.locked(), false)
    },
  ),

  'SV3 a length gives zeros, also where memory was used before': needs('sharedMemory', async t => {
    for (let round = 0; round < 50; round++) {
      const array = new t.api.SharedArray('i32', 10_000, { lock: false })
      assert.equal(array.length, 10_000)
      assert.ok(array.view.every(each => each === 0))
      array.view.fill(-1)
    }
    assert.equal(new t.api.SharedArray('f64', 0).length, 0)
    for (const type of all) assert.equal(new t.api.Value(type).value, as(type, 0))
  }),

  'SV3 values are copied, from whatever can be iterated': needs('sharedMemory', async t => {
    const source = [1.5, -2, Number.POSITIVE_INFINITY]
    const array = new t.api.SharedArray('f64', source)
    source[0] = 9
    assert.deepEqual([...array], [1.5, -2, Number.POSITIVE_INFINITY])
    assert.deepEqual([...new t.api.SharedArray('u64', new Set([1n, 2n ** 64n - 1n]))], [1n, 2n ** 64n - 1n])
    assert.deepEqual([...new t.api.SharedArray('f32', new Float64Array([0.1]))], [Math.fround(0.1)])
    assert.ok(array.view instanceof Float64Array && array.view.buffer instanceof SharedArrayBuffer)
    array.view.set([3, 4], 1)
    assert.deepEqual(array.view.slice(1), new Float64Array([3, 4]))
    assert.equal(array.get(2), 4)
  }),

  'SV3 what is not there, does not fit, or is of the wrong type is refused, and nothing is written': needs(
    'sharedMemory',
    async ({ api }) => {
      const { SharedArray, Value } = api
      const array = new SharedArray('i32', [1, 2, 3])
      for (const index of [3, -1, 0.5, Number.NaN]) {
        throws(() => array.get(index), RangeError)
        throws(() => array.set(index, 7), RangeError)
        throws(() => array.add(index, 7), RangeError)
      }
      throws(() => array.get('1' as never), TypeError)
      throws(() => array.view.set([7, 7], 2), RangeError)
      throws(() => array.set(0, 7n as never), TypeError)
      throws(() => array.add(0, '7' as never), TypeError)
      assert.deepEqual([...array], [1, 2, 3])
      for (const length of [-1, 1.5, Number.NaN]) throws(() => new SharedArray('i32', length), RangeError)
      for (const content of [undefined, null, {}, 'abc', [1n], [1, undefined]]) {
        throws(() => new SharedArray('i32', content as never), TypeError)
      }
      for (const type of ['int', 'toString', undefined]) throws(() => new Value(type as never), TypeError)
      throws(() => new Value('i64', 1 as never), TypeError)
      throws(() => new Value('f64', '1' as never), TypeError)
    },
  ),

  'SV4 add() gives what was there, and loses nothing while others add': needs('sharedMemory', async t => {
    const arrays = all.map((type): AnyArray => new t.api.SharedArray(type, 2, { lock: false }))
    const count = 100_000
    const barrier = new t.api.Barrier(2)
    await Promise.all([1, 2].map(() => t.run(targets.addOften, arrays, count, barrier)))
    for (const { type, view } of arrays) {
      const sum = new (view.constructor as Float64ArrayConstructor)([as(type, 2 * count) as number])
      assert.deepEqual([...view], [as(type, 0), sum[0]], type)
    }
    for (const type of all) {
      const value: AnyValue = new t.api.Value(type, as(type, 5))
      assert.equal(value.add(as(type, 3)), as(type, 5))
      assert.equal(value.value, as(type, 8))
    }
  }),

  'SV4 a sum in two steps is exact while the lock is held': needs('sharedMemory', async t => {
    const counter = new t.api.Value('i32', 0)
    const children = [1, 2].map(() => t.run(targets.countUp, counter, 200))
    await Promise.all(children)
    assert.equal(counter.value, 400)
  }),

  'SV5 integers wrap, as in a typed array': needs('sharedMemory', async t => {
    for (const type of integers) {
      const bits = BigInt(type.slice(1))
      const signed = type.startsWith('i')
      const [least, most] = signed ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n]
      const of = (n: bigint) => (isBig(type) ? n : Number(n))
      const value: AnyValue = new t.api.Value(type, of(most))
      assert.equal(value.value, of(most))
      assert.equal(value.add(of(1n)), of(most))
      assert.equal(value.value, of(least))
      value.add(of(-1n))
      assert.equal(value.value, of(most))
      value.value = of(most + 2n)
      assert.equal(value.value, of(least + 1n))
      const array: AnyArray = new t.api.SharedArray(type, [of(most + 1n)])
      assert.equal(array.get(0), of(least))
    }
    assert.equal(new t.api.Value('i8', -1.9).value, -1)
    assert.equal(new t.api.Value('f32', 0.1).value, Math.fround(0.1))
  }),
})
