import assert from 'node:assert/strict'
import type { MpError, Pool } from '@mp/core'
import { type Body, type Case, group, type Need, needs } from '../case.js'
import { eventually, rejects, within } from '../harness.js'
import * as targets from '../targets-pool.js'
import type { Trial } from '../trial.js'

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

/** Asserts that the pool still works: a job goes through, on every worker. */
async function assertLives(pool: Pool): Promise<void> {
  assert.deepEqual(
    await within(pool.map(targets.square, upTo(20)), 'a map after the fault'),
    upTo(20).map(i => i * i),
  )
}

async function assertLost(job: Promise<unknown>, exitCode: number): Promise<MpError> {
  const error = (await rejects(job, 'MP_WORKER_LOST')) as MpError
  assert.equal(error.exitCode, exitCode)
  assert.ok(error.message.includes(String(exitCode)), error.message)
  return error
}

function faultyPool(t: Trial, processes = 2): Pool {
  return new t.api.Pool(processes, { initializer: targets.registerFaulty, initargs: [t.module] })
}

interface Fault {
  readonly name: string
  readonly needs?: Need
  readonly faulty?: boolean
  /** The job, and the code that it rejects with; if a worker is lost, also the worker's exit code. */
  readonly job: (pool: Pool, t: Trial) => Promise<unknown>
  readonly rejects: Parameters<typeof rejects>[1] | number
}

const big = new Uint8Array(256 * 1024)

const matrix: readonly Fault[] = [
  {
    name: 'error at task serialise',
    faulty: true,
    job: pool => pool.apply(targets.same, [new targets.Faulty('argument encode', 'throw')]),
    rejects: 'MP_ENCODE',
  },
  {
    name: 'error at task deserialise',
    faulty: true,
    job: pool => pool.apply(targets.same, [new targets.Faulty('argument decode', 'throw')]),
    rejects: 'MP_DECODE',
  },
  {
    name: 'exit at task deserialise',
    needs: 'isolation',
    faulty: true,
    job: pool => pool.apply(targets.same, [new targets.Faulty('argument decode', 'exit')]),
    rejects: 7,
  },
  {
    name: 'crash at task deserialise',
    needs: 'crash',
    faulty: true,
    job: pool => pool.apply(targets.same, [new targets.Faulty('argument decode', 'kill')]),
    rejects: -9,
  },
  { name: 'crash at task run', needs: 'crash', job: pool => pool.apply(targets.kill), rejects: -9 },
  { name: 'abort() at task run', needs: 'crash', job: pool => pool.apply(targets.abort), rejects: -6 },
  { name: 'exit at task run', needs: 'isolation', job: pool => pool.apply(targets.exit, [3]), rejects: 3 },
  { name: 'exit with code 0 at task run', needs: 'isolation', job: pool => pool.apply(targets.exit, [0]), rejects: 0 },
  {
    name: 'exception outside of the task',
    needs: 'isolation',
    job: pool => pool.apply(targets.throwLater),
    rejects: 1,
  },
  { name: 'error at task run', job: pool => pool.apply(targets.failOdd, [1]), rejects: RangeError },
  {
    name: 'error at result serialise',
    faulty: true,
    job: pool => pool.apply(targets.giveFaulty, ['result encode', 'throw']),
    rejects: 'MP_ENCODE',
  },
  {
    name: 'exit at result serialise',
    needs: 'isolation',
    faulty: true,
    job: pool => pool.apply(targets.giveFaulty, ['result encode', 'exit']),
    rejects: 7,
  },
  {
    name: 'crash at result serialise',
    needs: 'crash',
    faulty: true,
    job: pool => pool.apply(targets.giveFaulty, ['result encode', 'kill']),
    rejects: -9,
  },
  {
    name: 'error at result deserialise in the parent',
    faulty: true,
    job: pool => pool.apply(targets.giveFaulty, ['result decode', 'throw']),
    rejects: 'MP_DECODE',
  },
  { name: 'crash while large arguments are being written', needs: 'crash', job: crashAtWrite, rejects: -9 },
]

/** The worker dies with the first task, while the arguments of the second one are on their way to it, or wait. */
async function crashAtWrite(pool: Pool): Promise<unknown> {
  const first = pool.apply(targets.kill, [big])
  first.catch(() => {})
  const others = upTo(4).map(() => pool.apply(targets.same<Uint8Array>, [big]))
  for (const other of others) assert.equal((await within(other, 'a job behind the crash')).length, big.length)
  return first
}

function caseOf({ needs: need, faulty, job, rejects: expected }: Fault): Case | Body {
  const body: Body = async t => {
    await using pool = faulty ? faultyPool(t) : new t.api.Pool(2, { stdio: 'ignore' })
    if (faulty) await targets.registerFaulty(t.module)
    for (let i = 0; i < 2; i++) {
      if (typeof expected === 'number') await assertLost(job(pool, t), expected)
      else await rejects(job(pool, t), expected)
      await assertLives(pool)
    }
    await eventually(() => pool.stats().workers === 2, 'as many workers as before')
    assert.equal(pool.stats().restarts, typeof expected === 'number' ? 2 : 0)
  }
  return need ? needs(need, body) : body
}

