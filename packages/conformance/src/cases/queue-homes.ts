import assert from 'node:assert/strict'
import type { Queue } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, eventually, rejects, within } from '../harness.js'
import * as targets from '../targets.js'

export const queueHomes = group('Queue: the end of its creator', {
  'Q36 a queue whose creator ends in order lives on in its parent, with its items': async t => {
    for (const maxsize of [0, 3]) {
      const [mine, theirs] = t.pipe<never, Queue>()
      const child = await t.start(targets.ownQueue, [t.module, theirs as never, ['a', 'b'], maxsize, null])
      const queue = await within(mine.recv(), 'the queue')
      await t.ends(child)
      assert.equal(await within(queue.qsize(), 'qsize'), 2)
      assert.equal(await within(queue.get(), 'get'), 'a')
      await within(queue.put('c'), 'put')
      assert.equal(await t.run(targets.getOne, queue), 'b')
      assert.equal(await within(queue.get(), 'get'), 'c')
      await rejects(queue.getNowait(), 'MP_EMPTY')
      if (maxsize > 0) {
        for (let i = 0; i < maxsize; i++) await within(queue.putNowait(i), 'putNowait')
        await rejects(queue.putNowait('more'), 'MP_FULL')
      }
    }
  },

  'Q36 calls that are pending when the creator ends in order go on in its parent': async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.ownQueue, [t.module, theirs as never, [], 1, ordersEnd as never])
    const queue = await within(mine.recv(), 'the queue')
    const get = queue.get()
    const [others, othersEnd] = t.pipe()
    const sibling = await t.start(targets.outcomeOf, [queue, 'get', othersEnd as never])
    assert.equal(await within(others.recv(), 'the word'), 'running')
    await orders.send('end')
    await t.ends(child)
    await assertPending(get)
    await within(queue.put('one'), 'put')
    await within(queue.put('two'), 'put')
    // Which of them the new home hears first is open: fairness across a move is not promised.
    const got = [await within(get, 'get'), await within(sibling.result(), 'result')]
    assert.deepEqual(got.sort(), ['one', 'two'])
    await t.ends(sibling)
  },

  'Q36 what lies unread at a creator that exits is not lost: pending gets go on, puts arrive': needs(
    'isolation',
    'sharedMemory',
    async t => {
      const [mine, theirs] = t.pipe<never, Queue>()
      const flags = new Int32Array(new SharedArrayBuffer(8))
      const child = await t.start(targets.ownQueueAndExit, [t.module, theirs as never, flags])
      const queue = await within(mine.recv(), 'the queue')
      await eventually(() => flags[0] === 1, 'the busy loop')
      const get = queue.get()
      await queue.put('one')
      await queue.put('two')
      // Time to leave this thread.
      for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
      Atomics.store(flags, 1, 1)
      await t.ends(child, 4)
      assert.equal(await within(get, 'the pending get', 1_500), 'one')
      assert.equal(await within(queue.get(), 'the next get', 1_500), 'two')
      await rejects(queue.getNowait(), 'MP_EMPTY')
    },
  ),

  'Q36 a queue of a grandchild that ended, and of its parent that ended, lives on': async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const child = await t.start(targets.ownQueueBelow, [t.module, theirs as never, ['deep']])
    const queue = await within(mine.recv(), 'the queue')
    await t.ends(child)
    assert.equal(await within(queue.get(), 'get'), 'deep')
    await within(queue.put('again'), 'put')
    assert.equal(await t.run(targets.getOne, queue), 'again')
  },

  'Q36 a queue whose creator is killed is shut down for the others, pending calls included': async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.ownQueue, [t.module, theirs as never, ['a'], 1, ordersEnd as never])
    const queue = await within(mine.recv(), 'the queue')
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const refused = rejects(queue.put('b'), 'MP_SHUT_DOWN')
    await queue.qsize()
    const [others, othersEnd] = t.pipe()
    const sibling = await t.start(targets.outcomeOf, [queue, 'put', othersEnd as never])
    assert.equal(await within(others.recv(), 'the word'), 'running')
    child.kill()
    await within(refused, 'the refusal', 1_500)
    assert.equal(await within(sibling.result(), 'result', 1_500), 'MP_SHUT_DOWN')
    await rejects(queue.get(), 'MP_SHUT_DOWN', 1_500)
    await rejects(queue.put(1), 'MP_SHUT_DOWN', 1_500)
    await rejects(queue.getNowait(), 'MP_SHUT_DOWN', 1_500)
    await t.ends(child, -9)
    await t.ends(sibling)
  },

  'Q36 a get that waits at a queue whose creator is killed rejects with MP_SHUT_DOWN within a second': async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.ownQueue, [t.module, theirs as never, [], 0, ordersEnd as never])
    const queue = await within(mine.recv(), 'the queue')
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const get = queue.get()
    await assertPending(get)
    child.terminate()
    await rejects(get, 'MP_SHUT_DOWN', 1_500)
    await t.ends(child, -15)
  },

  "Q36 a get on one's own queue stays pending when the other holders have ended or were killed": async t => {
    const queue = new t.api.Queue<string>()
    const get = queue.get()
    const [, theirs] = t.pipe()
    const killed = await t.start(targets.keep, [queue, theirs as never])
    await t.ends(await t.start(targets.takeHandle, [queue]))
    killed.kill()
    await t.ends(killed, -9)
    await assertPending(get)
    await queue.put('own')
    assert.equal(await within(get, 'get'), 'own')
  },
})
