import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Queue } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, eventually, rejects, within } from '../harness.js'
import * as targets from '../targets.js'
import * as homeTargets from '../targets-homes.js'
import * as queueTargets from '../targets-queue.js'
import { turns } from '../turns.js'

export const queueHomes = group('Queue: the end of its creator', {
  'Q36 a queue whose creator ends in order lives on in its parent, with its items': async t => {
    for (const maxsize of [0, 3]) {
      const [mine, theirs] = t.pipe<never, Queue>()
      const child = await t.start(homeTargets.ownQueue, [t.module, theirs as never, ['a', 'b'], maxsize, null])
      const queue = t.own(await within(mine.recv(), 'the queue'))
      await t.ends(child)
      assert.equal(await within(queue.qsize(), 'qsize'), 2)
      assert.equal(await within(queue.get(), 'get'), 'a')
      await within(queue.put('c'), 'put')
      assert.equal(await t.run(queueTargets.getOne, queue), 'b')
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
    const child = await t.start(homeTargets.ownQueue, [t.module, theirs as never, [], 1, ordersEnd as never])
    const queue = t.own(await within(mine.recv(), 'the queue'))
    const get = queue.get()
    const [others, othersEnd] = t.pipe()
    const sibling = await t.start(queueTargets.outcomeOf, [queue, 'get', othersEnd as never])
    assert.equal(await within(others.recv(), 'the word'), 'running')
    await orders.send('end')
    await t.ends(child)
    await assertPending(get)
    await within(queue.put('one'), 'put')
    await within(queue.put('two'), 'put')
    assert.equal(await within(get, 'get'), 'one')
    assert.equal(await within(sibling.result(), 'result'), 'two')
    await t.ends(sibling)
  },

  'Q36 two creators that exit at the same time, and hold the queue of each other, do not wait for each other': needs(
    'isolation',
    'broker',
    async t => {
      const pipes = [t.pipe<unknown, Queue>(), t.pipe<unknown, Queue>()] as const
      const enough = t.file('enough')
      const busy = [t.file('busy0'), t.file('busy1')] as const
      const children = await Promise.all(
        ([0, 1] as const).map(i =>
          t.start(homeTargets.swapQueuesAndExit, [t.module, pipes[i][1] as never, busy[i], enough, i]),
        ),
      )
      const queues = await Promise.all(pipes.map(async ([mine]) => t.own(await within(mine.recv(), 'the queue'))))
      await pipes[0][0].send(queues[1] as Queue)
      await pipes[1][0].send(queues[0] as Queue)
      for (const [mine] of pipes) assert.equal(await within(mine.recv(), 'the word'), 'ready')
      for (const [mine] of pipes) await mine.send('go')
      await eventually(() => busy.every(path => existsSync(path)), 'the busy loops')
      const start = performance.now()
      writeFileSync(enough, '')
      for (const child of children) await t.ends(child, 4)
      const ms = performance.now() - start
      // The item that each put into the other's queue right before it exited.
      assert.equal(await within(queues[0]?.get() as Promise<unknown>, 'get'), 'from 1')
      assert.equal(await within(queues[1]?.get() as Promise<unknown>, 'get'), 'from 0')
      assert.ok(ms < 900, `the exit took ${ms} ms`)
      await Promise.all(pipes.map(([mine]) => mine.close()))
    },
  ),

  'Q36 what lies unread at a creator that exits is not lost: pending gets go on, puts arrive': needs(
    'isolation',
    async t => {
      const [mine, theirs] = t.pipe<never, Queue>()
      const [busy, enough] = [t.file('busy'), t.file('enough')]
      const child = await t.start(homeTargets.ownQueueAndExit, [t.module, theirs as never, busy, enough])
      const queue = t.own(await within(mine.recv(), 'the queue'))
      await eventually(() => existsSync(busy), 'the busy loop')
      const get = queue.get()
      await queue.put('one')
      await queue.put('two')
      // Time for the calls to leave this context.
      await turns(5)
      writeFileSync(enough, '')
      await t.ends(child, 4)
      assert.equal(await within(get, 'the pending get', 1_500), 'one')
      assert.equal(await within(queue.get(), 'the next get', 1_500), 'two')
      await rejects(queue.getNowait(), 'MP_EMPTY')
    },
  ),

  'Q36 a queue of a child that exits, in use by its sibling, loses nothing and goes on': needs('isolation', async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(homeTargets.ownQueueUntilToldToExit, [t.module, theirs as never, ordersEnd as never])
    const queue = t.own(await within(mine.recv(), 'the queue'))
    const sibling = await t.start(targets.putAll, [queue, Array.from({ length: 3_000 }, (_, i) => i)])
    assert.equal(await within(queue.get(), 'the first'), 0)
    await orders.send('exit')
    await t.ends(child, 4)
    for (let i = 1; i < 3_000; i++) assert.equal(await within(queue.get(), `item ${i}`), i)
    await t.ends(sibling)
    await rejects(queue.getNowait(), 'MP_EMPTY')
    await within(queue.put('more'), 'put')
    assert.equal(await t.run(queueTargets.getOne, queue), 'more')
  }),

  'Q36 no consumer is given an older item than it has, because another one was busy when the queue moved': needs(
    'isolation',
    'broker',
    async t => {
      const [mine, theirs] = t.pipe<never, Queue<string>>()
      const [orders, ordersEnd] = t.pipe()
      const [busy, enough] = [t.file('busy'), t.file('enough')]
      const owner = await t.start(homeTargets.ownQueue, [t.module, theirs as never, [], 0, ordersEnd as never])
      const queue = t.own(await within(mine.recv(), 'the queue'))
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      const other = await t.start(homeTargets.getWhileBusy, [queue, busy, enough])
      await eventually(() => existsSync(busy), 'the busy loop')
      const get = queue.get()
      for (const item of ['older', 'younger']) await queue.put(item)
      assert.equal(await within(get, 'get'), 'younger')
      const next = queue.get()
      // Home has read the call.
      await within(queue.qsize(), 'qsize')
      await orders.send('end')
      // Home has told its holders to move.
      await pause(100)
      writeFileSync(enough, '')
      await t.ends(owner)
      assert.equal(await within(other.result(), 'the item of the busy one'), 'older')
      await assertPending(next)
      await queue.put('youngest')
      assert.equal(await within(next, 'the next get'), 'youngest')
      await t.ends(other)
    },
  ),

  'Q36 an end of a pipe that was in use moves on although its holder exits': needs('isolation', async t => {
    const [near, far] = t.pipe<string, string>()
    const [mine, theirs] = t.pipe<never, typeof far>()
    const child = await t.start(homeTargets.useAndHandOnAndExit, [far as never, theirs as never])
    await near.send('for the child')
    assert.equal(await within(near.recv(), 'recv'), 'got for the child')
    for (const word of ['one', 'two', 'three']) await near.send(word)
    const moved = await within(mine.recv(), 'the end')
    await t.ends(child, 4)
    for (const word of ['one', 'two', 'three']) assert.equal(await within(moved.recv(), 'recv'), word)
    await moved.send('back')
    assert.equal(await within(near.recv(), 'recv'), 'back')
    await Promise.all([near.close(), moved.close(), mine.close()])
  }),

  'Q36 a queue of a grandchild that ended, and of its parent that ended, lives on': async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const child = await t.start(homeTargets.ownQueueBelow, [t.module, theirs as never, ['deep']])
    const queue = t.own(await within(mine.recv(), 'the queue'))
    await t.ends(child)
    assert.equal(await within(queue.get(), 'get'), 'deep')
    await within(queue.put('again'), 'put')
    assert.equal(await t.run(queueTargets.getOne, queue), 'again')
  },

  'Q36 calls that are made while their context learns of the move are made once': async t => {
    const [mine, theirs] = t.pipe<never, homeTargets.Owned>()
    const [orders, ordersEnd] = t.pipe()
    const user = await t.start(homeTargets.useAtOnce, [mine as never, ordersEnd as never])
    const owner = await t.start(homeTargets.ownAll, [t.module, theirs as never])
    await t.ends(owner)
    // The handles lie unread, and with them word of the move.
    await orders.send('open them')
    const outcome = await within(user.result(), 'what came of the calls')
    assert.deepEqual(outcome, { items: ['a', 'b', 'c'], size: 0, permits: 1, arrivals: [0, 1] })
    await t.ends(user)
  },

  'Q36 a queue whose creator is killed is shut down for the others, pending calls included': async t => {
    const [mine, theirs] = t.pipe<never, Queue>()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(homeTargets.ownQueue, [t.module, theirs as never, ['a'], 1, ordersEnd as never])
    const queue = await within(mine.recv(), 'the queue')
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const refused = rejects(queue.put('b'), 'MP_SHUT_DOWN')
    await queue.qsize()
    const [others, othersEnd] = t.pipe()
    const sibling = await t.start(queueTargets.outcomeOf, [queue, 'put', othersEnd as never])
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
    const child = await t.start(homeTargets.ownQueue, [t.module, theirs as never, [], 0, ordersEnd as never])
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
