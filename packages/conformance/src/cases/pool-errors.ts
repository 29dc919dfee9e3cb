import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, eventually, rejects, within } from '../harness.js'
import * as targets from '../targets-pool.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

export const poolErrors = group('Pool: errors', {
  'PL18 what a call throws arrives as it was, with the line that threw it': async t => {
    await using pool = new t.api.Pool(1)
    const errors = [
      await rejects(pool.apply(targets.failOdd, [3]), RangeError),
      await rejects(pool.map(targets.failOdd, [2, 3, 4]), RangeError),
    ]
    for (const error of errors) {
      assert.equal(error.message, 'odd: 3')
      assert.equal((error as { code?: string }).code, 'E_ODD')
      assert.equal((error as { n?: number }).n, 3)
      assert.match(error.stack ?? '', /failOdd.*targets-pool/)
    }
    for (const odd of ['a string', null, 0]) {
      const thrown = await within(
        pool.apply(targets.failWith, [odd]).catch((error: unknown) => ({ error })),
        'apply',
      )
      assert.deepEqual(thrown, { error: odd })
    }
  },

  'PL20 map rejects with the first failure, and only after every call is through': async t => {
    await using pool = new t.api.Pool(2)
    const [mine, theirs] = t.pipe()
    const [other, othersEnd] = t.pipe()
    // The first item is a task that waits; the second fails at once.
    const mapped = pool.starmap(
      targets.waitForOrFail,
      [
        [theirs, null],
        [null, 'early'],
        [othersEnd, null],
      ],
      { chunksize: 1 },
    )
    await within(mine.recv(), 'the word')
    await mine.send('done')
    await within(other.recv(), 'the word of the last')
    await assertPending(mapped)
    await other.send('done')
    const error = await rejects(mapped, RangeError)
    assert.equal(error.message, 'early')
  },

  'PL20 with failFast it rejects at once, and what has not begun is dropped': async t => {
    await using pool = new t.api.Pool(1)
    const path = t.file('ran')
    const items: [string, string | null][] = upTo(100).map(i => [path, i === 0 ? 'early' : null])
    await rejects(pool.starmap(targets.noteOrFail, items, { chunksize: 1, failFast: true }), RangeError)
    await eventually(() => pool.stats().running === 0, 'the end of what was sent')
    assert.ok(pool.stats().completed < 100)
    const later = async function* () {
      yield* items
    }
    await rejects(pool.starmap(targets.noteOrFail, later(), { failFast: true }), RangeError)
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },

  'a failure in a chunk is that item’s alone': async t => {
    await using pool = new t.api.Pool(2)
    for (const chunksize of [1, 4]) {
      const results = pool.imap(targets.failOdd, upTo(10), { chunksize })
      for (let i = 0; i < 10; i++) {
        if (i % 2 === 0) assert.equal((await within(results.next(), 'next')).value, i)
        else assert.equal((await rejects(results.next(), RangeError)).message, `odd: ${i}`)
      }
      assert.equal((await within(results.next(), 'next')).done, true)
    }
  },

  'PL23 arguments that cannot travel reject that job alone; what would have moved stays': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    await rejects(pool.apply(targets.same, [() => {}]), 'MP_ENCODE')
    await rejects(pool.map(targets.same, [1, 2, () => {}]), 'MP_ENCODE')
    await rejects(pool.map(targets.same, [theirs, Symbol('no')], { chunksize: 1 }), 'MP_ENCODE')
    assert.equal(theirs.closed, false)
    const running = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    await mine.send('worked')
    assert.equal(await within(running, 'apply'), 'worked')
    assert.equal(pool.stats().restarts, 0)
  },

  'PL23 in an imap they reject their own next()': async t => {
    await using pool = new t.api.Pool(1)
    for (const chunksize of [1, 3]) {
      const results = pool.imap(targets.same, [1, () => {}, 3], { chunksize })
      assert.equal((await within(results.next(), 'next')).value, 1)
      const error = await rejects(results.next(), 'MP_ENCODE')
      assert.match(error.message, /function/)
      assert.equal((await within(results.next(), 'next')).value, 3)
      assert.equal((await within(results.next(), 'next')).done, true)
    }
  },

  'PL24 a result that cannot travel rejects, and says where and why; no worker is lost': async t => {
    await using pool = new t.api.Pool(2)
    for (let i = 0; i < 20; i++) {
      const error = await rejects(pool.apply(targets.giveUnsendable, [1]), 'MP_ENCODE')
      assert.match(error.message, /callback.*function/)
    }
    await rejects(pool.map(targets.giveUnsendable, upTo(10)), 'MP_ENCODE')
    const results = pool.imap(targets.giveUnsendable, upTo(6), { chunksize: 3 })
    for (const i of upTo(6)) {
      if (i % 2 === 1) await rejects(results.next(), 'MP_ENCODE')
      else assert.equal((await within(results.next(), 'next')).value, i)
    }
    assert.equal((await within(results.next(), 'next')).done, true)
    const { lost, restarts } = pool.stats()
    assert.deepEqual({ lost, restarts }, { lost: 0, restarts: 0 })
  },

  'a getter in the arguments of a call may make another call': async t => {
    await using pool = new t.api.Pool(1)
    const inner: Promise<unknown>[] = []
    const value = (n: number) => ({
      before: 'b'.repeat(n),
      get getter() {
        inner.push(pool.apply(targets.same<unknown>, ['inner'.repeat(n)]))
        return n
      },
      after: 'a'.repeat(n),
    })
    const sizes = [1, 100, 20_000]
    const calls = sizes.map(n => pool.apply(targets.same<unknown>, [value(n)]))
    const outer = sizes.map(n => ({ before: 'b'.repeat(n), getter: n, after: 'a'.repeat(n) }))
    assert.deepEqual(await within(Promise.all(calls), 'the calls'), outer)
    const texts = sizes.map(n => 'inner'.repeat(n))
    assert.deepEqual(await within(Promise.all(inner), 'the calls of the getters'), texts)
  },

  'PL25 a thousand jobs at once settle, each once, as its own': async t => {
    await using pool = new t.api.Pool(2)
    const jobs = upTo(1000).map(i =>
      pool.apply(targets.failOdd, [i]).then(
        value => value === i,
        error => error.message === `odd: ${i}` && i % 2 === 1,
      ),
    )
    const outcomes = await within(Promise.all(jobs), 'a thousand jobs')
    assert.ok(outcomes.every(Boolean))
    const { completed, failed } = pool.stats()
    assert.deepEqual({ completed, failed }, { completed: 500, failed: 500 })
  },
})
