import assert from 'node:assert/strict'
import type { Barrier, Condition, Event, JoinableQueue, Lock, Semaphore } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, rejects, within } from '../harness.js'
import * as targets from '../targets-sync.js'
import type { Trial } from '../trial.js'
import { turns } from '../turns.js'

/** ms in which all must go on once a holder is gone. */
const SOON = 1_500

interface All {
  readonly lock: Lock
  readonly semaphore: Semaphore
  readonly event: Event
  readonly condition: Condition
  readonly barrier: Barrier
  readonly queue: JoinableQueue<number>
}

export const holderDeath = group('The end of a context that holds a lock, or is its home', {
  'LK8 the lock of a child that is killed passes on, and says so once': async t => {
    for (const how of ['terminate', 'kill'] as const) {
      const lock = new t.api.Lock()
      const [child] = await holder(t, lock)
      const [other, orders] = await inLine(t, lock)
      const own = lock.acquire()
      await assertPending(own, 20)
      child[how]()
      assert.equal(await within(orders.recv(), 'the lock', SOON), 'acquired')
      assert.deepEqual(await within(other.result(), 'result'), { abandoned: true })
      const guard = await within(own, 'the lock', SOON)
      assert.equal(guard.abandoned, false)
      await guard.release()
      await t.ends(child, how === 'kill' ? -9 : -15)
      await t.ends(other)
    }
  },

  'LK8 nobody waits: the next who comes is told': async t => {
    const lock = new t.api.Lock()
    const [child] = await holder(t, lock)
    child.kill()
    await t.ends(child, -9)
    assert.equal(await lock.locked(), false)
    const guard = await within(lock.acquire(), 'the lock', SOON)
    assert.equal(guard.abandoned, true)
    await guard.release()
    assert.equal((await lock.acquire()).abandoned, false)
  },

  'LK8 a holder that returns, or throws, without a release counts the same': async t => {
    for (const [order, code] of [
      ['end', 0],
      ['throw', 1],
    ] as const) {
      const lock = new t.api.Lock()
      const [child, orders] = await holder(t, lock, order === 'throw' ? { stdio: 'ignore' } : undefined)
      const next = lock.acquire()
      await assertPending(next, 20)
      await orders.send(order)
      assert.equal((await within(next, 'the lock', SOON)).abandoned, true)
      await t.ends(child, code)
    }
  },

  'LK8 a holder that exits counts the same': needs('isolation', async t => {
    const lock = new t.api.Lock()
    const [child, orders] = await holder(t, lock)
    const next = lock.acquire()
    await orders.send('exit')
    assert.equal((await within(next, 'the lock', SOON)).abandoned, true)
    await t.ends(child, 7)
  }),

  'LK8 the lock of a grandchild passes on when its parent is killed': async t => {
    const lock = new t.api.Lock()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.holdBelow, [t.module, lock, theirs as never], { daemon: true })
    assert.equal(await within(orders.recv(), 'the word'), 'held')
    child.kill()
    assert.equal((await within(lock.acquire(), 'the lock', 3_000)).abandoned, true)
    await t.ends(child, -9)
  },

  'a child that is killed in line takes nothing with it': async t => {
    for (const [lock, isGone] of [
      [new t.api.Lock(), false],
      [new t.api.Lock(), true],
      [new t.api.Semaphore(1), false],
      [new t.api.Semaphore(1), true],
    ] as const) {
      const guard = await lock.acquire()
      const [doomed] = await inLine(t, lock)
      const [other, orders] = await inLine(t, lock)
      doomed.kill()
      if (isGone) await t.ends(doomed, -9)
      await guard.release()
      assert.equal(await within(orders.recv(), 'the lock', SOON), 'acquired')
      const { abandoned } = (await within(other.result(), 'result')) as { abandoned: boolean }
      // It may have had the lock for a moment.
      assert.equal(typeof abandoned, 'boolean')
      await (await within(lock.acquire(), 'the lock', SOON)).release()
      if (!isGone) await t.ends(doomed, -9)
      await t.ends(other)
    }
  },

  'children that are killed at any moment of their work leave the lock usable': async t => {
    const lock = new t.api.Lock()
    const path = t.file('counter')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(path, '0')
    for (let i = 0; i < 4; i++) {
      const children = [0, 1].map(() => t.process(targets.addUp, [lock, path, 1_000_000], { stdio: 'ignore' }))
      await Promise.all(children.map(child => within(child.start(), 'start')))
      await turns(5 * i)
      for (const child of children) child.kill()
      for (const child of children) await within(child.join(), 'join')
      await (await within(lock.acquire(), 'the lock', SOON)).release()
      assert.equal(await lock.locked(), false)
    }
  },

  'when the context that made them ends in order, they live on in its parent': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.ownAll, [t.module, theirs as never, null])
    const all = (await within(mine.recv(), 'all of them')) as All
    await t.ends(child)
    await useAll(t, all)
    await within(mine.close(), 'close')
  },

  'when the context that made them exits, they live on in its parent, and calls that wait go on': needs(
    'isolation',
    async t => {
      const [mine, theirs] = t.pipe()
      const [orders, ordersEnd] = t.pipe()
      const child = await t.start(targets.ownAll, [t.module, theirs as never, ordersEnd as never])
      const all = (await within(mine.recv(), 'all of them')) as All
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      const guard = await within(all.lock.acquire(), 'the lock')
      const next = all.lock.acquire()
      await assertPending(next, 20)
      await orders.send('exit')
      await t.ends(child, 3)
      assert.equal(await all.lock.locked(), true)
      await guard.release()
      const passed = await within(next, 'the lock', SOON)
      assert.equal(passed.abandoned, false)
      await passed.release()
      await useAll(t, all)
      await mine.close()
      await orders.close()
    },
  ),

  'calls that wait when the home ends in order go on in its parent': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.ownAll, [t.module, theirs as never, ordersEnd as never])
    const all = (await within(mine.recv(), 'all of them')) as All
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const { lock, event, barrier } = all
    const guard = await within(lock.acquire(), 'the lock')
    const [other] = await inLine(t, lock)
    const [met, metEnd] = t.pipe()
    const sibling = await t.start(targets.waitFor, [barrier, metEnd as never])
    assert.equal(await within(met.recv(), 'the word'), 'waiting')
    await event.clear()
    const set = event.wait()
    await orders.send('end')
    await t.ends(child)
    assert.equal(await lock.locked(), true)
    await guard.release()
    assert.deepEqual(await within(other.result(), 'result'), { abandoned: false })
    assert.ok([0, 1].includes(await within(barrier.wait(), 'the barrier')))
    await assertPending(set, 20)
    await event.set()
    assert.equal(await within(set, 'the event'), true)
    await t.ends(other)
    await t.ends(sibling)
    await closeAll(all)
    await mine.close()
    await orders.close()
  },

  'a holder goes on holding when the home moves, and passes on when it is killed after': async t => {
    const [mine, theirs] = t.pipe<never, Lock>()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.ownHeld, [t.module, theirs as never, ordersEnd as never])
    const lock = await within(mine.recv(), 'the lock')
    const first = lock.acquire()
    await assertPending(first, 20)
    // Its home holds it, and ends.
    await orders.send('end')
    await t.ends(child)
    const guard = await within(first, 'the lock', SOON)
    assert.equal(guard.abandoned, true)
    await guard.release()
    const [sibling] = await holder(t, lock)
    const next = lock.acquire()
    await assertPending(next, 20)
    sibling.kill()
    assert.equal((await within(next, 'the lock', SOON)).abandoned, true)
    await t.ends(sibling, -9)
    await lock.close()
  },

  'when the context that made them is killed, calls reject with MP_SHUT_DOWN': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.ownAll, [t.module, theirs as never, ordersEnd as never])
    const { lock, semaphore, event, condition, barrier, queue } = (await within(mine.recv(), 'all of them')) as All
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const guard = await within(lock.acquire(), 'the lock')
    await within(event.clear(), 'clear')
    const [other] = await inLine(t, lock)
    const inside = await within(condition.acquire(), 'the condition')
    const refused = [
      rejects(lock.acquire(), 'MP_SHUT_DOWN', SOON),
      rejects(event.wait(), 'MP_SHUT_DOWN', SOON),
      rejects(condition.wait(), 'MP_SHUT_DOWN', SOON),
      rejects(barrier.wait(), 'MP_SHUT_DOWN', SOON),
      rejects(queue.join(), 'MP_SHUT_DOWN', SOON),
    ]
    await barrier.waiting
    child.kill()
    await Promise.all(refused)
    assert.deepEqual(await within(other.result(), 'result', SOON), { code: 'MP_SHUT_DOWN' })
    for (const call of [
      () => lock.acquire(),
      () => lock.acquire({ block: false }),
      () => lock.locked(),
      () => guard.release(),
      () => semaphore.getValue(),
      () => event.set(),
      () => event.isSet(),
      () => condition.acquire(),
      () => barrier.wait(),
      () => barrier.broken,
      () => queue.taskDone(),
      () => queue.join(),
    ]) {
      await rejects(call(), 'MP_SHUT_DOWN', SOON)
    }
    // Nothing is left to give back.
    await guard[Symbol.asyncDispose]()
    await inside[Symbol.asyncDispose]()
    await t.ends(child, -9)
    await t.ends(other)
    await mine.close()
  },
})

