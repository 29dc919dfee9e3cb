import assert from 'node:assert/strict'
import type { JoinableQueue } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, assertTook, rejects, timed, within } from '../harness.js'
import * as homeTargets from '../targets-homes.js'
import * as targets from '../targets-sync.js'
import { turns } from '../turns.js'

export const joinableQueue = group('JoinableQueue', {
  'J1 join() of a queue that was never used resolves at once': async t => {
    const queue = new t.api.JoinableQueue()
    assert.ok(queue instanceof t.api.JoinableQueue)
    assert.ok(queue instanceof t.api.Queue)
    assert.ok(!((new t.api.Queue() as unknown) instanceof t.api.JoinableQueue))
    await within(queue.join(), 'join')
  },

  'J2 join() resolves when taskDone was called for every item, by whomever': async t => {
    const queue = new t.api.JoinableQueue<number>()
    for (let item = 0; item < 5; item++) await queue.put(item)
    const join = queue.join()
    const items = await t.run(targets.work, queue, 3)
    assert.deepEqual(items, [0, 1, 2])
    await queue.taskDone()
    assert.equal(await queue.get(), 3)
    assert.equal(await queue.get(), 4)
    // All items are taken, and for one `taskDone` was not called.
    await assertPending(join, 30)
    await queue.taskDone()
    await within(join, 'join')
    await within(queue.join(), 'join')
    await queue.put(5)
    await assertPending(queue.join(), 20).finally(() => queue.taskDone())
  },

  'J2 what a child says right before it exits counts': needs('isolation', async t => {
    const queue = new t.api.JoinableQueue<number>()
    for (let item = 0; item < 5; item++) await queue.put(item)
    await t.ends(await t.start(targets.workAndExit, [queue, 3]))
    await queue.taskDone()
    await queue.taskDone()
    await within(queue.join(), 'join')
    await rejects(queue.taskDone(), 'MP_INVALID_STATE')
  }),

  'J2 a bounded one, whose producer is a child that joins it': async t => {
    const queue = new t.api.JoinableQueue<number>(2)
    const producer = await t.start(targets.putAndJoin, [queue, 20])
    const workers = [await t.start(targets.work, [queue, 10]), await t.start(targets.work, [queue, 10])]
    const taken = await within(Promise.all(workers.map(child => child.result())), 'results')
    assert.deepEqual(
      taken.flat().sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, item) => item),
    )
    assert.equal(await within(producer.result(), 'result'), 'done')
    for (const child of [producer, ...workers]) await t.ends(child)
    await within(queue.join(), 'join')
  },

  'J2 a queue that has moved to its parent knows what is to be dealt with, and that it was shut down': async t => {
    const [mine, theirs] = t.pipe<never, JoinableQueue<string>>()
    const child = await t.start(homeTargets.ownJoinableQueue, [t.module, theirs as never, ['a', 'b']])
    const queue = t.own(await within(mine.recv(), 'the queue'))
    await t.ends(child)
    await rejects(queue.put('c'), 'MP_SHUT_DOWN')
    assert.equal(await within(queue.get(), 'get'), 'b')
    await rejects(queue.get(), 'MP_SHUT_DOWN')
    const join = queue.join()
    await queue.taskDone()
    await assertPending(join, 30)
    await queue.taskDone()
    await within(join, 'join')
    await rejects(queue.taskDone(), 'MP_INVALID_STATE')
  },

  'J3 one taskDone too many is refused': async t => {
    const queue = new t.api.JoinableQueue<number>()
    await rejects(queue.taskDone(), 'MP_INVALID_STATE')
    await queue.put(1)
    await queue.get()
    await queue.taskDone()
    await rejects(queue.taskDone(), 'MP_INVALID_STATE')
    assert.equal(await t.run(targets.taskDoneOnce, queue), 'MP_INVALID_STATE')
  },

  'J5 join() has a limit of time, and an abort': async t => {
    const queue = new t.api.JoinableQueue<number>()
    await queue.put(1)
    const { ms } = await timed(() => rejects(queue.join({ timeout: 60 }), 'MP_TIMEOUT'))
    assertTook(ms, 60)
    const abort = new AbortController()
    const reason = new Error('enough')
    const pending = rejects(queue.join({ signal: abort.signal }), { reason })
    abort.abort(reason)
    await pending
    // A consumer that dies with an item never calls `taskDone` for it.
    const child = await t.start(targets.takeOnly, [queue])
    assert.equal(await within(child.result(), 'result'), 1)
    await t.ends(child)
    await rejects(queue.join({ timeout: 30 }), 'MP_TIMEOUT')
    await queue.taskDone()
    await within(queue.join(), 'join')
  },

  'it arrives as a JoinableQueue, and closes': async t => {
    const queue = new t.api.Queue<JoinableQueue<number>>()
    const jobs = new t.api.JoinableQueue<number>()
    await queue.put(jobs)
    const same = await within(queue.get(), 'the queue')
    assert.ok(same instanceof t.api.JoinableQueue)
    await same.put(1)
    const pending = rejects(same.join(), 'MP_CLOSED')
    await same.close()
    await pending
    await rejects(same.taskDone(), 'MP_CLOSED')
    await rejects(same.join(), 'MP_CLOSED')
    await jobs.taskDone()
    await within(jobs.join(), 'join')
    await queue.close()
  },

  'SD3 an immediate shutdown drops the items, which are dealt with thereby; join() is released': async t => {
    const queue = new t.api.JoinableQueue<number>()
    await queue.put(1)
    await queue.put(2)
    const join = queue.join()
    const producer = await t.start(targets.putAndJoin, [queue, 1])
    await assertPending(join, 30)
    while ((await queue.qsize()) < 3) await turns(1)
    await queue.shutdown({ immediate: true })
    await within(join, 'join')
    assert.equal(await within(producer.result(), 'result'), 'done')
    await rejects(queue.get(), 'MP_SHUT_DOWN')
    await rejects(queue.taskDone(), 'MP_INVALID_STATE')
    await within(queue.join(), 'join')
    await t.ends(producer)
  },

  'SD3 what was taken before an immediate shutdown is still to be dealt with': async t => {
    const queue = new t.api.JoinableQueue<number>()
    await queue.put(1)
    await queue.put(2)
    await queue.get()
    await queue.shutdown({ immediate: true })
    await rejects(queue.join({ timeout: 30 }), 'MP_TIMEOUT')
    await queue.taskDone()
    await within(queue.join(), 'join')
    await rejects(queue.taskDone(), 'MP_INVALID_STATE')
  },

  'SD6 after a shutdown consumers drain it, say what is done, and join() resolves': async t => {
    const queue = new t.api.JoinableQueue<number>()
    for (let item = 0; item < 4; item++) await queue.put(item)
    await queue.shutdown()
    const join = queue.join()
    assert.deepEqual(await t.run(targets.work, queue, 3), [0, 1, 2])
    await assertPending(join, 20)
    assert.equal(await queue.get(), 3)
    await rejects(queue.get(), 'MP_SHUT_DOWN')
    await queue.taskDone()
    await within(join, 'join')
  },
})
