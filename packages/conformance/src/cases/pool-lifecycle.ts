import assert from 'node:assert/strict'
import { group, needs } from '../case.js'
import { collectGarbage } from '../garbage.js'
import { assertTook, eventually, rejects, throws, timed, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets-pool.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

export const poolLifecycle = group('Pool: life', {
  'PL35 PL39 EX3 close() takes no more, and completes what was submitted; again, it does nothing': async t => {
    const pool = new t.api.Pool(2)
    const jobs = upTo(20).map(i => pool.apply(targets.squareLater, [i]))
    const mapped = pool.map(targets.square, upTo(100))
    const results = pool.imap(targets.square, upTo(100))
    pool.close()
    pool.close()
    await rejects(pool.apply(targets.square, [1]), 'MP_CLOSED')
    await rejects(pool.map(targets.square, [1]), 'MP_CLOSED')
    throws(() => pool.imap(targets.square, [1]), 'MP_CLOSED')
    assert.equal((await within(mapped, 'map')).length, 100)
    assert.equal((await within(Promise.all(jobs), 'jobs')).length, 20)
    let count = 0
    for await (const _ of results) count++
    assert.equal(count, 100)
    await within(pool.join(), 'join')
  },

  'PL36 join() before close() is refused; then it resolves when all workers are gone, any number of times': async t => {
    const pool = new t.api.Pool(2)
    await rejects(pool.join(), 'MP_INVALID_STATE')
    const [mine, theirs] = t.pipe()
    const job = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    pool.close()
    const { ms } = await timed(() => rejects(pool.join({ timeout: 30 }), 'MP_TIMEOUT'))
    assertTook(ms, 30)
    await mine.send('over')
    assert.equal(await within(job, 'job'), 'over')
    await within(Promise.all([pool.join(), pool.join()]), 'join')
    assert.equal(t.api.activeChildren().length, 0)
    await within(pool.join(), 'join again')
    assert.equal(pool.stats().workers, 0)
  },

  'PL38 leaving the scope of a pool completes what was submitted': async t => {
    let job: Promise<number[]>
    {
      await using pool = new t.api.Pool(2)
      job = pool.map(targets.squareLater, upTo(50))
    }
    assert.equal((await within(job, 'map')).length, 50)
    assert.equal(t.api.activeChildren().length, 0)
  },

  'terminate() ends the workers at whatever they are at; jobs reject': async t => {
    const pool = new t.api.Pool(2)
    const pipes = [t.pipe(), t.pipe()]
    const running = pipes.map(([, theirs]) => pool.apply(targets.ignore, [theirs]))
    for (const [mine] of pipes) await within(mine.recv(), 'the word')
    const queued = pool.map(targets.waitForFirst, upTo(10))
    const results = pool.imap(targets.square, upTo(1000))
    pool.terminate()
    pool.terminate()
    pool.close()
    for (const job of [...running, queued as Promise<unknown>]) await rejects(job, 'MP_CLOSED')
    const rest = async () => {
      for (let i = 0; i < 1001; i++) await results.next()
    }
    await rejects(rest(), 'MP_CLOSED')
    await rejects(pool.apply(targets.square, [1]), 'MP_CLOSED')
    await within(pool.join(), 'join')
    assert.equal(t.api.activeChildren().length, 0)
  },

  'terminate() interrupts a busy loop': needs('isolation', async t => {
    const pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const job = pool.apply(targets.spin, [theirs])
    await within(mine.recv(), 'the word')
    pool.terminate()
    await rejects(job, 'MP_CLOSED')
    await within(pool.join(), 'join')
  }),

  'PL41 a program that closes no pool ends, at once': async t => {
    const { code, stdout, stderr, ms } = await t.program('pool-unclosed')
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '4\n', stderr: '' })
    assert.ok(ms < patiently(10_000), `took ${ms} ms`)
  },

  'PL42 a pool that is dropped without close() warns, and closes': async t => {
    const { code, stdout, stderr } = await t.program('pool-dropped')
    assert.match(stderr, /ResourceWarning.*Pool.*close/)
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'workers: 0\n' })
  },

  'PL43 neither arguments nor results are kept when a job is done': async t => {
    await using pool = new t.api.Pool(1)
    const refs: WeakRef<object>[] = []
    const run = async () => {
      const item = { big: new Array(1000).fill(1) }
      refs.push(new WeakRef(item))
      for (const results of [
        [await pool.apply(targets.same<object>, [item])],
        await pool.map(targets.same<object>, [item]),
      ]) {
        for (const each of results) refs.push(new WeakRef(each))
      }
      for await (const each of pool.imap(targets.same<object>, [item])) refs.push(new WeakRef(each))
    }
    await within(run(), 'the jobs')
    assert.equal(refs.length, 4)
    await eventually(() => {
      collectGarbage()
      return refs.every(ref => ref.deref() === undefined)
    }, 'garbage')
  },

  'maxTasksPerChild: a worker is replaced after so many tasks; a chunk is one': async t => {
    await using pool = new t.api.Pool(1, { maxTasksPerChild: 3 })
    const seen = new Map<string, number>()
    for (let i = 0; i < 7; i++) {
      const { name, count } = await within(pool.apply(targets.countHere, [t.module]), 'apply')
      seen.set(name, count)
    }
    assert.deepEqual([...seen.values()], [3, 3, 1])
    const chunks = await within(pool.map(targets.countHere, new Array(40).fill(t.module), { chunksize: 10 }), 'map')
    assert.ok(new Set(chunks.map(({ name }) => name)).size >= 2)
    assert.equal((await within(pool.map(targets.square, upTo(10), { chunksize: 1 }), 'map')).length, 10)
  },

  'an elastic pool grows with what waits, up to its bound, and shrinks when it is idle': async t => {
    await using pool = new t.api.Pool(1, { min: 0, max: 3, idleTimeout: 50 })
    assert.equal(pool.stats().workers, 0)
    const pipes = upTo(4).map(() => t.pipe())
    const jobs = pipes.map(([, theirs]) => pool.apply(targets.waitFor, [theirs]))
    for (const [mine] of pipes.slice(0, 3)) assert.equal(await within(mine.recv(), 'the word'), 'running')
    assert.equal(pool.stats().workers, 3)
    assert.equal(pool.stats().queued, 1)
    for (const [mine] of pipes) await mine.send('over')
    await within(Promise.all(jobs), 'jobs')
    await eventually(() => pool.stats().workers === 0, 'no workers')
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
    assert.equal(pool.stats().restarts, 0)
  },

  'an elastic pool keeps as many workers as it must have': async t => {
    await using pool = new t.api.Pool(1, { min: 1, max: 3, idleTimeout: 50 })
    const pipes = upTo(3).map(() => t.pipe())
    const jobs = pipes.map(([, theirs]) => pool.apply(targets.waitFor, [theirs]))
    for (const [mine] of pipes) assert.equal(await within(mine.recv(), 'the word'), 'running')
    const names = t.api.activeChildren().map(({ name }) => name)
    for (const [mine] of pipes) await mine.send('over')
    await within(Promise.all(jobs), 'jobs')
    await eventually(() => pool.stats().workers === 1, 'one worker')
    const [kept] = t.api.activeChildren()
    assert.ok(names.includes(kept?.name as string), `${kept?.name} is none of ${names.join(', ')}`)
  },

  'an end in a task that was given up before it began closes': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const blocking = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    const [near, far] = t.pipe()
    const controller = new AbortController()
    const given = rejects(pool.apply(targets.waitFor, [far], { signal: controller.signal }), { reason: 'enough' })
    controller.abort('enough')
    await given
    await rejects(near.recv(), 'MP_EOF')
    await mine.send('over')
    await within(blocking, 'the first')
  },

  'a timeout rejects at once; a task that has not begun never runs': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const blocking = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    const path = t.file('never')
    const { ms } = await timed(() => rejects(pool.apply(targets.note, [path, 'ran'], { timeout: 40 }), 'MP_TIMEOUT'))
    assertTook(ms, 40)
    await rejects(pool.map(targets.square, upTo(10), { timeout: 10 }), 'MP_TIMEOUT')
    await mine.send('over')
    assert.equal(await within(blocking, 'the first'), 'over')
    assert.equal(await within(pool.apply(targets.exists, [path]), 'apply'), false)
    assert.equal(pool.stats().restarts, 0)
  },

  'an abort rejects with its reason; a task that heeds its signal keeps its worker': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const controller = new AbortController()
    const job = pool.apply(targets.heed, [t.module, theirs], { signal: controller.signal })
    await within(mine.recv(), 'the word')
    controller.abort('no longer wanted')
    await rejects(job, { reason: 'no longer wanted' })
    assert.deepEqual(await within(mine.recv(), 'the last word'), ['aborted', 'no longer wanted'])
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
    assert.equal(pool.stats().restarts, 0)
    const [late, latesEnd] = t.pipe()
    const timed = pool.apply(targets.heed, [t.module, latesEnd], { timeout: 500 })
    await rejects(timed, 'MP_TIMEOUT')
    assert.equal(await within(late.recv(), 'the word'), 'running')
    assert.deepEqual(await within(late.recv(), 'the last word'), ['aborted', 'MP_TIMEOUT'])
    const aborted = AbortSignal.abort('before')
    await rejects(pool.apply(targets.square, [1], { signal: aborted }), { reason: 'before' })
    await rejects(pool.map(targets.square, [1], { signal: aborted }), { reason: 'before' })
  },

  'one that does not loses its worker after the grace period; the others notice nothing': async t => {
    await using pool = new t.api.Pool(2)
    const [mine, theirs] = t.pipe()
    const [other, othersEnd] = t.pipe()
    const controller = new AbortController()
    const job = pool.apply(targets.ignore, [theirs], { signal: controller.signal, grace: 50 })
    const sibling = pool.apply(targets.waitFor, [othersEnd])
    await within(Promise.all([mine.recv(), other.recv()]), 'the words')
    controller.abort('no longer wanted')
    await rejects(job, { reason: 'no longer wanted' })
    await eventually(() => pool.stats().restarts === 1, 'a new worker')
    await other.send('unharmed')
    assert.equal(await within(sibling, 'the sibling'), 'unharmed')
    assert.deepEqual(await within(pool.map(targets.square, [1, 2]), 'map'), [1, 4])
    assert.equal(pool.stats().lost, 0)
  },

  'a busy loop is ended so, too': needs('isolation', async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    await within(pool.apply(targets.square, [2]), 'a worker that is up')
    const job = pool.apply(targets.spin, [theirs], { timeout: 1000, grace: 20 })
    await within(mine.recv(), 'the word')
    await rejects(job, 'MP_TIMEOUT')
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
    assert.equal(pool.stats().restarts, 1)
  }),

  'the signal of an imap ends it': async t => {
    await using pool = new t.api.Pool(1)
    const controller = new AbortController()
    const results = pool.imap(targets.square, upTo(1000), { signal: controller.signal })
    assert.equal((await within(results.next(), 'next')).value, 0)
    controller.abort('enough')
    await rejects(results.next(), { reason: 'enough' })
    assert.equal((await within(results.next(), 'the end')).done, true)
    throws(() => pool.imap(targets.square, [1], { signal: controller.signal }), { reason: 'enough' })
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },
})