async function useAll(t: Trial, { lock, semaphore, event, condition, barrier, queue }: All): Promise<void> {
  assert.equal(await lock.locked(), false)
  const guard = await within(lock.acquire(), 'the lock')
  assert.equal((await t.run(targets.tryAcquire, lock, 20)).taken, false)
  await guard.release()
  // What its home held is given back.
  assert.equal(await semaphore.getValue(), 3)
  assert.equal((await within(semaphore.acquire(), 'the semaphore')).abandoned, true)
  assert.equal(await event.isSet(), true)
  assert.equal(await within(event.wait(), 'the event'), true)
  const inside = await within(condition.acquire(), 'the condition')
  const waiting = condition.wait()
  await t.run(targets.notifyOne, condition)
  assert.equal(await within(waiting, 'the condition'), true)
  await inside.release()
  const child = await t.start(targets.lockstep, [barrier, 2, null])
  for (let i = 0; i < 2; i++) await within(barrier.wait(), 'the barrier')
  await t.ends(child)
  assert.equal(await within(queue.get(), 'the item'), 1)
  await assertPending(queue.join(), 20).finally(() => queue.taskDone())
  await within(queue.join(), 'join')
  await closeAll({ lock, semaphore, event, condition, barrier, queue })
}

/** Closes them: each holds a link if its home is, or was, in another context. */
async function closeAll(all: All): Promise<void> {
  for (const each of [all.lock, all.semaphore, all.event, all.condition, all.barrier, all.queue]) await each.close()
}

async function holder(t: Trial, lock: Lock, options?: { stdio: 'ignore' }) {
  const [orders, theirs] = t.pipe()
  const child = await t.start(targets.hold, [lock, theirs as never], options as never)
  assert.equal(await within(orders.recv(), 'the word'), 'held')
  return [child, orders] as const
}

async function inLine(t: Trial, lock: Lock | Semaphore) {
  const [orders, theirs] = t.pipe()
  const child = await t.start(targets.lineUp, [lock, theirs as never])
  assert.equal(await within(orders.recv(), 'the word'), 'in line')
  return [child, orders] as const
}
