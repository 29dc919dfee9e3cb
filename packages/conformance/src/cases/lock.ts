import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Connection, Guard, Lock } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, assertTook, rejects, throws, timed, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as loops from '../targets-consumers.js'
import * as targets from '../targets-sync.js'
import type { Trial } from '../trial.js'

export const lock = group('Lock', {
  'LK1 acquire, a second one that does not block, release, and a release too many': async t => {
    const lock = new t.api.Lock()
    assert.equal(await lock.locked(), false)
    const guard = await lock.acquire()
    assert.ok(guard)
    assert.equal(guard.abandoned, false)
    assert.equal(await lock.locked(), true)
    assert.equal(await lock.acquire({ block: false }), false)
    assert.equal(await lock.acquire({ block: false, timeout: 1_000 }), false)
    assert.equal(await lock.release(), undefined)
    await rejects(lock.release(), 'MP_INVALID_STATE')
    await rejects(guard.release(), 'MP_INVALID_STATE')
    const again = await lock.acquire({ block: false })
    assert.ok(again)
    await again.release()
    assert.equal(await lock.locked(), false)
  },

  'LK1 a guard gives back its own acquisition, not the next one': async t => {
    const lock = new t.api.Lock()
    const first = await lock.acquire()
    await lock.release()
    const second = await lock.acquire()
    await rejects(first.release(), 'MP_INVALID_STATE')
    assert.equal(await lock.locked(), true)
    await second.release()
  },

  'LK2 a limit of time is kept; none, or a negative one, gives false at once': async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const { ms, value } = await timed(() => lock.acquire({ timeout: 60 }))
    assert.equal(value, false)
    assertTook(ms, 60)
    for (const timeout of [0, -5]) assert.equal(await within(lock.acquire({ timeout }), 'acquire'), false)
    const child = await t.run(targets.tryAcquire, lock, 60)
    assert.equal(child.taken, false)
    assertTook(child.ms, 60)
    assert.equal((await t.run(targets.tryAcquire, lock, -1)).taken, false)
    await guard.release()
    // None of the calls that gave up has taken the lock.
    assert.equal((await t.run(targets.tryAcquire, lock, 0)).taken, true)
    assert.ok(await lock.acquire({ timeout: 0 }))
  },

  'LK2 an abort rejects with its reason, and takes nothing': async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const reason = new Error('enough')
    const abort = new AbortController()
    const pending = lock.acquire({ signal: abort.signal })
    const behind = lock.acquire()
    abort.abort(reason)
    await rejects(pending, { reason })
    await rejects(lock.acquire({ signal: abort.signal }), { reason })
    await guard.release()
    await (await within(behind, 'the next in line')).release()
  },

  'LK2 a turn that comes as the call gives up goes to the next': needs('isolation', async t => {
    for (const lock of [new t.api.Lock(), new t.api.Semaphore(1)]) {
      const guard = await lock.acquire()
      const [orders, theirs] = t.pipe()
      const child = await t.start(targets.giveUpBusy, [lock, 30, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'in line')
      // It is busy until its time is over, so the lock comes too late.
      await assertPending(child.result(), 15)
      await guard.release()
      assert.equal(await within(child.result(), 'result'), false)
      const next = await within(lock.acquire(), 'the lock')
      assert.equal(next.abandoned, false)
      await next.release()
      await t.ends(child)
    }
  }),

  'LK2 options that make no sense are refused at the call': async t => {
    const lock = new t.api.Lock()
    await rejects(lock.acquire({ block: 1 as never }), TypeError)
    await rejects(lock.acquire({ timeout: Number.NaN }), RangeError)
    await rejects(lock.acquire(5 as never), TypeError)
    const guard = await lock.acquire()
    await rejects(lock.acquire({ guard } as never), TypeError)
    await guard.release()
  },

  'LK4 another context than the holder may release it': async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    assert.equal(await t.run(targets.releaseOnce, lock), 'done')
    assert.equal(await lock.locked(), false)
    await rejects(guard.release(), 'MP_INVALID_STATE')
    const [orders, child] = await holder(t, lock, 'ignore')
    await lock.release()
    const next = await within(lock.acquire(), 'acquire')
    await orders.send('look, and release')
    await rejects(child.result(), 'MP_INVALID_STATE')
    await t.ends(child, 1)
    assert.equal(await lock.locked(), true)
    await next.release()
    assert.equal(await t.run(targets.releaseOnce, lock), 'MP_INVALID_STATE')
  },

  'LK6 locked() tells of other contexts': async t => {
    const lock = new t.api.Lock()
    const [orders, child] = await holder(t, lock)
    assert.equal(await lock.locked(), true)
    assert.equal(await t.run(targets.isLocked, lock), true)
    await orders.send('release')
    assert.equal(await within(orders.recv(), 'the word'), 'done')
    assert.equal(await lock.locked(), false)
    assert.ok(await lock.acquire({ block: false }))
    await t.ends(child)
    assert.equal(await t.run(targets.isLocked, lock), true)
  },

  'LK7 `await using` releases, also after a throw, and once': async t => {
    const lock = new t.api.Lock()
    {
      await using guard = await lock.acquire()
      assert.ok(guard)
      assert.equal(await lock.locked(), true)
    }
    assert.equal(await lock.locked(), false)
    const failing = async () => {
      await using _guard = await lock.acquire()
      throw new RangeError('inside')
    }
    await rejects(failing(), RangeError)
    assert.equal(await lock.locked(), false)
    let next: Guard
    {
      await using guard = await lock.acquire()
      await guard.release()
      next = await lock.acquire()
    }
    assert.equal(await lock.locked(), true)
    await next.release()
  },

  'LK9 it travels in args, items and messages, and refuses every other serialisation': async t => {
    const lock = new t.api.Lock()
    assert.ok(lock instanceof t.api.Lock)
    throws(() => JSON.stringify(lock), 'MP_NOT_SHAREABLE')
    throws(() => structuredClone(lock), 'MP_NOT_SHAREABLE')
    const queue = new t.api.Queue<Lock>()
    await queue.put(lock)
    const same = await within(queue.get(), 'the lock')
    assert.ok(same instanceof t.api.Lock)
    const guard = await same.acquire()
    assert.equal(await lock.locked(), true)
    const [mine, theirs] = t.pipe<Lock, unknown>()
    await mine.send(lock)
    const other = (await within(theirs.recv(), 'the lock')) as Lock
    assert.equal(await other.locked(), true)
    await other.release()
    await rejects(guard.release(), 'MP_INVALID_STATE')
    const child = await t.run(targets.tryAcquire, other, 1_000)
    assert.equal(child.taken, true)
    await mine.close()
    await theirs.close()
    await queue.close()
  },

  'a closed lock is of no use here, and works elsewhere': async t => {
    const lock = new t.api.Lock()
    const queue = new t.api.Queue<Lock>()
    await queue.put(lock)
    const other = await within(queue.get(), 'the lock')
    const guard = await other.acquire()
    const pending = rejects(lock.acquire(), 'MP_CLOSED')
    await lock.close()
    await pending
    await lock.close()
    await rejects(lock.acquire(), 'MP_CLOSED')
    await rejects(lock.release(), 'MP_CLOSED')
    await rejects(lock.locked(), 'MP_CLOSED')
    await guard.release()
    assert.equal((await t.run(targets.tryAcquire, other, 1_000)).taken, true)
  },

  'what a context holds when it closes its last handle passes on': async t => {
    const lock = new t.api.Lock()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.holdAndClose, [lock, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'MP_INVALID_STATE')
    const guard = await within(lock.acquire(), 'the lock')
    assert.equal(guard.abandoned, true)
    await orders.send('end')
    await t.ends(child)
    await guard.release()
  },

  'those who wait come first, in their order, over all contexts': async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const order: string[] = []
    const lines = []
    for (const name of ['first', 'second', 'third']) {
      const [orders, theirs] = t.pipe()
      const child = await t.start(targets.lineUp, [lock, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'in line')
      const acquired = within(orders.recv(), 'the lock').then(() => order.push(name))
      const own = lock.acquire().then(async mine => {
        order.push(`after ${name}`)
        await mine.release()
      })
      lines.push({ child, acquired, own })
    }
    await guard.release()
    // A new call comes after all of them.
    await (await within(lock.acquire(), 'the lock')).release()
    const own = order.filter(each => each.startsWith('after'))
    assert.deepEqual(own, ['after first', 'after second', 'after third'])
    for (const { child, acquired } of lines) {
      await acquired
      assert.deepEqual(await within(child.result(), 'result'), { abandoned: false })
      await t.ends(child)
    }
  },

  '300 calls of one context are served in their order': async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const order: number[] = []
    const all = Array.from({ length: 300 }, async (_, index) => {
      const mine = await lock.acquire()
      order.push(index)
      await mine.release()
    })
    await assertPending(Promise.race(all), 10)
    await guard.release()
    await within(Promise.all(all), 'all of them')
    assert.deepEqual(
      order,
      Array.from({ length: 300 }, (_, index) => index),
    )
  },

  '1,000 hand-overs between two children keep a counter exact': async t => {
    const lock = new t.api.Lock()
    const path = t.file('counter')
    writeFileSync(path, '0')
    const children = [await t.start(targets.addUp, [lock, path, 500]), await t.start(targets.addUp, [lock, path, 500])]
    for (const child of children) assert.equal(await within(child.join(), 'join', 15_000), 0)
    assert.equal(readFileSync(path, 'utf8'), '1000')
    assert.equal(await lock.locked(), false)
  },

  'a loop of uncontended acquisitions lets the event loop turn': async t => {
    const lock = new t.api.Lock()
    let turned = false
    setImmediate(() => {
      turned = true
    })
    const start = performance.now()
    while (!turned && performance.now() - start < patiently(2_000)) await (await lock.acquire()).release()
    assert.ok(turned)
  },

  'LK1 a lock that contexts hold across turns, and take again at once, comes to each of them in turn': async t => {
    const lock = new t.api.Lock()
    const pipes = [1, 2, 3].map(() => t.api.Pipe<unknown, string>())
    const start = ([, far]: (typeof pipes)[number]) => t.start(loops.lockAcrossTurns, [lock, far])
    const children = [await start(pipes[0] as (typeof pipes)[number])]
    const near = pipes.map(([near]) => near)
    assert.equal(await within((near[0] as Connection).recv(), 'the first'), 'has had it')
    children.push(...(await Promise.all(pipes.slice(1).map(start))))
    // First come, first served: each has it although the first one always asks again.
    for (const each of near.slice(1)) assert.equal(await within(each.recv(), 'the lock'), 'has had it')
    for (const each of near) await each.send('end')
    for (const child of children) await t.ends(child)
  },

  'LK1 a lock that contexts take in a loop comes to each of them': async t => {
    const lock = new t.api.Lock()
    const pipes = [1, 2].map(() => t.api.Pipe<unknown, string>())
    const children = await Promise.all(pipes.map(([, far]) => t.start(loops.lockOften, [lock, 300, far])))
    for (const [near] of pipes) assert.equal(await within(near.recv(), 'a child'), 'running')
    let own = 0
    const end = performance.now() + 250
    for (; performance.now() < end; own++) {
      const guard = await within(lock.acquire(), 'the lock', 2_000)
      assert.equal(guard.abandoned, false)
      await guard.release()
    }
    const counts = await Promise.all(children.map(each => within(each.result(), 'the count')))
    for (const count of [own, ...counts]) assert.ok(count >= 3, `one of them had it ${count} times`)
    for (const child of children) await t.ends(child)
  },

  'LK8 who exits right after a release has not abandoned the lock': needs('isolation', async t => {
    const lock = new t.api.Lock()
    const child = await t.start(loops.lockAndExit, [lock])
    await t.ends(child)
    const guard = await within(lock.acquire(), 'the lock')
    assert.equal(guard.abandoned, false)
    await guard.release()
  }),
})

/** A child that holds the lock until it is told to release it. */
async function holder(t: Trial, lock: Lock, stdio: 'inherit' | 'ignore' = 'inherit') {
  const [orders, theirs] = t.pipe()
  const child = await t.start(targets.hold, [lock, theirs as never], { stdio })
  assert.equal(await within(orders.recv(), 'the word'), 'held')
  return [orders, child] as const
}
