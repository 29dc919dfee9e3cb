import assert from 'node:assert/strict'
import { group, needs } from '../case.js'
import { assertTook, eventually, rejects, throws, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets-blocking-locks.js'
import { blockingEvent, blockingLock, type GuardSync } from '../targets-blocking-locks.js'

export const blockingLocks = group('Blocking calls of locks and events', {
  'LK1 acquireSync and releaseSync; what is held is refused at once, or after a timeout': needs('sync', async t => {
    for (const lock of [new t.api.Lock(), new t.api.RLock(), new t.api.Semaphore(1), new t.api.BoundedSemaphore(1)]) {
      const guard = blockingLock(lock).acquireSync() as GuardSync
      assert.ok(guard)
      assert.equal(guard.abandoned, false)
      assert.equal(blockingLock(lock).acquireSync({ block: false }), false)
      assert.equal(blockingLock(lock).acquireSync({ timeout: -1 }), false)
      const start = performance.now()
      assert.equal(blockingLock(lock).acquireSync({ timeout: 60 }), false)
      assertTook(performance.now() - start, 60)
      assert.equal(await lock.acquire({ block: false }), false)
      guard.releaseSync()
      throws(() => guard.releaseSync(), 'MP_INVALID_STATE')
      await rejects(guard.release(), 'MP_INVALID_STATE')
      await (await within(lock.acquire(), 'acquire')).release()
      const again = blockingLock(lock).acquireSync({ timeout: 1_000 })
      assert.ok(again)
      again[Symbol.dispose]()
      again[Symbol.dispose]()
      throws(() => blockingLock(lock).acquireSync({ timeout: 'soon' as never }), TypeError)
      throws(() => blockingLock(lock).acquireSync({ block: 1 as never }), TypeError)
      await lock.close()
      throws(() => blockingLock(lock).acquireSync(), 'MP_CLOSED')
    }
  }),

  'LK5 an RLock is entered again without blocking, and left in either way': needs('sync', async t => {
    const lock = new t.api.RLock()
    const first = blockingLock(lock).acquireSync() as GuardSync
    const second = blockingLock(lock).acquireSync({ guard: first }) as GuardSync
    const third = await lock.acquire({ guard: second })
    second.releaseSync()
    await third.release()
    assert.equal(await lock.locked(), true)
    first.releaseSync()
    assert.equal(await lock.locked(), false)
  }),

  'LK6 a lock taken by blocking stands to those who await, and the other way round': needs(
    'sync',
    'sharedMemory',
    async t => {
      const lock = new t.api.Lock()
      const words = new Int32Array(new SharedArrayBuffer(8))
      const child = await t.start(targets.holdSync, [lock, words])
      await eventually(() => Atomics.load(words, 0) === 1, 'the child to hold it')
      assert.equal(await lock.locked(), true)
      assert.equal(blockingLock(lock).acquireSync({ timeout: 20 }), false)
      const next = lock.acquire()
      Atomics.store(words, 1, 1)
      Atomics.notify(words, 1)
      const guard = await within(next, 'the lock')
      assert.equal(guard.abandoned, false)
      await t.ends(child)
      const other = await t.start(targets.holdSync, [lock, new Int32Array(new SharedArrayBuffer(8)).fill(1, 1)])
      await guard.release()
      assert.equal(await within(other.result(), 'result'), false)
      await t.ends(other)
    },
  ),

  'a counter is exact under calls that block, that await, and that do both': needs('sync', 'sharedMemory', async t => {
    const lock = new t.api.Lock()
    const counter = new Int32Array(new SharedArrayBuffer(8))
    const children = []
    for (const mixed of [false, true]) children.push(await t.start(targets.count, [lock, counter, 2_000, mixed]))
    for (let i = 0; i < 500; i++) {
      await using _guard = await within(lock.acquire(), 'the lock')
      const before = counter[0] as number
      for (let spin = 0; spin < 20; spin++) Atomics.load(counter, 1)
      counter[0] = before + 1
    }
    for (const child of children) await t.ends(child)
    assert.equal(counter[0], 4_500)
    assert.equal(await lock.locked(), false)
  }),

  'a call that blocks goes before those of its own thread, which keep their order': needs('sync', async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.blockBehindOwn, [lock, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'in line')
    await guard.release()
    assert.deepEqual(await within(child.result(), 'result'), ['blocking', 'first', 'second'])
    await t.ends(child)
  }),

  'a call that blocks and gives up leaves those of its own thread in line': needs('sync', async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.giveUpBehindOwn, [lock, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'gave up')
    await guard.release()
    assert.deepEqual(await within(child.result(), 'result'), [false, 'first', 'second'])
    await t.ends(child)
    assert.equal(await lock.locked(), false)
  }),

  'LK8 a holder that is killed while it blocks passes its lock on, to a thread that blocks, too': needs(
    'sync',
    'sharedMemory',
    async t => {
      for (const sync of [true, false]) {
        const lock = new t.api.Lock()
        const words = new Int32Array(new SharedArrayBuffer(8))
        const child = await t.start(targets.holdSync, [lock, words])
        await eventually(() => Atomics.load(words, 0) === 1, 'the child to hold it')
        child.kill()
        const start = performance.now()
        const guard = sync
          ? blockingLock(lock).acquireSync({ timeout: patiently(5_000) })
          : await within(lock.acquire(), 'the lock', 1_500)
        assert.ok(guard)
        assert.equal(guard.abandoned, true)
        assert.ok(performance.now() - start < patiently(1_500))
        await guard.release()
        await t.ends(child, -9)
      }
    },
  ),

  'a child that is killed in line, blocked, takes nothing with it': needs('sync', 'sharedMemory', async t => {
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const event = new t.api.Event()
    const ready = new Int32Array(new SharedArrayBuffer(8))
    const words = new Int32Array(new SharedArrayBuffer(8))
    const inLine = await t.start(targets.holdSync, [lock, words])
    const waiting = await t.start(targets.waitEventSync, [event, ready, null])
    await eventually(() => Atomics.load(ready, 0) === 1, 'the wait')
    inLine.kill()
    waiting.kill()
    await guard.release()
    const next = blockingLock(lock).acquireSync({ timeout: 1_500 })
    assert.ok(next)
    next.releaseSync()
    await event.set()
    assert.equal(blockingEvent(event).waitSync({ timeout: 0 }), true)
    await t.ends(inLine, -9)
    await t.ends(waiting, -9)
  }),

  'EV2 waitSync: a limit of time, and a set that wakes all who block': needs('sync', 'sharedMemory', async t => {
    const event = new t.api.Event()
    const start = performance.now()
    assert.equal(blockingEvent(event).waitSync({ timeout: 60 }), false)
    assertTook(performance.now() - start, 60)
    assert.equal(blockingEvent(event).waitSync({ timeout: 0 }), false)
    const ready = new Int32Array(new SharedArrayBuffer(4))
    const children = []
    for (let i = 0; i < 3; i++) children.push(await t.start(targets.waitEventSync, [event, ready, null]))
    await eventually(() => Atomics.load(ready, 0) === 3, 'all to wait')
    const own = event.wait()
    await event.set()
    assert.equal(await within(own, 'wait'), true)
    for (const child of children) {
      assert.equal(await within(child.result(), 'result'), true)
      await t.ends(child)
    }
    assert.equal(blockingEvent(event).waitSync(), true)
    await event.clear()
    assert.equal(blockingEvent(event).waitSync({ timeout: 0 }), false)
    await event.close()
    throws(() => blockingEvent(event).waitSync(), 'MP_CLOSED')
  }),
})
