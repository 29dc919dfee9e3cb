import assert from 'node:assert/strict'
import { group, needs } from '../case.js'
import { assertPending, assertTook, rejects, timed, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets.js'
import * as limits from '../targets-limits.js'
import * as queueTargets from '../targets-queue.js'
import { turns } from '../turns.js'

export const queueBounds = group('Queue: bounds, timeouts, signals', {
  'Q10 a queue of maxsize 6 takes six puts, then is full, and putNowait() rejects with MP_FULL': async t => {
    const queue = new t.api.Queue<number>(6)
    await queue.put(1)
    await queue.put(2, { timeout: 1_000 })
    await queue.put(3, { timeout: null })
    await queue.putNowait(4)
    await queue.put(5, { timeout: 0 })
    assert.equal(await queue.full(), false)
    await queue.putNowait(6)
    assert.equal(await queue.full(), true)
    await rejects(queue.putNowait(7), 'MP_FULL', 1_000)
    for (const timeout of [0, -1]) await rejects(queue.put(7, { timeout }), 'MP_FULL', 1_000)
    assert.equal(await queue.qsize(), 6)
    for (const item of [1, 2, 3, 4, 5, 6]) assert.equal(await queue.get(), item)
  },

  'Q10 the bound holds for all processes together': async t => {
    const queue = new t.api.Queue<string>(2)
    await queue.put('first')
    await t.ends(await t.start(targets.putAll<string>, [queue, ['second']]))
    assert.equal(await queue.full(), true)
    assert.equal(await queue.qsize(), 2)
    await rejects(queue.putNowait('more'), 'MP_FULL')
    const child = await t.start(targets.putAll<string>, [queue, ['third']])
    assert.equal(await within(child.join({ timeout: 50 }), 'join'), null)
    assert.deepEqual([await queue.get(), await queue.get()], ['first', 'second'])
    await t.ends(child)
    assert.equal(await queue.getNowait(), 'third')
    await rejects(queue.getNowait(), 'MP_EMPTY')
  },

  'Q10 a put that waits, here or in a child, gets the slot that a get frees, in order': async t => {
    const queue = new t.api.Queue<string>(1)
    await queue.put('first')
    const [orders, theirs] = t.pipe()
    const child = await t.start(queueTargets.outcomeOf, [queue as never, 'put', theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const local = queue.put('local')
    await assertPending(local)
    assert.equal(child.isAlive(), true)
    assert.equal(await queue.get(), 'first')
    assert.equal(await within(child.result(), 'result'), undefined)
    assert.equal(await within(queue.get(), 'get'), 'too much')
    await within(local, 'put')
    assert.equal(await within(queue.get(), 'get'), 'local')
    await t.ends(child)
  },

  'Q11 a put with a timeout on a full queue rejects with MP_FULL when it is over': async t => {
    const queue = new t.api.Queue<number>(1)
    await queue.put(1)
    const { ms } = await timed(() => rejects(queue.put(2, { timeout: 120 }), 'MP_FULL'))
    assertTook(ms, 120)
    assert.equal(await queue.get(), 1)
    assert.equal(await queue.empty(), true)
    await queue.putNowait(3)
    assert.equal(await queue.get(), 3)
  },

  'Q12 a maxsize of 0 or less is no bound': async t => {
    for (const maxsize of [0, -5]) {
      const queue = new t.api.Queue<number>(maxsize)
      for (let i = 0; i < 100; i++) await queue.putNowait(i)
      assert.equal(await queue.full(), false)
      assert.equal(await queue.qsize(), 100)
    }
  },

  'Q14 a get on an empty queue rejects with MP_EMPTY: at once, or when its timeout is over': async t => {
    const queue = new t.api.Queue()
    await rejects(queue.getNowait(), 'MP_EMPTY', 1_000)
    for (const timeout of [0, -1]) await rejects(queue.get({ timeout }), 'MP_EMPTY', 1_000)
    const { ms } = await timed(() => rejects(queue.get({ timeout: 120 }), 'MP_EMPTY'))
    assertTook(ms, 120)
    await rejects(queue.get({ timeout: 'soon' as never }), TypeError)
    await rejects(queue.get({ timeout: Number.NaN }), RangeError)
    await queue.put(1)
    assert.equal(await queue.get({ timeout: 0 }), 1)
  },

  'Q14 timeouts hold in a child, too': async t => {
    const queue = new t.api.Queue(1)
    const [getNow, getSoon, putNow, putSoon] = await t.run(queueTargets.limits, queue, 120)
    assert.deepEqual(
      [getNow?.code, getSoon?.code, putNow?.code, putSoon?.code],
      ['MP_EMPTY', 'MP_EMPTY', 'MP_FULL', 'MP_FULL'],
    )
    assertTook(getSoon?.ms ?? 0, 120)
    assertTook(putSoon?.ms ?? 0, 120)
    assert.equal(await queue.get(), 'filled')
    await rejects(queue.getNowait(), 'MP_EMPTY')
  },

  'Q16 a timeout bounds the whole call, also when a producer is killed in the middle of a put': async t => {
    const queue = new t.api.Queue<number[]>()
    const [orders, theirs] = t.pipe()
    const child = await t.start(queueTargets.produceForEver, [queue, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    child.kill()
    for (;;) {
      const { ms, value } = await timed(() => queue.get({ timeout: 300 }).catch(error => error.code))
      assert.ok(ms < patiently(2_500), `${ms} ms`)
      if (value === 'MP_EMPTY') break
    }
    await t.ends(child, -9)
  },

  'Q18 an aborted get rejects with the reason, and no item is lost': async t => {
    const queue = new t.api.Queue<number>()
    const reason = new Error('enough')
    const abort = new AbortController()
    const pending = queue.get({ signal: abort.signal })
    abort.abort(reason)
    await rejects(pending, { reason })
    await rejects(queue.get({ signal: abort.signal }), { reason })
    await queue.put(1)
    await rejects(queue.get({ signal: abort.signal }), { reason })
    assert.equal(await queue.getNowait(), 1)
    const other = new AbortController()
    await queue.put(2)
    const answered = queue.get({ signal: other.signal })
    other.abort(reason)
    const got = await within(
      answered.catch(() => 'aborted'),
      'get',
    )
    if (got === 'aborted') assert.equal(await queue.getNowait(), 2)
    else assert.equal(got, 2)
    await rejects(queue.getNowait(), 'MP_EMPTY')
  },

  'Q18 gets that are aborted in a child while items come lose none and double none': async t => {
    const queue = new t.api.Queue<number>()
    const child = await t.start(queueTargets.getAndAbort, [queue, 200])
    for (let i = 0; i < 200; i++) {
      await queue.put(i)
      if (i % 20 === 0) await turns(1)
    }
    const { got, aborted } = await within(child.result(), 'result')
    assert.deepEqual(
      [...got].sort((a, b) => a - b),
      Array.from({ length: 200 }, (_, index) => index),
      `${aborted} aborted`,
    )
    assert.equal(await queue.empty(), true)
    await t.ends(child)
  },

  'Q18 an aborted put rejects with the reason, and its item never appears': async t => {
    const queue = new t.api.Queue<number>(1)
    await queue.put(1)
    const reason = new Error('enough')
    const abort = new AbortController()
    const pending = queue.put(2, { signal: abort.signal })
    const behind = queue.put(3)
    abort.abort(reason)
    await rejects(pending, { reason })
    assert.equal(await queue.get(), 1)
    await within(behind, 'put')
    assert.equal(await queue.get(), 3)
    await rejects(queue.put(4, { signal: abort.signal }), { reason })
    await rejects(queue.getNowait(), 'MP_EMPTY')
  },

  'Q18 puts that are aborted in a child put nothing, and keep no slot': async t => {
    const queue = new t.api.Queue<number>(2)
    const { put, refused } = await t.run(queueTargets.putAndAbort, queue, 50)
    assert.ok(refused > 0)
    for (const item of put) assert.equal(await queue.getNowait(), item)
    await rejects(queue.getNowait(), 'MP_EMPTY')
    await queue.putNowait(1)
    await queue.putNowait(2)
  },

  "Q11 a put on an unbounded queue whose home's context is busy keeps its limits, and then has put nothing": needs(
    'isolation',
    'broker',
    async t => {
      for (const [how, reason] of [
        ['timeout', 'MP_FULL'],
        ['signal', 'TimeoutError'],
      ] as const) {
        const queue = new t.api.Queue<[number, string]>()
        const [report, theirs] = t.pipe<never, [number, string]>()
        const child = await t.start(limits.putUntilRefused, [queue as never, theirs as never, how])
        // Until the medium takes no more: after a few 100 KiB, or 4 MiB.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
        const [count, why] = await within(report.recv(), 'the report')
        assert.equal(why, reason)
        assert.ok(count > 1, `only ${count} puts came before the one that was refused`)
        await t.ends(child)
        for (let i = 0; i < count; i++) assert.equal((await queue.getNowait())[0], i)
        assert.equal(await queue.empty(), true)
      }
    },
  ),
})
