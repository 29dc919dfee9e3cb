import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, rejects, within } from '../harness.js'
import * as targets from '../targets-sync.js'

export const rlock = group('RLock', {
  'LK5 it is free when it was released as often as it was entered; one more is refused': async t => {
    const lock = new t.api.RLock()
    const first = await lock.acquire()
    const second = await lock.acquire({ guard: first })
    const third = await lock.acquire({ guard: second, block: false })
    assert.ok(third)
    for (const guard of [second, third]) {
      await guard.release()
      assert.equal(await lock.locked(), true)
      assert.equal(await lock.acquire({ block: false }), false)
    }
    await first.release()
    assert.equal(await lock.locked(), false)
    for (const guard of [first, second, third]) await rejects(guard.release(), 'MP_INVALID_STATE')
    await rejects(lock.release(), 'MP_INVALID_STATE')
  },

  'LK5 three releases of the lock itself leave it, and a fourth is refused': async t => {
    const lock = new t.api.RLock()
    const guard = await lock.acquire()
    await lock.acquire({ guard })
    await lock.acquire({ guard })
    for (let i = 0; i < 3; i++) await lock.release()
    await rejects(lock.release(), 'MP_INVALID_STATE')
    assert.equal(await lock.locked(), false)
  },

  'LK5 without its guard it is not entered again, not even by the same context': async t => {
    const lock = new t.api.RLock()
    const guard = await lock.acquire()
    assert.equal(await lock.acquire({ block: false }), false)
    assert.equal(await lock.acquire({ timeout: 20 }), false)
    const other = lock.acquire()
    await assertPending(other, 20)
    await guard.release()
    await rejects(lock.acquire({ guard }), 'MP_INVALID_STATE')
    await (await within(other, 'acquire')).release()
    const stranger = await new t.api.RLock().acquire()
    await rejects(lock.acquire({ guard: stranger }), 'MP_INVALID_STATE')
    await rejects(lock.acquire({ guard: {} as never }), TypeError)
  },

  'LK5 another context cannot release it': async t => {
    const lock = new t.api.RLock()
    const guard = await lock.acquire()
    assert.equal(await t.run(targets.releaseOnce, lock), 'MP_INVALID_STATE')
    assert.equal(await lock.locked(), true)
    await guard.release()
    assert.deepEqual(await t.run(targets.enterThrice, lock), [
      true,
      true,
      true,
      false,
      'MP_INVALID_STATE',
      'MP_INVALID_STATE',
    ])
  },

  'LK7 nested blocks with `await using` leave one level each': async t => {
    const lock = new t.api.RLock()
    {
      await using outer = await lock.acquire()
      {
        await using inner = await lock.acquire({ guard: outer })
        assert.ok(inner)
        await inner.release()
      }
      assert.equal(await lock.locked(), true)
      {
        await using _inner = await lock.acquire({ guard: outer })
      }
      assert.equal(await lock.locked(), true)
    }
    assert.equal(await lock.locked(), false)
  },

  'LK8 an RLock that was entered more than once passes on whole when its holder is killed': async t => {
    const lock = new t.api.RLock()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.holdTwice, [lock, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'held')
    const next = lock.acquire()
    await assertPending(next, 20)
    child.kill()
    const guard = await within(next, 'the lock', 1_500)
    assert.equal(guard.abandoned, true)
    await guard.release()
    assert.equal(await lock.locked(), false)
    await t.ends(child, -9)
  },

  'LK9 an RLock arrives as one': async t => {
    const lock = new t.api.RLock()
    assert.ok(lock instanceof t.api.RLock)
    assert.ok(lock instanceof t.api.Lock)
    assert.ok(!((new t.api.Lock() as unknown) instanceof t.api.RLock))
    const queue = new t.api.Queue<unknown>()
    await queue.put({ lock, plain: new t.api.Lock() })
    const { lock: same, plain } = (await within(queue.get(), 'the locks')) as Record<string, unknown>
    assert.ok(same instanceof t.api.RLock)
    assert.ok(plain instanceof t.api.Lock && !(plain instanceof t.api.RLock))
    const guard = await lock.acquire()
    await same.acquire({ guard })
    await same.release()
    await same.release()
    assert.equal(await lock.locked(), false)
    await queue.close()
  },
})
