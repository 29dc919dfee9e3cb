import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, rejects, throws, within } from '../harness.js'
import * as targets from '../targets.js'
import * as queueTargets from '../targets-queue.js'

export const queueBasics = group('Queue: basics', {
  'Q1 a new queue is empty, not full, and of size 0': async t => {
    for (const queue of [new t.api.Queue(), new t.api.Queue(3)]) {
      assert.equal(await queue.empty(), true)
      assert.equal(await queue.full(), false)
      assert.equal(await queue.qsize(), 0)
      assert.ok(queue instanceof t.api.Queue)
    }
    throws(() => new t.api.Queue('3' as never), TypeError)
    throws(() => new t.api.Queue(Number.NaN), TypeError)
  },

  'Q2 items leave in the order in which they came, within one process': async t => {
    const queue = new t.api.Queue<number>()
    for (let i = 0; i < 500; i++) await queue.put(i)
    assert.equal(await queue.qsize(), 500)
    for (let i = 0; i < 500; i++) assert.equal(await queue.get(), i)
    assert.equal(await queue.empty(), true)
  },

  'Q2 items leave in the order in which they came, from one process to another and back': async t => {
    const there = new t.api.Queue<number>()
    const back = new t.api.Queue<number>()
    const child = await t.start(targets.echoItems, [there as never, back as never, 500])
    for (let i = 0; i < 500; i++) void there.put(i)
    for (let i = 0; i < 500; i++) assert.equal(await within(back.get(), `item ${i}`), i)
    await t.ends(child)
  },

  'Q2 pending gets are answered in the order in which they were called': async t => {
    const queue = new t.api.Queue<number>()
    const gets = Array.from({ length: 5 }, () => queue.get())
    for (let i = 0; i < 5; i++) await queue.put(i)
    assert.deepEqual(await within(Promise.all(gets), 'gets'), [0, 1, 2, 3, 4])
  },

  'Q3 the items of each of several producers stay in its order': async t => {
    const queue = new t.api.Queue<[number, number]>()
    const producers = await Promise.all([0, 1, 2, 3].map(each => t.start(queueTargets.produce, [queue, each, 500])))
    const next = [0, 0, 0, 0]
    for (let i = 0; i < 2000; i++) {
      const [producer, number] = await within(queue.get(), `item ${i}`)
      assert.equal(number, next[producer])
      next[producer] = number + 1
    }
    for (const producer of producers) await t.ends(producer)
    assert.equal(await queue.empty(), true)
  },

  'Q4 with several producers and consumers every item is received once, by one of them': async t => {
    for (const maxsize of [0, 7]) {
      const queue = new t.api.Queue<[number, number] | null>(maxsize)
      const consumers = await Promise.all([0, 1, 2].map(() => t.start(queueTargets.consume<[number, number]>, [queue])))
      const producers = await Promise.all(
        [0, 1, 2].map(each => t.start(queueTargets.produce, [queue as never, each, 200])),
      )
      for (const producer of producers) await t.ends(producer)
      for (const _ of consumers) await within(queue.put(null), 'put')
      const got = await within(Promise.all(consumers.map(each => each.result())), 'results')
      for (const each of got) {
        for (const producer of [0, 1, 2]) {
          const own = each.filter(item => item[0] === producer).map(item => item[1])
          assert.deepEqual(
            own,
            [...own].sort((a, b) => a - b),
            'one consumer sees one producer in order',
          )
        }
      }
      const all = got.flat().map(([producer, number]) => producer * 200 + number)
      assert.deepEqual(
        all.sort((a, b) => a - b),
        Array.from({ length: 600 }, (_, index) => index),
      )
      for (const consumer of consumers) await t.ends(consumer)
    }
  },

  'Q5 null, undefined and other odd values are ordinary items': async t => {
    const odd = [
      null,
      undefined,
      '',
      [],
      {},
      0,
      -0,
      Number.NaN,
      false,
      new Uint8Array(),
      2n ** 100n,
      '\u0000',
      '\ud800',
    ]
    const queue = new t.api.Queue()
    for (const item of odd) await queue.put(item)
    assert.equal(await queue.qsize(), odd.length)
    for (const item of odd) assert.deepEqual(await queue.get(), item)
    const back = new t.api.Queue()
    const child = await t.start(targets.echoItems, [queue, back, odd.length])
    for (const item of odd) await queue.put(item)
    for (const item of odd) assert.deepEqual(await within(back.get(), 'item'), item)
    await t.ends(child)
  },

  'Q6 items that were put before the start are there for the child; a child may be the first to put': async t => {
    const before = new t.api.Queue<string>()
    await before.put('early')
    assert.equal(await t.run(queueTargets.getOne<string>, before), 'early')
    const fresh = new t.api.Queue<string>()
    await t.ends(await t.start(targets.putAll<string>, [fresh, ['from the child']]))
    assert.equal(await within(fresh.get(), 'get'), 'from the child')
  },

  'Q7 a child may hand the queue on to its own child, and so on': async t => {
    for (const maxsize of [0, 1]) {
      const queue = new t.api.Queue<string>(maxsize)
      const child = await t.start(queueTargets.handOn, [t.module, queue as never, 'from below', 1])
      assert.equal(await within(queue.get(), 'get'), 'from below')
      assert.equal(await within(child.result(), 'result'), 0)
      await t.ends(child)
    }
  },

  'Q9 an item of 16 MiB arrives whole, both ways': async t => {
    const there = new t.api.Queue<Uint8Array>()
    const back = new t.api.Queue<Uint8Array>()
    const child = await t.start(targets.echoItems, [there as never, back as never, 1])
    const item = new Uint8Array(16 * 1024 * 1024).map((_, index) => index * 31 + (index >> 11))
    await within(there.put(item), 'put')
    const arrived = await within(back.get(), 'get')
    assert.ok(arrived instanceof Uint8Array)
    assert.equal(Buffer.compare(arrived, item), 0)
    await t.ends(child)
  },

  'Q9 items of 1 byte and of 1 MiB, mixed, keep their order': async t => {
    const there = new t.api.Queue<Uint8Array>()
    const back = new t.api.Queue<Uint8Array>()
    const child = await t.start(targets.echoItems, [there as never, back as never, 16])
    for (let i = 0; i < 16; i++) void there.put(new Uint8Array(i % 3 === 0 ? 1024 * 1024 : 1).fill(i))
    for (let i = 0; i < 16; i++) {
      const item = await within(back.get(), `item ${i}`)
      assert.equal(item.length, i % 3 === 0 ? 1024 * 1024 : 1)
      assert.ok(item[0] === i && item.at(-1) === i)
    }
    await t.ends(child)
  },

  'Q15 a get that waits is woken by a put of another process': async t => {
    const queue = new t.api.Queue<string>()
    const [orders, theirs] = t.pipe()
    const child = await t.start(queueTargets.putWhenTold, [queue as never, 'at last', theirs as never])
    const pending = queue.get()
    await assertPending(pending)
    await orders.send('put')
    assert.equal(await within(pending, 'get'), 'at last')
    await t.ends(child)
  },

  'Q15 a get that waits in a child is woken by a put of its parent': async t => {
    const queue = new t.api.Queue<string>()
    const [orders, theirs] = t.pipe()
    const child = await t.start(queueTargets.outcomeOf, [queue as never, 'get', theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    await queue.put('at last')
    assert.equal(await within(child.result(), 'result'), 'at last')
    await t.ends(child)
  },

  'Q32 a put on an unbounded queue does not wait for a consumer': async t => {
    const queue = new t.api.Queue<Uint8Array>()
    for (let i = 0; i < 8; i++) await within(queue.put(new Uint8Array(1024 * 1024)), 'put', 2_000)
    await t.ends(await t.start(queueTargets.produceBytes, [queue, 8, 1024 * 1024]))
    assert.equal(await queue.qsize(), 16)
  },

  'flush() resolves when everything has reached the home': async t => {
    const queue = new t.api.Queue<number>()
    void queue.put(1)
    await within(queue.flush(), 'flush')
    assert.equal(await queue.qsize(), 1)
    await rejects(queue.flush({ timeout: 'x' as never }), TypeError)
  },

  'Q14 a get that does not wait is refused although another one of the same context waits': async t => {
    const queue = new t.api.Queue<number>()
    const waits = queue.get()
    await rejects(queue.getNowait(), 'MP_EMPTY')
    await rejects(queue.get({ timeout: 0 }), 'MP_EMPTY')
    await queue.put(1)
    assert.equal(await within(waits, 'the get that waits'), 1)
    assert.equal(await t.run(queueTargets.refusedBesideGet, queue), 'MP_EMPTY')
  },
})
