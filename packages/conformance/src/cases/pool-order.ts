import assert from 'node:assert/strict'
import type { Progress } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, assertTook, eventually, rejects, timed, within } from '../harness.js'
import * as targets from '../targets-pool.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const squares = (n: number) => upTo(n).map(i => i * i)

export const poolOrder = group('Pool: order, chunks, laziness', {
  'PL7 apply gives what the function returned, or its promise fulfilled with': async t => {
    await using pool = new t.api.Pool(2)
    assert.equal(await within(pool.apply(targets.square, [7]), 'apply'), 49)
    assert.equal(await within(pool.apply(targets.squareLater, [8]), 'apply'), 64)
    assert.equal(await within(pool.apply(targets.describeCall), 'apply'), '[]')
    assert.equal(await within(pool.apply(targets.describeCall, [1, 'two', null]), 'apply'), '[1,"two",null]')
    assert.equal(await within(pool.apply(targets.same<undefined>, [undefined]), 'apply'), undefined)
  },

  'PL8 map gives results in the order of the items, whatever the chunks; any iterable will do': async t => {
    await using pool = new t.api.Pool(2)
    for (const chunksize of [undefined, 1, 3, 1000]) {
      assert.deepEqual(await within(pool.map(targets.square, upTo(100), { chunksize }), 'map'), squares(100))
    }
    assert.deepEqual(await within(pool.map(targets.squareLater, upTo(100)), 'map'), squares(100))
    assert.deepEqual(await within(pool.map(targets.square, new Set([3, 1, 2])), 'map of a set'), [9, 1, 4])
    const generator = function* () {
      yield* upTo(10)
    }
    assert.deepEqual(await within(pool.map(targets.square, generator()), 'map of a generator'), squares(10))
    const later = async function* () {
      yield* upTo(100)
    }
    for (const chunksize of [undefined, 7]) {
      const results = pool.map(targets.square, later(), { chunksize })
      assert.deepEqual(await within(results, 'map of an async generator'), squares(100))
    }
    assert.deepEqual(await within(pool.map(targets.square, []), 'map of nothing'), [])
    assert.deepEqual(await within(pool.map(targets.square, (async function* () {})()), 'map of nothing'), [])
  },

  'PL8 items are taken at the call': async t => {
    await using pool = new t.api.Pool(1)
    const items = [{ n: 1 }, { n: 2 }]
    const args: [{ n: number }] = [{ n: 1 }]
    const mapped = pool.map(targets.same<{ n: number }>, items)
    const applied = pool.apply(targets.same<{ n: number }>, args)
    for (const item of items) item.n = 0
    args[0].n = 0
    assert.deepEqual(await within(mapped, 'map'), [{ n: 1 }, { n: 2 }])
    assert.deepEqual(await within(applied, 'apply'), { n: 1 })
  },

  'PL10 starmap takes each item apart into arguments': async t => {
    await using pool = new t.api.Pool(2)
    const items: [number, number][] = upTo(20).map(i => [i, 2 * i])
    const sums = upTo(20).map(i => 3 * i)
    assert.deepEqual(await within(pool.starmap(targets.add, items), 'starmap'), sums)
    const later = async function* () {
      yield* items
    }
    assert.deepEqual(await within(pool.starmap(targets.add, later()), 'starmap'), sums)
  },

  'PL11 the default chunk of map is a quarter of a worker’s share, that of imap one item': async t => {
    await using pool = new t.api.Pool(2)
    await within(pool.map(targets.square, upTo(40)), 'map')
    assert.equal(pool.stats().completed, 8)
    for await (const _ of pool.imap(targets.square, upTo(10)));
    assert.equal(pool.stats().completed, 18)
  },

  'PL13 imap gives results in order, each as soon as those before it are there': async t => {
    await using pool = new t.api.Pool(2)
    const [first, firstEnd] = t.pipe()
    const [second, secondEnd] = t.pipe()
    const results = pool.imap(targets.waitFor, [firstEnd, secondEnd])
    await within(Promise.all([first.recv(), second.recv()]), 'the words')
    await second.send('second')
    const taken = results.next()
    await assertPending(taken)
    await first.send('first')
    assert.deepEqual(await within(taken, 'next'), { done: false, value: 'first' })
    assert.deepEqual(await within(results.next(), 'next'), { done: false, value: 'second' })
    assert.deepEqual(await within(results.next(), 'next'), { done: true, value: undefined })
    assert.deepEqual(await within(results.next(), 'next'), { done: true, value: undefined })
    const all: number[] = []
    for await (const each of pool.imap(targets.square, upTo(1000), { chunksize: 7 })) all.push(each)
    assert.deepEqual(all, squares(1000))
  },

  'PL14 imapUnordered gives results as they come': async t => {
    await using pool = new t.api.Pool(2)
    const [first, firstEnd] = t.pipe()
    const [second, secondEnd] = t.pipe()
    const results = pool.imapUnordered(targets.waitFor, [firstEnd, secondEnd])
    await within(Promise.all([first.recv(), second.recv()]), 'the words')
    await second.send('second')
    assert.equal((await within(results.next(), 'next')).value, 'second')
    await first.send('first')
    assert.equal((await within(results.next(), 'next')).value, 'first')
    assert.equal((await within(results.next(), 'next')).done, true)
    const all: number[] = []
    for await (const each of pool.imapUnordered(targets.squareLater, upTo(500))) all.push(each)
    assert.deepEqual(
      all.sort((a, b) => a - b),
      squares(500),
    )
  },

  'PL15 a next() that times out leaves the result to the following one': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const results = pool.imap(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    const { ms } = await timed(() => rejects(results.next({ timeout: 30 }), 'MP_TIMEOUT'))
    assertTook(ms, 30)
    const controller = new AbortController()
    const aborted = results.next({ signal: controller.signal })
    controller.abort('enough')
    await rejects(aborted, { reason: 'enough' })
    await mine.send('late')
    assert.equal((await within(results.next(), 'next')).value, 'late')
    assert.equal((await within(results.next(), 'next')).done, true)
  },

  'PL16 imap reads its input as results are taken; break releases it': async t => {
    await using pool = new t.api.Pool(2)
    for (const kind of ['sync', 'async'] as const) {
      let read = 0
      let released = false
      const endless = function* () {
        try {
          for (;;) yield read++
        } finally {
          released = true
        }
      }
      const later = async function* () {
        yield* endless()
      }
      let taken = 0
      const results = pool.imap(targets.square, kind === 'sync' ? endless() : later(), { buffersize: 8 })
      for await (const each of results) {
        assert.equal(each, taken * taken)
        if (++taken === 50) break
        assert.ok(read <= taken + 9, `read ${read} items when ${taken} were taken`)
      }
      await eventually(() => released, 'the release of the input')
      assert.ok(read <= 60)
    }
    await eventually(() => pool.stats().running + pool.stats().queued === 0, 'the end of what was read ahead')
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },

  'PL16 a slow input delays nothing else, and its failure comes behind its items': async t => {
    await using pool = new t.api.Pool(1)
    let goOn!: () => void
    const gate = new Promise<void>(resolve => {
      goOn = resolve
    })
    const input = async function* () {
      yield 1
      await gate
      yield 2
      throw new SyntaxError('the input is broken')
    }
    const results = pool.imap(targets.square, input())
    assert.equal((await within(results.next(), 'next')).value, 1)
    const second = results.next()
    assert.equal(await within(pool.apply(targets.square, [5]), 'apply'), 25)
    goOn()
    assert.equal((await within(second, 'next')).value, 4)
    await rejects(results.next(), SyntaxError)
    assert.equal((await within(results.next(), 'next')).done, true)
    await rejects(pool.map(targets.square, input()), SyntaxError)
  },

  'PL16 close() and join() after some of the results were taken': async t => {
    const endless = function* () {
      for (let i = 0; ; i++) yield i
    }
    const pool = new t.api.Pool(2)
    const results = pool.imap(targets.square, endless())
    for (const expected of [0, 1, 4]) assert.equal((await within(results.next(), 'next')).value, expected)
    pool.close()
    await within(pool.join(), 'join')
    // The results of what had been read are still given; then it tells that there would be more.
    const rest = async () => {
      for (let i = 0; i < 1000; i++) await results.next()
    }
    await rejects(rest(), 'MP_CLOSED')
    assert.equal((await within(results.next(), 'next')).done, true, 'it was told')
  },

  'PL15 an imap that has failed as a whole rejects once, so that a loop that skips failures ends': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const results = pool.imap(targets.waitFor, [theirs], { timeout: 50 })
    await rejects(results.next(), 'MP_TIMEOUT')
    assert.equal((await within(results.next(), 'next')).done, true)
    await within(mine.close(), 'close')
    const abort = new AbortController()
    const aborted = pool.imap(targets.square, [1, 2, 3], { signal: abort.signal })
    const reason = new Error('enough')
    abort.abort(reason)
    const skipped: unknown[] = []
    for (let i = 0; i < 10; i++) {
      const next = await within(
        aborted.next().catch(error => error),
        'next',
      )
      if (next.done) break
      skipped.push(next)
    }
    assert.deepEqual(skipped, [reason])
  },

  'PL16 what imap reads from an array is completed though the pool is closed and joined': async t => {
    const pool = new t.api.Pool(2)
    const results = pool.imap(targets.square, upTo(200))
    pool.close()
    await within(pool.join(), 'join')
    const all: number[] = []
    for await (const each of results) all.push(each)
    assert.deepEqual(all, squares(200))
  },

  'PL17 two workers share the work': async t => {
    await using pool = new t.api.Pool(2)
    const names = new t.api.Queue<string>()
    const [one, oneEnd] = t.pipe()
    const [two, twoEnd] = t.pipe()
    const met = pool.starmap(
      targets.meet,
      [
        [t.module, names, oneEnd],
        [t.module, names, twoEnd],
      ],
      { chunksize: 1 },
    )
    const both = new Set([await within(names.get(), 'the first'), await within(names.get(), 'the second')])
    assert.equal(both.size, 2)
    await Promise.all([one.send('go'), two.send('go')])
    assert.deepEqual(new Set(await within(met, 'starmap')), both)
  },

  'onProgress hears of each chunk; what it throws rejects the map': async t => {
    await using pool = new t.api.Pool(2)
    const heard: Progress[] = []
    await within(pool.map(targets.square, upTo(10), { chunksize: 3, onProgress: each => void heard.push(each) }), 'map')
    assert.equal(heard.length, 4)
    assert.deepEqual(heard.at(-1), { done: 10, total: 10 })
    const onProgress = () => {
      throw new SyntaxError('no progress')
    }
    await rejects(pool.map(targets.square, upTo(10), { onProgress }), SyntaxError)
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },

  'handles travel in arguments, items and results': async t => {
    await using pool = new t.api.Pool(1)
    const queue = new t.api.Queue()
    assert.ok((await within(pool.apply(targets.useQueue, [queue]), 'apply')) instanceof t.api.Queue)
    const [back] = await within(pool.map(targets.useQueue, [queue]), 'map')
    assert.ok(back instanceof t.api.Queue)
    for (let i = 0; i < 2; i++) assert.equal(await within(queue.get(), 'get'), 'from the worker')
    await back.put('through what came back')
    assert.equal(await within(queue.get(), 'get'), 'through what came back')
    await back.close()
  },

  'a worker that is at a long task gives back what it has not begun': async t => {
    await using pool = new t.api.Pool(2)
    // The pool learns that these calls are short, and sends tasks ahead.
    for (let i = 0; i < 30; i++) await within(pool.map(targets.waitForFirst, upTo(50), { chunksize: 1 }), 'map')
    const [mine, theirs] = t.pipe()
    const items = [...upTo(100), theirs, ...upTo(200)]
    const results = pool.imapUnordered(targets.waitForFirst, items, { buffersize: 400 })
    for (let i = 0; i < 300; i++) assert.equal(typeof (await within(results.next(), 'a short task')).value, 'number')
    await within(mine.recv(), 'the word')
    await mine.send('over')
    assert.equal((await within(results.next(), 'the long task')).value, 'over')
  },

  'a worker that is busy for some milliseconds takes part again afterwards': needs('isolation', async t => {
    await using pool = new t.api.Pool(2)
    for (let i = 0; i < 30; i++) await within(pool.map(targets.busyFor, new Array(50).fill(0), { chunksize: 1 }), 'map')
    const items = upTo(300).map(i => (i === 100 ? 8 : 0))
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(await within(pool.map(targets.busyFor, items, { chunksize: 1 }), 'map'), items)
    }
  }),

  'what a worker that is busy has not begun is taken from it': needs('isolation', 'sharedMemory', async t => {
    await using pool = new t.api.Pool(2)
    for (let i = 0; i < 30; i++) await within(pool.map(targets.blockOn, upTo(50), { chunksize: 1 }), 'map')
    for (let round = 0; round < 3; round++) {
      const gate = new Int32Array(new SharedArrayBuffer(4))
      const items = [...upTo(100), gate.buffer as SharedArrayBuffer, ...upTo(200)]
      const results = pool.imapUnordered(targets.blockOn, items, { buffersize: 400 })
      for (let i = 0; i < 300; i++) assert.equal(typeof (await within(results.next(), 'a short task')).value, 'number')
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      assert.equal((await within(results.next(), 'the long task')).value, 'over')
      // The worker takes part again.
      assert.deepEqual(await within(pool.map(targets.square, upTo(100), { chunksize: 1 }), 'map'), squares(100))
      assert.deepEqual({ lost: pool.stats().lost, restarts: pool.stats().restarts }, { lost: 0, restarts: 0 })
    }
  }),
})
