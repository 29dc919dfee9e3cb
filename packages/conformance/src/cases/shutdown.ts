import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, rejects, within } from '../harness.js'
import * as targets from '../targets-queue.js'

export const shutdown = group('Queue: shutdown', {
  'SD1 after a shutdown of an empty queue put and get reject with MP_SHUT_DOWN': async t => {
    const queue = new t.api.Queue<number>()
    await queue.shutdown()
    await rejects(queue.put(1), 'MP_SHUT_DOWN')
    await rejects(queue.putNowait(1), 'MP_SHUT_DOWN')
    await rejects(queue.get(), 'MP_SHUT_DOWN')
    await rejects(queue.getNowait(), 'MP_SHUT_DOWN')
    await queue.shutdown()
    assert.equal(await queue.qsize(), 0)
  },

  'SD2 gets drain what is there, then reject with MP_SHUT_DOWN': async t => {
    const queue = new t.api.Queue<number>()
    await queue.put(1)
    await queue.put(2)
    await queue.shutdown()
    await rejects(queue.put(3), 'MP_SHUT_DOWN')
    assert.equal(await queue.get(), 1)
    assert.equal(await queue.getNowait(), 2)
    await rejects(queue.get(), 'MP_SHUT_DOWN')
  },

  'SD2 a shutdown settles the calls that wait': async t => {
    const empty = new t.api.Queue<number>()
    const get = empty.get()
    const full = new t.api.Queue<number>(1)
    await full.put(1)
    const put = full.put(2)
    await assertPending(Promise.race([get, put]), 20)
    const refused = Promise.all([rejects(get, 'MP_SHUT_DOWN'), rejects(put, 'MP_SHUT_DOWN')])
    await empty.shutdown()
    await full.shutdown()
    await refused
    assert.equal(await full.get(), 1)
    await rejects(full.get(), 'MP_SHUT_DOWN')
  },

  'SD3 an immediate shutdown drops the items': async t => {
    const queue = new t.api.Queue<number>(2)
    await queue.put(1)
    await queue.put(2)
    const refused = rejects(queue.put(3), 'MP_SHUT_DOWN')
    await queue.shutdown({ immediate: true })
    await refused
    await rejects(queue.get(), 'MP_SHUT_DOWN')
    await rejects(queue.getNowait(), 'MP_SHUT_DOWN')
    assert.equal(await queue.qsize(), 0)
    const drained = new t.api.Queue<number>()
    await drained.put(1)
    await drained.shutdown()
    await drained.shutdown({ immediate: true })
    await rejects(drained.get(), 'MP_SHUT_DOWN')
  },

  'SD3 an immediate shutdown drops what a child was sent and has not taken': async t => {
    const queue = new t.api.Queue<number>()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.getThenPause, [queue, 50, theirs as never])
    for (let i = 0; i < 500; i++) await queue.put(i)
    assert.equal(await within(orders.recv(), 'the first items'), 'paused')
    await queue.shutdown({ immediate: true })
    await orders.send('go on')
    assert.deepEqual(await within(child.result(), 'result'), [50, 'MP_SHUT_DOWN'])
    await t.ends(child)
  },

  'SD7 a shutdown by the creator is seen by a child, pending calls included': async t => {
    for (const call of ['get', 'put'] as const) {
      const queue = new t.api.Queue(1)
      if (call === 'put') await queue.put('first')
      const [orders, theirs] = t.pipe()
      const child = await t.start(targets.outcomeOf, [queue, call, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      await queue.shutdown()
      assert.equal(await within(child.result(), 'result'), 'MP_SHUT_DOWN')
      await t.ends(child)
    }
  },

  'SD7 a shutdown by a child is seen by its creator and by other children': async t => {
    for (const immediate of [false, true]) {
      const queue = new t.api.Queue<string>()
      const [orders, theirs] = t.pipe()
      const other = await t.start(targets.outcomeOf, [queue as never, 'get', theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      await t.ends(await t.start(targets.shutDown, [queue as never, immediate]))
      assert.equal(await within(other.result(), 'result'), 'MP_SHUT_DOWN')
      await rejects(queue.get(), 'MP_SHUT_DOWN')
      await rejects(queue.put('late'), 'MP_SHUT_DOWN')
      await t.ends(other)
    }
  },

  'SD7 a put of a child that has had the queue before is refused': async t => {
    const queue = new t.api.Queue<string>()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.putBeforeAndWhenTold, [queue, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'has put')
    await queue.shutdown()
    await orders.send('put')
    assert.equal(await within(child.result(), 'result'), 'MP_SHUT_DOWN')
    assert.equal(await queue.get(), 'before')
    await rejects(queue.get(), 'MP_SHUT_DOWN')
    await t.ends(child)
  },

  'SD7 a queue that was shut down is so for a child that it comes to later': async t => {
    const queue = new t.api.Queue<string>()
    await queue.put('rest')
    await queue.shutdown()
    assert.deepEqual(await t.run(targets.drain<string>, queue), ['rest'])
    assert.deepEqual(await t.run(targets.tryPut, queue as never), 'MP_SHUT_DOWN')
  },

  'SD8 for await ends at the shutdown, in the creator and in a child': async t => {
    const queue = new t.api.Queue<number>()
    for (const item of [1, 2, 3]) await queue.put(item)
    await queue.shutdown()
    const all: number[] = []
    for await (const item of queue) all.push(item)
    assert.deepEqual(all, [1, 2, 3])
    const shared = new t.api.Queue<number>()
    const child = await t.start(targets.drain<number>, [shared])
    for (const item of [1, 2, 3]) await shared.put(item)
    await shared.shutdown()
    assert.deepEqual(await within(child.result(), 'result'), [1, 2, 3])
    await t.ends(child)
  },

  'SD8 for await that is left early takes no item too many': async t => {
    const queue = new t.api.Queue<number>()
    for (const item of [1, 2, 3]) await queue.put(item)
    for await (const item of queue) if (item === 2) break
    assert.equal(await queue.getNowait(), 3)
  },
})
