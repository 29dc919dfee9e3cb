import assert from 'node:assert/strict'
import type { Condition, Connection, Process } from '@mp/core'
import { group } from '../case.js'
import { assertPending, assertTook, eventually, rejects, throws, timed, within } from '../harness.js'
import * as targets from '../targets-sync.js'
import type { Trial } from '../trial.js'

export const condition = group('Condition', {
  'CD1 wait and notify without the lock are refused': async t => {
    const condition = new t.api.Condition()
    await rejects(condition.wait(), 'MP_INVALID_STATE')
    await rejects(
      condition.waitFor(() => true),
      'MP_INVALID_STATE',
    )
    await rejects(condition.notify(), 'MP_INVALID_STATE')
    await rejects(condition.notifyAll(), 'MP_INVALID_STATE')
    await rejects(condition.release(), 'MP_INVALID_STATE')
    assert.equal(await t.run(targets.notifyOne, condition), 'MP_INVALID_STATE')
    const guard = await condition.acquire()
    await condition.notify()
    await rejects(condition.notify(0), RangeError)
    await guard.release()
    await rejects(condition.notify(), 'MP_INVALID_STATE')
  },

  'CD2 notify wakes one, notify(2) two, notifyAll all; one too many does nothing': async t => {
    const condition = new t.api.Condition()
    const children: Process[] = []
    const words: Connection<unknown, unknown>[] = []
    let awake = 0
    for (let i = 0; i < 3; i++) {
      const [child, orders] = await waiter(t, condition)
      children.push(child)
      words.push(orders)
      void orders.recv().then(
        () => awake++,
        () => {},
      )
    }
    const own = Array.from({ length: 3 }, async () => {
      await using _guard = await condition.acquire()
      await condition.wait()
      awake++
    })
    await inLine(condition, own.length)
    const notify = async (n?: number) => {
      await using _guard = await condition.acquire()
      if (n === undefined) await condition.notifyAll()
      else await condition.notify(n)
    }
    await notify(1)
    await eventually(() => awake === 1, 'one to wake')
    await notify(2)
    await eventually(() => awake === 3, 'three to wake')
    await assertPending(
      eventually(() => awake > 3, 'no more'),
      30,
    )
    await notify()
    await eventually(() => awake === 6, 'all to wake')
    await Promise.all(own)
    for (const child of children) {
      assert.deepEqual(await within(child.result(), 'result'), { notified: true, abandoned: false })
      await t.ends(child)
    }
    // Nobody waits, so these have no effect.
    await notify(1)
    await notify()
    await using _guard = await condition.acquire()
    assert.equal(await condition.wait({ timeout: 30 }), false)
  },

  'CD2 a wait that timed out takes no notification with it': async t => {
    const condition = new t.api.Condition()
    const [child, orders] = await waiter(t, condition, 30)
    assert.deepEqual(await within(child.result(), 'result'), { notified: false, abandoned: false })
    assert.equal(await within(orders.recv(), 'the word'), 'awake')
    await t.ends(child)
    const [other] = await waiter(t, condition)
    {
      await using _guard = await condition.acquire()
      await condition.notify()
    }
    assert.deepEqual(await within(other.result(), 'result'), { notified: true, abandoned: false })
    await t.ends(other)
  },

  'CD3 wait gives false after its time, true when notified, and the lock is held again': async t => {
    for (const lock of [undefined, new t.api.Lock(), new t.api.RLock()]) {
      const condition = new t.api.Condition(lock)
      const guard = await condition.acquire()
      const { ms, value } = await timed(() => condition.wait({ timeout: 60 }))
      assert.equal(value, false)
      assertTook(ms, 60)
      assert.equal(await condition.acquire({ block: false }), false)
      const notified = condition.wait()
      {
        // The lock is free while it waits.
        await using _other = await within(condition.acquire(), 'acquire')
        await condition.notify()
        await assertPending(notified, 20)
      }
      assert.equal(await within(notified, 'wait'), true)
      assert.equal(await condition.acquire({ block: false }), false)
      await guard.release()
      const free = await condition.acquire({ block: false })
      assert.ok(free)
      await free.release()
    }
    throws(() => new t.api.Condition({} as never), TypeError)
  },

  'CD3 an abort rejects with its reason when the lock is held again': async t => {
    const condition = new t.api.Condition()
    const guard = await condition.acquire()
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = condition.wait({ signal: abort.signal })
    const other = await within(condition.acquire(), 'acquire')
    abort.abort(reason)
    await assertPending(waiting, 30)
    await other.release()
    await rejects(waiting, { reason })
    await condition.notify()
    await rejects(condition.wait({ signal: abort.signal }), { reason })
    await guard.release()
  },

  'CD4 waitFor gives what the predicate gave': async t => {
    const condition = new t.api.Condition()
    let state = 0
    const waiting = (async () => {
      await using _guard = await condition.acquire()
      return await condition.waitFor(() => (state >= 3 ? state + 2 : 0))
    })()
    await inLine(condition, 1)
    for (let i = 0; i < 3; i++) {
      await using _guard = await condition.acquire()
      state++
      await condition.notify()
    }
    assert.equal(await within(waiting, 'waitFor'), 5)
    await using _guard = await condition.acquire()
    const { ms, value } = await timed(() => condition.waitFor(async () => '', { timeout: 60 }))
    assert.equal(value, '')
    assertTook(ms, 60)
    const failing = condition.waitFor(() => {
      throw new RangeError('as ordered')
    })
    await rejects(failing, RangeError)
  },

  'CD4 consumers in children take each item once': async t => {
    const condition = new t.api.Condition()
    const items = new t.api.Queue<number>()
    const children = []
    for (let i = 0; i < 2; i++) children.push(await t.start(targets.takeTurns, [condition, items, 20]))
    for (let item = 0; item < 40; item++) {
      await using _guard = await condition.acquire()
      await items.put(item)
      await condition.notify()
    }
    const taken = await within(Promise.all(children.map(child => child.result())), 'results')
    assert.deepEqual(
      taken.flat().sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, item) => item),
    )
    for (const child of children) await t.ends(child)
  },

  'CD5 wait leaves an RLock that was entered more than once, and enters it again as often': async t => {
    const lock = new t.api.RLock()
    const condition = new t.api.Condition(lock)
    const first = await lock.acquire()
    const second = await condition.acquire({ guard: first })
    const waiting = condition.wait()
    {
      await using _other = await within(lock.acquire(), 'acquire')
      await condition.notify()
    }
    assert.equal(await within(waiting, 'wait'), true)
    await second.release()
    assert.equal(await lock.locked(), true)
    await first.release()
    assert.equal(await lock.locked(), false)
    await rejects(first.release(), 'MP_INVALID_STATE')
  },

  'it arrives with its lock, which may be known there already': async t => {
    const lock = new t.api.Lock()
    const condition = new t.api.Condition(lock)
    assert.ok(condition instanceof t.api.Condition)
    const queue = new t.api.Queue<unknown[]>()
    await queue.put([condition, lock])
    const [same, sameLock] = (await within(queue.get(), 'the condition')) as [
      Condition,
      InstanceType<typeof t.api.Lock>,
    ]
    assert.ok(same instanceof t.api.Condition)
    const guard = await sameLock.acquire()
    await same.notify()
    await condition.notify()
    await guard.release()
    await queue.close()
  },

  'a notification that goes to a child that is killed passes on': async t => {
    const condition = new t.api.Condition()
    const [doomed] = await waiter(t, condition)
    const [other] = await waiter(t, condition)
    const guard = await condition.acquire()
    await condition.notify()
    // The first waiter wakes, but cannot get the lock.
    await assertPending(doomed.result(), 60)
    const refused = rejects(doomed.result(), 'MP_WORKER_LOST')
    doomed.kill()
    await refused
    await t.ends(doomed, -9)
    await guard.release()
    assert.deepEqual(await within(other.result(), 'result', 1_500), { notified: true, abandoned: false })
    await t.ends(other)
  },

  'a child that is killed while it waits is out of the line': async t => {
    const condition = new t.api.Condition()
    const [doomed] = await waiter(t, condition)
    const [other] = await waiter(t, condition)
    doomed.kill()
    await t.ends(doomed, -9)
    {
      await using guard = await condition.acquire()
      assert.equal(guard.abandoned, false)
      await condition.notify()
    }
    assert.deepEqual(await within(other.result(), 'result', 1_500), { notified: true, abandoned: false })
    await t.ends(other)
  },
})

/** A child that waits to be notified. */
async function waiter(t: Trial, condition: Condition, timeout?: number) {
  const [orders, theirs] = t.pipe()
  const child = await t.start(targets.waitNotified, [condition, theirs as never, timeout])
  assert.equal(await within(orders.recv(), 'the word'), 'waiting')
  // It has the lock when it says so. Whoever has the lock next finds it waiting.
  await (await within(condition.acquire(), 'acquire')).release()
  return [child as Process, orders] as const
}

/** Makes `count` calls in this turn; each acquires, and waits. */
async function inLine(condition: Condition, count: number): Promise<void> {
  for (let i = 0; i <= count; i++) await (await within(condition.acquire(), 'acquire')).release()
}
