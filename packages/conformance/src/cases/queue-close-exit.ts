import assert from 'node:assert/strict'
import { group, needs } from '../case.js'
import { rejects, within } from '../harness.js'
import * as targets from '../targets.js'
import * as limits from '../targets-limits.js'
import * as queueTargets from '../targets-queue.js'

export const queueCloseExit = group('Queue: close, flush, ends of producers', {
  'Q25 after close() every call rejects with MP_CLOSED; a second close does nothing': async t => {
    const queue = new t.api.Queue<number>()
    await queue.put(1)
    await queue.close()
    await rejects(queue.put(1), 'MP_CLOSED')
    await rejects(queue.get(), 'MP_CLOSED')
    await rejects(queue.putNowait(1), 'MP_CLOSED')
    await rejects(queue.getNowait(), 'MP_CLOSED')
    await rejects(queue.shutdown(), 'MP_CLOSED')
    await rejects(queue.flush(), 'MP_CLOSED')
    await queue.close()
    const process = t.process(queueTargets.getOne, [queue as never])
    await rejects(process.start(), 'MP_CLOSED')
    assert.deepEqual(t.api.activeChildren(), [])
  },

  'Q25 a close in one process leaves the others alone, and what was put arrives': async t => {
    for (const maxsize of [0, 4]) {
      const queue = new t.api.Queue(maxsize)
      assert.deepEqual(await t.run(queueTargets.closeQueue, queue, 'kept', maxsize > 0), [
        'MP_CLOSED',
        'MP_CLOSED',
        'MP_CLOSED',
        'MP_CLOSED',
      ])
      assert.equal(await within(queue.get(), 'get'), 'kept')
      await queue.put('still open')
      assert.equal(await t.run(queueTargets.getOne, queue), 'still open')
    }
  },

  'Q25 a close of the creator leaves the queue to the others': async t => {
    const queue = new t.api.Queue<string>()
    const back = new t.api.Queue<string>()
    const child = await t.start(targets.echoItems, [queue as never, back as never, 2])
    await queue.put('one')
    await queue.put('two')
    await queue.close()
    assert.equal(await within(back.get(), 'get'), 'one')
    assert.equal(await within(back.get(), 'get'), 'two')
    await t.ends(child)
  },

  'Q25 pending calls reject with MP_CLOSED when their own process closes the queue': async t => {
    const empty = new t.api.Queue<number>(1)
    const full = new t.api.Queue<number>(1)
    await full.put(1)
    const refused = Promise.all([rejects(empty.get(), 'MP_CLOSED'), rejects(full.put(2), 'MP_CLOSED')])
    await Promise.all([empty.close(), full.close()])
    await refused
  },

  'Q27 qsize(), empty() and full() reject with MP_CLOSED after close()': async t => {
    const queue = new t.api.Queue()
    await using other = new t.api.Queue()
    await queue.close()
    await rejects(queue.empty(), 'MP_CLOSED')
    await rejects(queue.full(), 'MP_CLOSED')
    await rejects(queue.qsize(), 'MP_CLOSED')
    assert.equal(await other.empty(), true)
  },

  'Q28 a producer that throws after its puts has delivered them all': async t => {
    for (const maxsize of [0, 200]) {
      const queue = new t.api.Queue<number>(maxsize)
      await t.ends(await t.start(queueTargets.putThen, [queue, 100, 'throw']), 1)
      for (let i = 0; i < 100; i++) assert.equal(await queue.getNowait(), i)
      assert.equal(await queue.empty(), true)
    }
  },

  'Q28 a producer that calls process.exit() after its puts has delivered them all': needs('isolation', async t => {
    for (const maxsize of [0, 200]) {
      const queue = new t.api.Queue<number>(maxsize)
      await t.ends(await t.start(queueTargets.putThen, [queue, 100, 'exit']), 7)
      for (let i = 0; i < 100; i++) assert.equal(await within(queue.get(), `item ${i}`), i)
      assert.equal(await queue.empty(), true)
    }
  }),

  "Q28 what an exit handler of the child's own puts is delivered": needs('isolation', async t => {
    for (const [end, code] of [
      ['return', 0],
      ['exit', 3],
    ] as const) {
      const queue = new t.api.Queue<string>()
      await t.ends(await t.start(limits.putAtExit, [queue as never, end]), code)
      assert.equal(await within(queue.get(), 'the item'), 'from the exit handler')
    }
  }),

  'Q29 a producer that is killed never delivers a torn item, nor one twice, nor one out of order': async t => {
    for (let round = 0; round < 3; round++) {
      const queue = new t.api.Queue<number[]>()
      const [orders, theirs] = t.pipe()
      const child = await t.start(queueTargets.produceForEver, [queue, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      await within(queue.get(), 'the first item')
      child.kill()
      await t.ends(child, -9)
      let next = 1
      for (; !(await queue.empty()); next++) assert.deepEqual(await queue.get(), new Array(1000).fill(next))
      await queue.put([0])
      assert.deepEqual(await queue.get(), [0])
    }
  },

  'Q31 join() resolves although 600 KB that the child put are in the queue; they are all there afterwards': async t => {
    const queue = new t.api.Queue<Uint8Array>()
    const child = await t.start(queueTargets.produceBytes, [queue, 6, 100_000])
    await t.ends(child)
    assert.equal(await queue.qsize(), 6)
    for (let i = 0; i < 6; i++) assert.deepEqual(await queue.getNowait(), new Uint8Array(100_000).fill(i))
  },

  'Q31 join() resolves although 64 MiB that the child put are in the queue': async t => {
    const queue = new t.api.Queue<Uint8Array>()
    const child = await t.start(queueTargets.produceBytes, [queue, 64, 1024 * 1024])
    await t.ends(child)
    assert.equal(await queue.qsize(), 64)
    for (let i = 0; i < 64; i++) {
      const item = await queue.getNowait()
      assert.ok(item.length === 1024 * 1024 && item[0] === i && item.at(-1) === i)
    }
    assert.equal(await queue.empty(), true)
  },

  'Q33 a consumer that is killed while it waits leaves the queue to the next one, and takes nothing with it':
    async t => {
      const queue = new t.api.Queue<string>()
      const [orders, theirs] = t.pipe()
      const child = await t.start(queueTargets.getForEver, [queue as never, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      child.kill()
      await t.ends(child, -9)
      const next = queue.get()
      await queue.put('item')
      assert.equal(await within(next, 'the next get', 1_000), 'item')
      await queue.put('another')
      assert.equal(await t.run(queueTargets.getOne<string>, queue), 'another')
    },

  'Q35 a producer that is killed while it waits for a slot takes no slot with it': async t => {
    const queue = new t.api.Queue<string>(2)
    await queue.put('one')
    await queue.put('two')
    const [orders, theirs] = t.pipe()
    const child = await t.start(queueTargets.putForEver, [queue as never, 'never', theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    child.kill()
    await t.ends(child, -9)
    assert.deepEqual([await queue.get(), await queue.get()], ['one', 'two'])
    await rejects(queue.getNowait(), 'MP_EMPTY')
    await within(Promise.all([queue.put('three'), queue.put('four')]), 'puts', 1_000)
    assert.equal(await queue.full(), true)
  },
})
