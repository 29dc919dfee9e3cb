import assert from 'node:assert/strict'
import { group } from '../case.js'
import { rejects, within } from '../harness.js'
import * as targets from '../targets-queue.js'

export const queueItems = group('Queue: the moment of encoding, what it tells', {
  'Q19 an item is taken as it is at the put': async t => {
    for (const maxsize of [0, 5]) {
      const queue = new t.api.Queue<number[]>(maxsize)
      await targets.putAndChange(queue)
      assert.deepEqual([await queue.get(), await queue.get()], [[1], [1, 2]])
      await t.ends(await t.start(targets.putAndChange, [queue]))
      assert.deepEqual([await queue.get(), await queue.get()], [[1], [1, 2]])
    }
  },

  'Q19 an item of a put that waits for its slot is taken as it is at the put': async t => {
    const queue = new t.api.Queue<number[]>(1)
    await queue.put([0])
    const list = [1]
    const waiting = queue.put(list)
    list.push(2)
    await queue.get()
    await within(waiting, 'put')
    assert.deepEqual(await queue.get(), [1])
  },

  'Q19 two gets never give the same object': async t => {
    const queue = new t.api.Queue<number[]>()
    const list = [1]
    await queue.put(list)
    await queue.put(list)
    const [a, b] = [await queue.get(), await queue.get()]
    assert.notEqual(a, list)
    assert.notEqual(a, b)
  },

  'Q20 a put of what cannot travel rejects with MP_ENCODE, and the queue goes on as if nothing had been': async t => {
    for (const maxsize of [0, 1]) {
      const queue = new t.api.Queue(maxsize)
      for (const item of [() => {}, Symbol('s'), Promise.resolve(), new WeakMap(), { deep: [{ f() {} }] }]) {
        await rejects(queue.put(item), 'MP_ENCODE')
        await rejects(queue.putNowait(item), 'MP_ENCODE')
      }
      assert.equal(await queue.qsize(), 0)
      await queue.putNowait('next')
      assert.equal(await queue.getNowait(), 'next')
      assert.deepEqual(await t.run(targets.putUnsendable, queue), { code: 'MP_ENCODE', size: 0 })
      assert.equal(await queue.getNowait(), 'after')
    }
  },

  'Q20 a put of what cannot travel is refused at once, not when it would have got its slot': async t => {
    const queue = new t.api.Queue(1)
    await queue.put(1)
    await rejects(
      queue.put(() => {}),
      'MP_ENCODE',
      1_000,
    )
    assert.equal(await queue.get(), 1)
  },

  'Q20 an item whose getter throws leaves nothing behind': async t => {
    const queue = new t.api.Queue(1)
    const reason = new Error('not readable')
    const hostile = {
      before: [1, 2, 3],
      get value(): never {
        throw reason
      },
    }
    const error = await rejects(queue.put(hostile), Error)
    assert.ok(
      error === reason ||
        (error as { cause?: unknown }).cause === reason ||
        (error as { code?: string }).code === 'MP_ENCODE',
    )
    await queue.putNowait('next')
    assert.equal(await queue.getNowait(), 'next')
  },

  'Q23 after an awaited put the queue is not empty, and getNowait() gives the item': async t => {
    for (const maxsize of [0, 3]) {
      const queue = new t.api.Queue<number>(maxsize)
      const expected = Array.from({ length: 20 }, (_, index) => [false, 1, index])
      assert.deepEqual(await targets.readOwnWrites(queue), expected)
      assert.deepEqual(await t.run(targets.readOwnWrites, queue), expected)
    }
  },

  'Q24 empty(), full() and qsize() tell at once, whoever waits': async t => {
    const queue = new t.api.Queue<number>(1)
    const waiting = queue.get()
    const tell = () => within(Promise.all([queue.empty(), queue.full(), queue.qsize()]), 'the answers', 1_000)
    assert.deepEqual(await tell(), [true, false, 0])
    await queue.put(1)
    await waiting
    await queue.put(2)
    const second = queue.put(3)
    assert.deepEqual(await tell(), [false, true, 1])
    await queue.get()
    await second
    await queue.get()
  },
})
