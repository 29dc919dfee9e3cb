import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertTook, eventually, rejects, timed, within } from '../harness.js'
import * as targets from '../targets-pool.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

export const poolExecutor = group('Pool: what an executor offers', {
  'EX1 a job that was aborted before it began never runs; one that is done stays done': async t => {
    await using pool = new t.api.Pool(1)
    const [mine, theirs] = t.pipe()
    const blocking = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    const controller = new AbortController()
    const path = t.file('never')
    const pending = pool.apply(targets.note, [path, 'ran'], { signal: controller.signal })
    controller.abort('cancelled')
    await rejects(pending, { reason: 'cancelled' })
    await mine.send('over')
    assert.equal(await within(blocking, 'the first'), 'over')
    const late = new AbortController()
    const done = pool.apply(targets.square, [3], { signal: late.signal })
    assert.equal(await within(done, 'apply'), 9)
    late.abort('too late')
    assert.equal(await done, 9)
    assert.equal(await within(pool.apply(targets.exists, [path]), 'apply'), false)
  },

  'EX2 close({ cancelQueued: true }) completes what runs and rejects the rest': async t => {
    const pool = new t.api.Pool(2)
    const pipes = upTo(2).map(() => t.pipe())
    const running = pipes.map(([, theirs]) => pool.apply(targets.waitFor, [theirs]))
    for (const [mine] of pipes) await within(mine.recv(), 'the word')
    const queued = upTo(48).map(() => pool.apply(targets.square, [2]))
    pool.close({ cancelQueued: true })
    for (const job of queued) await rejects(job, 'MP_CLOSED')
    for (const [mine] of pipes) await mine.send('over')
    assert.deepEqual(await within(Promise.all(running), 'what ran'), ['over', 'over'])
    await within(pool.join(), 'join')
  },

  'EX4 close() returns at once, and what was submitted still completes': async t => {
    const pool = new t.api.Pool(1)
    const job = pool.map(targets.squareLater, upTo(20))
    assert.equal(pool.close(), undefined)
    assert.equal((await within(job, 'map')).length, 20)
    await eventually(() => pool.stats().workers === 0, 'the end of the workers')
  },

  'EX5 a program waits for the jobs that it submitted, and no longer': async t => {
    const { code, stdout, stderr } = await t.program('pool-waited')
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'done 4950\n', stderr: '' })
  },

  'EX6 the timeout of an imap counts from its call; what came before is given': async t => {
    await using pool = new t.api.Pool(2)
    const [mine, theirs] = t.pipe()
    await eventually(() => pool.stats().idle === 2, 'two idle workers')
    await within(pool.map(targets.waitForFirst, upTo(20)), 'a map that loads the function')
    const results = pool.imap(targets.waitForFirst, [0, 1, theirs], { timeout: 600, grace: 20 })
    const { ms } = await timed(async () => {
      assert.equal((await within(results.next(), 'next')).value, 0)
      assert.equal((await within(results.next(), 'next')).value, 1)
      await rejects(results.next(), 'MP_TIMEOUT')
    })
    assertTook(ms, 600)
    await mine.close()
  },

  'EX7 an elastic pool starts workers on demand, and uses the idle one again': async t => {
    await using pool = new t.api.Pool(3, { min: 0 })
    const names = new Set<string>()
    for (let i = 0; i < 3; i++) names.add(await within(pool.apply(targets.nameOf, [t.module]), 'apply'))
    assert.equal(names.size, 1)
    assert.equal(pool.stats().workers, 1)
  },

  'EX9 after terminate() all workers are gone and nothing can be submitted': async t => {
    const pool = new t.api.Pool(2)
    assert.equal(await within(pool.apply(targets.square, [2]), 'apply'), 4)
    pool.terminate()
    await within(pool.join(), 'join')
    assert.equal(t.api.activeChildren().length, 0)
    await rejects(pool.apply(targets.square, [2]), 'MP_CLOSED')
  },
})
