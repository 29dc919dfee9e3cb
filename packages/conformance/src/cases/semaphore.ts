import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, assertTook, rejects, throws, timed, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets-sync.js'

export const semaphore = group('Semaphore and BoundedSemaphore', {
  'SM1 it counts down to 0, and up beyond its first value; a bounded one refuses that': async t => {
    for (const type of ['Semaphore', 'BoundedSemaphore'] as const) {
      const semaphore = new t.api[type](2)
      assert.ok(semaphore instanceof t.api[type])
      assert.equal(await semaphore.getValue(), 2)
      const first = await semaphore.acquire()
      assert.equal(await semaphore.getValue(), 1)
      assert.ok(await semaphore.acquire())
      assert.equal(await semaphore.getValue(), 0)
      assert.equal(await semaphore.acquire({ block: false }), false)
      assert.equal(await semaphore.getValue(), 0)
      await first.release()
      assert.equal(await semaphore.getValue(), 1)
      await rejects(first.release(), 'MP_INVALID_STATE')
      await semaphore.release()
      assert.equal(await semaphore.getValue(), 2)
    }
    const plain = new t.api.Semaphore(1)
    await plain.release()
    await plain.release(3)
    assert.equal(await plain.getValue(), 5)
    const bounded = new t.api.BoundedSemaphore(2)
    await rejects(bounded.release(), 'MP_INVALID_STATE')
    await bounded.acquire()
    await rejects(bounded.release(2), 'MP_INVALID_STATE')
    assert.equal(await bounded.getValue(), 1)
    await bounded.release()
    assert.equal(await bounded.getValue(), 2)
  },

  'SM1 in a child, too': async t => {
    const semaphore = new t.api.BoundedSemaphore(2)
    await semaphore.acquire()
    assert.equal(await t.run(targets.releaseMany, semaphore, 2), 'MP_INVALID_STATE')
    assert.equal(await t.run(targets.releaseMany, semaphore, 1), 'done')
    assert.equal(await semaphore.getValue(), 2)
    const plain = new t.api.Semaphore(0)
    const acquired = plain.acquire()
    assert.equal(await t.run(targets.releaseMany, plain, 3), 'done')
    await within(acquired, 'acquire')
    assert.equal(await plain.getValue(), 2)
  },

  'SM2 limits of time are kept': async t => {
    const semaphore = new t.api.Semaphore(0)
    for (const options of [
      { block: false },
      { block: false, timeout: null },
      { block: false, timeout: patiently(2_000) },
    ]) {
      const { ms, value } = await timed(() => semaphore.acquire(options))
      assert.equal(value, false)
      assert.ok(ms < patiently(1_000), `${ms} ms`)
    }
    const { ms, value } = await timed(() => semaphore.acquire({ block: true, timeout: 60 }))
    assert.equal(value, false)
    assertTook(ms, 60)
    const child = await t.run(targets.tryAcquire, semaphore, 60)
    assert.equal(child.taken, false)
    assertTook(child.ms, 60)
    await semaphore.release()
    assert.equal(await semaphore.getValue(), 1)
  },

  'SM3 a negative first value, or none that counts, is refused; absent it is 1': async t => {
    throws(() => new t.api.Semaphore(-1), RangeError)
    throws(() => new t.api.BoundedSemaphore(-1), RangeError)
    throws(() => new t.api.Semaphore(1.5), RangeError)
    throws(() => new t.api.Semaphore('1' as never), TypeError)
    assert.equal(await new t.api.Semaphore().getValue(), 1)
    assert.equal(await new t.api.BoundedSemaphore().getValue(), 1)
    assert.equal(await new t.api.Semaphore(0).getValue(), 0)
    await rejects(new t.api.Semaphore().release(0), RangeError)
    await rejects(new t.api.Semaphore().release(-1), RangeError)
  },

  'no more are inside than its value says': async t => {
    const semaphore = new t.api.Semaphore(2)
    // It has no bound: with one, the put of a third child inside would wait, and nobody would see it.
    const inside = new t.api.Queue<number>()
    const children = []
    for (let i = 0; i < 3; i++) children.push(await t.start(targets.enterOften, [semaphore, inside, 30]))
    let most = 0
    const done = Promise.all(children.map(child => child.join()))
    const over = done.then(() => true)
    while (!(await Promise.race([over, new Promise(resolve => setImmediate(resolve, false))]))) {
      most = Math.max(most, await inside.qsize())
    }
    assert.deepEqual(await done, [0, 0, 0])
    assert.ok(most <= 2, `${most} were inside`)
    assert.equal(await semaphore.getValue(), 2)
  },

  'what a child holds when it ends or is killed is given back, and no more': async t => {
    for (const how of ['end', 'kill'] as const) {
      const semaphore = new t.api.BoundedSemaphore(3)
      const own = await semaphore.acquire()
      const [orders, theirs] = t.pipe()
      const child = await t.start(targets.takeAll, [semaphore, 2, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'held')
      assert.equal(await semaphore.getValue(), 0)
      const waiting = semaphore.acquire()
      await assertPending(waiting, 20)
      if (how === 'kill') child.kill()
      else await orders.send('end')
      const guard = await within(waiting, 'acquire', 1_500)
      assert.equal(guard.abandoned, true)
      await t.ends(child, how === 'kill' ? -9 : 0)
      assert.equal(await semaphore.getValue(), 1)
      await guard.release()
      await own.release()
      assert.equal(await semaphore.getValue(), 3)
    }
  },

  'a permit that another context has released for it is not given back again when its holder is killed': async t => {
    const semaphore = new t.api.Semaphore(2)
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.takeAll, [semaphore, 2, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'held')
    await semaphore.release()
    assert.equal(await semaphore.getValue(), 1)
    child.kill()
    await t.ends(child, -9)
    assert.equal(await semaphore.getValue(), 2)
  },
})