export const poolFaults = group('Pool: faults', {
  ...Object.fromEntries(matrix.map(each => [`EX10 ${each.name}: the job rejects, the pool lives`, caseOf(each)])),

  'EX10 a worker that dies right after close(): its job rejects, the others are done, join() resolves': needs(
    'isolation',
    async t => {
      const pool = new t.api.Pool(2)
      const [mine, theirs] = t.pipe()
      const doomed = pool.apply(targets.exitWhenTold, [theirs])
      await within(mine.recv(), 'the word')
      const queued = upTo(10).map(i => pool.apply(targets.square, [i]))
      pool.close()
      await mine.send('exit')
      await assertLost(doomed, 5)
      assert.equal((await within(Promise.all(queued), 'what was queued')).length, 10)
      await within(pool.join(), 'join')
    },
  ),

  'EX10 a hundred jobs before the first worker is ready': async t => {
    await using pool = new t.api.Pool(2)
    const jobs = upTo(100).map(i => pool.apply(targets.square, [i]))
    assert.deepEqual(
      await within(Promise.all(jobs), 'a hundred jobs'),
      upTo(100).map(i => i * i),
    )
  },

  'EX10 a job that cannot be serialised after close() rejects, and the pool ends': async t => {
    const pool = new t.api.Pool(1)
    pool.close()
    await rejects(pool.apply(targets.same, [() => {}]), 'MP_CLOSED')
    await within(pool.join(), 'join')
  },

  'EX10 out of memory at task run: the job rejects, the pool lives': needs('crash', async t => {
    await using pool = new t.api.Pool(1, { execArgv: ['--max-old-space-size=24'], stdio: 'ignore' })
    await rejects(pool.apply(targets.exhaustMemory), 'MP_WORKER_LOST', 15_000)
    await assertLives(pool)
  }),

  'PL24 a result, or an error, that is larger than any message rejects its job alone': needs('process', async t => {
    await using pool = new t.api.Pool(1)
    await rejects(pool.apply(targets.giveTooMuch, [0]), 'MP_FRAME_TOO_LARGE', 15_000)
    await rejects(pool.apply(targets.giveTooMuch, [1]), 'MP_FRAME_TOO_LARGE', 15_000)
    await assertLives(pool)
    assert.equal(pool.stats().restarts, 0)
  }),

  'PL27 of a chunk whose call exits only that chunk’s items are lost': needs('isolation', async t => {
    await using pool = new t.api.Pool(2)
    const items: [number, number][] = upTo(40).map(i => [i, 17])
    await assertLost(pool.starmap(targets.exitOn, items, { chunksize: 4 }), 4)
    const results = pool.imap(targets.exitOnArray, items, { chunksize: 4 })
    for (const i of upTo(40)) {
      if (i >= 16 && i < 20) await rejects(results.next(), 'MP_WORKER_LOST')
      else assert.equal((await within(results.next(), 'next')).value, i)
    }
    assert.equal((await within(results.next(), 'next')).done, true)
    assert.equal(pool.stats().lost, 2)
  }),

  'PL27 of tasks that were sent together an exit takes its own with it, and no other': needs('isolation', async t => {
    await using pool = new t.api.Pool(2)
    for (let i = 0; i < 10; i++) await pool.map(targets.square, upTo(100), { chunksize: 1 })
    const warm: [number, number][] = upTo(200).map(i => [i, -1])
    for (let i = 0; i < 10; i++) await within(pool.starmap(targets.exitOn, warm, { chunksize: 1 }), 'starmap')
    const before = pool.stats()
    const items: [number, number][] = upTo(200).map(i => [i, 117])
    await assertLost(pool.starmap(targets.exitOn, items, { chunksize: 1 }), 4)
    const { lost, completed, failed } = pool.stats()
    assert.deepEqual({ lost, completed: completed - before.completed, failed }, { lost: 1, completed: 199, failed: 0 })
  }),

  ...Object.fromEntries(
    (['reject', 'retry'] as const).map(onWorkerLost => [
      `PL28 onWorkerLost: '${onWorkerLost}': no call that a killed worker had not begun is made twice, or not at all`,
      needs('isolation', 'sharedMemory', async t => {
        const counts = new Int32Array(new SharedArrayBuffer(4 * 300))
        await using pool = new t.api.Pool(1, {
          initializer: targets.shareTally,
          initargs: [counts.buffer as SharedArrayBuffer],
          onWorkerLost,
        })
        for (let i = 0; i < 10; i++) await within(pool.map(targets.countAndHang, upTo(100), { chunksize: 1 }), 'map')
        counts.fill(0)
        const job = pool.map(targets.countAndHang, upTo(300), { chunksize: 1 })
        job.catch(() => {})
        await eventually(() => Atomics.load(counts, 150) === 1, 'the call that hangs')
        const [worker] = t.api.activeChildren()
        worker?.kill()
        if (onWorkerLost === 'reject') await assertLost(job, -9)
        else
          assert.deepEqual(
            await within(job, 'the map'),
            upTo(300).map(i => i * i),
          )
        const calls = [...counts]
        const retried = onWorkerLost === 'retry'
        assert.equal(calls[150], retried ? 2 : 1)
        assert.deepEqual(calls.slice(151), new Array(149).fill(1))
        // Some results of earlier tasks may have been lost with the worker.
        for (const each of calls.slice(0, 150)) assert.ok(each === 1 || (retried && each === 2), `called ${each} times`)
        await assertLives(pool)
      }),
    ]),
  ),

  'PL28 the cause of a loss is what the worker died of': needs('isolation', async t => {
    await using pool = new t.api.Pool(1, { stdio: 'ignore' })
    const error = await assertLost(pool.apply(targets.throwLater), 1)
    assert.ok(error.cause instanceof RangeError)
    assert.equal(error.cause.message, 'thrown later')
  }),

  "PL28 onWorkerLost: 'retry' gives the task to another worker, a few times": needs('isolation', async t => {
    await using pool = new t.api.Pool(1, { onWorkerLost: 'retry' })
    assert.equal(await within(pool.apply(targets.exitOnce, [t.file('once')]), 'a task that is tried again'), 'done')
    await assertLost(pool.apply(targets.exit, [6]), 6)
    await eventually(() => pool.stats().restarts === 4, 'the last replacement')
    assert.equal(pool.stats().lost, 4)
    await assertLives(pool)
  }),

  "PL28 onWorkerLost: 'retry' does not try again what has taken an end with it": needs('isolation', async t => {
    await using pool = new t.api.Pool(1, { onWorkerLost: 'retry' })
    const [mine, theirs] = t.pipe()
    await assertLost(pool.apply(targets.exit as never, [6, theirs] as never), 6)
    await rejects(mine.recv(), 'MP_EOF')
    assert.equal(pool.stats().lost, 1)
    await assertLives(pool)
  }),

  "PL28 onWorkerLost: 'break' breaks the pool": needs('isolation', async t => {
    const pool = new t.api.Pool(2, { onWorkerLost: 'break' })
    const [mine, theirs] = t.pipe()
    const other = pool.apply(targets.ignore, [theirs])
    await within(mine.recv(), 'the word')
    const error = await rejects(pool.apply(targets.exit, [3]), 'MP_BROKEN_POOL')
    assert.equal((error.cause as MpError).code, 'MP_WORKER_LOST')
    assert.equal((error.cause as MpError).exitCode, 3)
    await rejects(other, 'MP_BROKEN_POOL')
    await rejects(pool.apply(targets.square, [1]), 'MP_BROKEN_POOL')
    throwsBroken(pool)
    await within(pool.join(), 'join')
  }),

  'PL30 an initializer that fails breaks the pool, with its error as the cause': async t => {
    const pool = new t.api.Pool(2, { initializer: targets.failToInitialise, initargs: ['not today'] })
    const jobs = [pool.apply(targets.square, [1]), pool.map(targets.square, [1, 2])]
    for (const job of [...jobs.map(each => each as Promise<unknown>)]) {
      const error = await rejects(job, 'MP_BROKEN_POOL')
      assert.ok(error.cause instanceof RangeError)
      assert.equal(error.cause.message, 'not today')
    }
    await rejects(pool.apply(targets.square, [1]), 'MP_BROKEN_POOL')
    await within(pool.join(), 'join')
  },

  'PL30 so does one that exits': needs('isolation', async t => {
    const pool = new t.api.Pool(2, { initializer: targets.exit, initargs: [3] })
    await rejects(pool.apply(targets.square, [1]), 'MP_BROKEN_POOL')
    await within(pool.join(), 'join')
  }),

  'a broken pool that nobody asks for anything warns': async t => {
    const pool = new t.api.Pool(1, { initializer: targets.failToInitialise, initargs: ['silently'] })
    const warning = (await eventually(() => t.warnings.splice(0)[0], 'a warning')) as Error
    assert.match(warning.message, /silently/)
    await within(pool.join(), 'join')
  },

  'workers that end before they have a task break the pool instead of coming again for ever': needs(
    'isolation',
    async t => {
      // The first worker has started; every later one ends in its initializer.
      const pool = new t.api.Pool(1, {
        initializer: targets.exitUnlessFirst,
        initargs: [t.file('first')],
        maxTasksPerChild: 1,
      })
      assert.equal(await within(pool.apply(targets.square, [2]), 'apply'), 4)
      await rejects(pool.apply(targets.square, [2]), 'MP_BROKEN_POOL')
      assert.ok(pool.stats().restarts <= 6, `${pool.stats().restarts} restarts`)
      await within(pool.join(), 'join')
    },
  ),
})

function throwsBroken(pool: Pool): void {
  assert.throws(() => pool.imap(targets.square, [1]), { code: 'MP_BROKEN_POOL' })
}
