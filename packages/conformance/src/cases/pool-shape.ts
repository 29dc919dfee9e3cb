import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { group, needs } from '../case.js'
import { eventually, rejects, throws, within } from '../harness.js'
import * as targets from '../targets-pool.js'

export const poolShape = group('Pool: construction and shape', {
  'PL1 a pool has one worker at least, and as many as there are CPUs where nothing is said': async t => {
    for (const wrong of [0, -1, 1.5, Number.NaN]) throws(() => new t.api.Pool(wrong), RangeError)
    throws(() => new t.api.Pool('2' as never), TypeError)
    const pool = new t.api.Pool()
    assert.equal(pool.stats().workers, availableParallelism())
    pool.terminate()
    await within(pool.join(), 'join')
  },

  'PL2 options that make no sense are refused, and nothing is started': async t => {
    throws(() => new t.api.Pool(1, { initializer: 'init' as never }), TypeError)
    for (const wrong of [0, -1, 0.5, '12']) {
      throws(() => new t.api.Pool(1, { maxTasksPerChild: wrong as never }), RangeError)
    }
    throws(() => new t.api.Pool(1, { onWorkerLost: 'ignore' as never }), TypeError)
    throws(() => new t.api.Pool(1, { initargs: 3 as never }), TypeError)
    throws(() => new t.api.Pool(1, { maxtasks: 3 } as never), TypeError)
    throws(() => new t.api.Pool(1, { min: 3, max: 2 }), RangeError)
    throws(() => new t.api.Pool(1, { initializer: Math.abs }), 'MP_BAD_TARGET')
    assert.equal(t.api.activeChildren().length, 0)
  },

  'PL3 the workers are there right after construction: named, daemons, alive': async t => {
    const pool = new t.api.Pool(3)
    const workers = t.api.activeChildren()
    assert.equal(workers.length, 3)
    for (const { name, daemon } of workers) {
      assert.match(name, /PoolWorker-[\d:]+$/)
      assert.equal(daemon, true)
    }
    assert.ok(workers.every(worker => worker.isAlive()))
    assert.ok(pool instanceof t.api.Pool)
    await using named = new t.api.Pool(1, { name: 'render' })
    assert.match(await within(named.apply(targets.nameOf, [t.module]), 'apply'), /^render-PoolWorker-/)
    pool.terminate()
    await within(pool.join(), 'join')
  },

  'PL54 a pool in a child starts its workers when there is work': async t => {
    await using pool = new t.api.Pool(1)
    const [before, after] = await within(pool.apply(targets.poolOfItsOwn, [t.module]), 'apply')
    assert.equal(before, 0)
    assert.ok(after >= 1 && after <= 2, `${after} workers`)
  },

  'PL5 a large pool works: 200 workers in one thread, 64 threads, or 24 processes': async t => {
    // As many as a machine for tests can hold: 200 processes would take 10 GB.
    const size = { none: 200, thread: 64, process: 24 }[t.capabilities.isolation]
    await using pool = new t.api.Pool(size)
    const numbers = Array.from({ length: 4 * size }, (_, index) => index)
    const squares = await within(pool.map(targets.square, numbers, { chunksize: 1 }), 'map', 15_000)
    assert.deepEqual(
      squares,
      numbers.map(number => number * number),
    )
    assert.equal(pool.stats().workers, size)
  },

  'PL4 a pool whose workers cannot be started ends those that run, and tells why': needs('isolation', async t => {
    const pool = new t.api.Pool(2, { execArgv: ['--no-such-flag-of-node'], stdio: 'ignore' })
    const error = await rejects(pool.apply(targets.square, [2]), 'MP_BROKEN_POOL')
    assert.equal((error.cause as { code?: string }).code, 'MP_SPAWN_FAILED')
    await rejects(pool.map(targets.square, [1, 2]), 'MP_BROKEN_POOL')
    await within(pool.join(), 'join')
    assert.equal(t.api.activeChildren().length, 0)
  }),

  'PL6 the initializer runs once in each worker, also in replacements, before its first task': async t => {
    const path = t.file('initialised')
    const pool = new t.api.Pool(2, {
      initializer: targets.initialise,
      initargs: [t.module, path, 'hello'],
      maxTasksPerChild: 1,
    })
    for (let i = 0; i < 4; i++) {
      assert.deepEqual(await within(pool.apply(targets.initialisedWith, [t.module]), 'apply'), ['hello'])
    }
    pool.close()
    await within(pool.join(), 'join')
    assert.ok(existsSync(path))
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    assert.ok(lines.length >= 4, lines.join())
    assert.equal(new Set(lines).size, lines.length)
  },

  'PL44 a Pool travels nowhere, and says so': async t => {
    await using pool = new t.api.Pool(1)
    const queue = new t.api.Queue()
    await rejects(queue.put(pool), 'MP_NOT_SHAREABLE')
    await rejects(pool.apply(targets.same, [pool as never]), 'MP_NOT_SHAREABLE')
    throws(() => JSON.stringify(pool), 'MP_NOT_SHAREABLE')
    throws(() => structuredClone(pool), 'MP_NOT_SHAREABLE')
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },

  'PL45 a worker may have a pool of its own': async t => {
    await using pool = new t.api.Pool(2)
    assert.deepEqual(
      await within(
        pool.starmap(targets.nested, [
          [t.module, 2],
          [t.module, 5],
        ]),
        'starmap',
        15_000,
      ),
      [
        [4, 9],
        [25, 36],
      ],
    )
  },

  'PL52 options that a call does not have are refused by name': async t => {
    const { Pool } = t.api
    assert.throws(() => new Pool(1, { maxtasks: 3 } as never), /'maxtasks'/)
    await using pool = new Pool(1)
    const wrong = { timeoutMs: 5 } as never
    const named = { name: 'TypeError', message: /'timeoutMs'/ }
    await assert.rejects(pool.apply(targets.square, [1], wrong), named)
    await assert.rejects(pool.map(targets.square, [1], wrong), named)
    await assert.rejects(pool.starmap(targets.add, [[1, 2]], wrong), named)
    assert.throws(() => pool.imap(targets.square, [1], wrong), named)
    assert.throws(() => pool.imapUnordered(targets.square, [1], wrong), named)
    assert.throws(() => pool.close(wrong), named)
    await assert.rejects(pool.join(wrong), named)
    const results = pool.imap(targets.square, [1])
    await assert.rejects(results.next(wrong), named)
    assert.equal((await within(results.next({ timeout: null }), 'next')).value, 1)
    // Each call has its own options.
    await assert.rejects(pool.apply(targets.square, [1], { chunksize: 2 } as never), /'chunksize'/)
    await assert.rejects(pool.map(targets.square, [1], { buffersize: 2 } as never), /'buffersize'/)
    assert.throws(() => pool.imap(targets.square, [1], { onProgress() {} } as never), /'onProgress'/)
    assert.equal(await within(pool.apply(targets.square, [3]), 'apply'), 9)
  },

  'a function that no worker could import is refused at the call': async t => {
    await using pool = new t.api.Pool(1)
    await rejects(pool.apply(targets.square.bind(null), [1]), 'MP_BAD_TARGET')
    await rejects(pool.map(3 as never, [1]), TypeError)
    throws(() => pool.imap(Math.abs, [1]), 'MP_BAD_TARGET')
    await rejects(pool.map(targets.square, 3 as never), TypeError)
    await rejects(pool.map(targets.square, [1], { chunksize: 0 }), RangeError)
    await rejects(pool.apply(targets.square, 3 as never), TypeError)
    const module = new URL('../targets-pool.js', import.meta.url)
    await rejects(pool.apply({ module, export: 'notThere' }), 'MP_BAD_TARGET')
    await rejects(pool.apply({ module, export: 'notAFunction' }), 'MP_BAD_TARGET')
    assert.equal(await within(pool.apply({ module, export: 'square' }, [4]), 'apply'), 16)
    assert.equal(pool.stats().restarts, 0)
  },

  'stats() tells what the pool has and does': async t => {
    await using pool = new t.api.Pool(2)
    await eventually(() => pool.stats().idle === 2, 'two idle workers')
    const [mine, theirs] = t.pipe()
    const waiting = pool.apply(targets.waitFor, [theirs])
    await within(mine.recv(), 'the word')
    const { workers, idle, queued, running } = pool.stats()
    assert.deepEqual({ workers, idle, queued, running }, { workers: 2, idle: 1, queued: 0, running: 1 })
    await mine.send('done')
    assert.equal(await within(waiting, 'apply'), 'done')
    await rejects(pool.apply(targets.failOdd, [1]), RangeError)
    const { completed, failed, lost, restarts } = pool.stats()
    assert.deepEqual({ completed, failed, lost, restarts }, { completed: 1, failed: 1, lost: 0, restarts: 0 })
  },
})
