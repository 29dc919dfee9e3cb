import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Pool } from '@mp/core'
import { group, needs } from '../case.js'
import { eventually, rejects, within } from '../harness.js'
import * as targets from '../targets-pool.js'
import type { Trial } from '../trial.js'
import { turns } from '../turns.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

/** The function of a module that does this when it is imported. */
function loading(t: Trial, code: string): { module: URL; export: string } {
  const path = t.file(`loading-${code.length}.mjs`)
  writeFileSync(path, `export const call = n => n * n\n${code}\n`)
  return { module: pathToFileURL(path), export: 'call' }
}

const exits = 'process.exit(7)'
const neverLoads = 'await new Promise(() => {})'
const spins = 'for (;;);'

function stall(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** Lets the pool learn that `busyFor` is quick, so that a worker is given several calls at once. */
async function quicken(pool: Pool): Promise<void> {
  for (let i = 0; i < 20; i++) await within(pool.apply(targets.busyFor, [0]), 'a quick call')
}

async function assertUnharmed(pool: Pool, bystanders: readonly Promise<unknown>[]): Promise<void> {
  const all = await within(Promise.allSettled(bystanders), 'the other jobs', 15_000)
  const harmed = all.filter(each => each.status === 'rejected')
  assert.deepEqual(harmed, [])
  assert.equal(pool.stats().lost, 0)
}

/** What one job of a pool does to the others. */
export const poolBystanders = group('Pool: one job and the others', {
  'PL50 a worker that exits while it loads the module of a task loses that job, and is replaced': needs(
    'isolation',
    async t => {
      await using pool = new t.api.Pool(1, { stdio: 'ignore' })
      const doomed = pool.apply(loading(t, exits), [1])
      const other = pool.apply(targets.square, [3])
      await rejects(doomed, 'MP_WORKER_LOST')
      assert.equal(await within(other, 'the other job'), 9)
      const { lost, restarts } = pool.stats()
      assert.deepEqual({ lost, restarts }, { lost: 1, restarts: 1 })
    },
  ),

  'PL50 such a worker is replaced ever later, and the pool does not break': needs('isolation', async t => {
    await using pool = new t.api.Pool(1, { stdio: 'ignore' })
    const since = performance.now()
    await rejects(pool.map(loading(t, exits), upTo(6), { chunksize: 1 }), 'MP_WORKER_LOST')
    assert.ok(performance.now() - since > 700, 'replaced without a pause')
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
    assert.equal(pool.stats().lost, 6)
  }),

  'PL50 a job that is given up while its module loads: its worker is replaced after the grace period': async t => {
    await using pool = new t.api.Pool(1)
    assert.equal(await within(pool.apply(targets.square, [2]), 'a worker that is up'), 4)
    const job = pool.apply(loading(t, neverLoads), [1], { timeout: 200, grace: 100 })
    const other = pool.apply(targets.square, [3])
    await rejects(job, 'MP_TIMEOUT')
    assert.equal(await within(other, 'the other job'), 9)
    await eventually(() => pool.stats().restarts === 1, 'a new worker')
    assert.equal(pool.stats().lost, 0)
  },

  'PL50 so is one that computes without end in its module': needs('isolation', async t => {
    await using pool = new t.api.Pool(1)
    assert.equal(await within(pool.apply(targets.square, [2]), 'a worker that is up'), 4)
    const controller = new AbortController()
    const job = pool.apply(loading(t, spins), [1], { signal: controller.signal, grace: 50 })
    const other = pool.apply(targets.square, [3])
    setTimeout(() => controller.abort('enough'), 100)
    await rejects(job, { reason: 'enough' })
    assert.equal(await within(other, 'the other job'), 9)
    assert.equal(pool.stats().restarts, 1)
  }),

  'PL50 results that are left while a module loads leave a worker that works': async t => {
    await using pool = new t.api.Pool(1)
    const results = pool.imap(loading(t, neverLoads), [1])
    await rejects(results.next({ timeout: 100 }), 'MP_TIMEOUT')
    await results.return()
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },

  'PL51 answers that came while the event loop stood still count before a worker is killed': needs(
    'isolation',
    async t => {
      await using pool = new t.api.Pool(1)
      assert.equal(await within(pool.apply(targets.busyFor, [30]), 'a worker that is up'), 30)
      const job = pool.apply(targets.busyFor, [200], { timeout: 30, grace: 100 })
      const other = pool.apply(targets.square, [3])
      await rejects(job, 'MP_TIMEOUT')
      stall(400)
      await assertUnharmed(pool, [other])
      assert.equal(pool.stats().restarts, 0)
    },
  ),

  'PL51 jobs behind one whose worker is killed go to another worker': needs('isolation', async t => {
    await using pool = new t.api.Pool(1)
    await quicken(pool)
    const [mine, theirs] = t.pipe()
    const first = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    // Now all of these are queued. Then the worker gets several at once, since the function is known to be quick.
    const job = pool.apply(targets.busyFor, [20_000], { timeout: 200, grace: 0 })
    const others = upTo(50).map(() => pool.apply(targets.busyFor, [0]))
    await mine.send('over')
    await within(first, 'the first job')
    await rejects(job, 'MP_TIMEOUT')
    await assertUnharmed(pool, others)
    assert.equal(pool.stats().restarts, 1)
  }),

  'PL51 a worker from which only dead tasks are taken back goes on': needs('isolation', async t => {
    await using pool = new t.api.Pool(2)
    const [mine, theirs] = t.pipe()
    const other = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    await quicken(pool)
    const controller = new AbortController()
    const options = { chunksize: 1, signal: controller.signal, grace: Number.POSITIVE_INFINITY }
    const job = pool.map(targets.busyFor, [300, ...new Array(50).fill(0)], options)
    await pause(20)
    controller.abort('enough')
    await rejects(job, { reason: 'enough' })
    // The other worker is idle, and looks for what it could take over.
    await mine.send('over')
    await within(other, 'the other job')
    await pause(400)
    for (let i = 0; i < 5; i++) {
      await within(Promise.all([pool.apply(targets.squareLater, [i]), pool.apply(targets.busyFor, [20])]), 'two jobs')
    }
  }),

  'PL51 a worker that is about to be killed is given nothing': needs('isolation', async t => {
    await using pool = new t.api.Pool(1)
    await within(pool.apply(targets.busyFor, [8]), 'a worker that is up')
    // Most rounds start a worker. Under load that takes long, and a case has a limit.
    const enough = performance.now() + 8_000
    for (let i = 0; i < 120 && performance.now() < enough; i++) {
      const job = pool.apply(targets.busyFor, [6 + (i % 8) / 2], { timeout: 8, grace: 0 })
      job.catch(() => {})
      await assertUnharmed(pool, [pool.apply(targets.square, [i]), pool.apply(targets.busyFor, [0])])
      await job.catch(() => {})
    }
  }),

  'PL51 20,000 aborts at once harm no other job': needs('isolation', async t => {
    await using pool = new t.api.Pool(2)
    for (let i = 0; i < 10; i++) await within(pool.map(targets.square, upTo(100), { chunksize: 1 }), 'map')
    const controllers = upTo(5_000).map(() => new AbortController())
    const others: Promise<unknown>[] = []
    const doomed = upTo(20_000).map(i => {
      if (i % 100 === 0) others.push(pool.apply(targets.square, [i]))
      const { signal } = controllers[i % 5_000] as AbortController
      return pool.apply(targets.square, [i], { signal, grace: 1 })
    })
    const settled = Promise.allSettled(doomed)
    await new Promise(setImmediate)
    for (const controller of controllers) controller.abort('enough')
    await within(settled, 'the aborted jobs', 15_000)
    await assertUnharmed(pool, others)
    await within(pool.map(targets.square, upTo(100)), 'a map afterwards')
    assert.equal(pool.stats().restarts, 0)
  }),

  'PL53 onProgress and inputs run in the async context of their call': async t => {
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const storage = new AsyncLocalStorage<string>()
    const seen = new Set<string | undefined>()
    const note = () => void seen.add(storage.getStore())
    function* input() {
      try {
        for (let i = 0; i < 100; i++) {
          note()
          yield i
        }
      } finally {
        note()
      }
    }
    async function* asyncInput() {
      for (const item of input()) {
        await turns(1)
        yield item
      }
    }
    await using pool = new t.api.Pool(1)
    const options = { chunksize: 1, onProgress: note }
    await within(
      storage.run('call', async () => {
        await pool.map(targets.square, upTo(10), options)
        await pool.map(targets.square, asyncInput(), options)
      }),
      'maps',
    )
    const lazy = storage.run('call', () => [
      pool.imap(targets.square, input(), { buffersize: 1 }),
      pool.imapUnordered(targets.square, asyncInput(), { buffersize: 1 }),
    ])
    for (const results of lazy) {
      for (let i = 0; i < 20; i++) await storage.run('consumer', () => within(results.next(), 'next'))
      await storage.run('consumer', () => results.return?.())
    }
    assert.deepEqual([...seen], ['call'])
  },

  'PL27 a call with an end, submitted behind one that exits, runs in another worker': needs('isolation', async t => {
    await using pool = new t.api.Pool(1)
    // The pool learns that these calls are quick: such are sent to a worker that is at another one.
    for (let i = 0; i < 20; i++) await within(pool.apply(targets.waitForFirst, [1]), 'a quick call')
    const [mine, theirs] = t.pipe()
    const quick = pool.apply(targets.waitForFirst, [1])
    const lost = rejects(pool.apply(targets.exit, [6]), 'MP_WORKER_LOST')
    const behind = pool.apply(targets.waitForFirst, [theirs])
    await Promise.all([within(quick, 'a quick call'), lost])
    assert.ok(await within(mine.recv(), 'the word'))
    await mine.send('over')
    assert.equal(await within(behind, 'the call behind'), 'over')
  }),

  'PL53 each task runs in an async context of its own': async t => {
    await using pool = new t.api.Pool(1)
    assert.deepEqual(await within(pool.map(targets.enter, upTo(10), { chunksize: 1 }), 'map'), new Array(10).fill(null))
    for (const target of [targets.enter, targets.enterLater, targets.enter]) {
      assert.equal(await within(pool.apply(target, [1]), 'apply'), null)
    }
  },
})
