import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, assertTook, rejects, timed, within } from '../harness.js'
import { nothing, obey } from '../targets.js'
import * as targets from '../targets-sync.js'

export const wait = group('wait', {
  'W1 nothing ready: an empty list after the time, or at once': async t => {
    const [mine, theirs] = t.pipe()
    const queue = new t.api.Queue()
    const { ms, value } = await timed(() => t.api.wait([mine, queue], { timeout: 60 }))
    assert.deepEqual(value, [])
    assertTook(ms, 60)
    for (const timeout of [0, -5]) assert.deepEqual(await within(t.api.wait([mine, queue], { timeout }), 'wait'), [])
    const waiting = t.api.wait([mine, queue], { timeout: null })
    await assertPending(waiting, 30)
    await theirs.send(1)
    isOnly(await within(waiting, 'wait'), mine)
    await mine.close()
    await theirs.close()
  },

  'W1 an abort rejects with its reason': async t => {
    const [mine, theirs] = t.pipe()
    const abort = new AbortController()
    const reason = new Error('enough')
    const waiting = t.api.wait([mine], { signal: abort.signal })
    abort.abort(reason)
    await rejects(waiting, { reason })
    await rejects(t.api.wait([mine], { signal: abort.signal }), { reason })
    await theirs.send(1)
    assert.equal(await within(mine.recv(), 'recv'), 1)
    await mine.close()
    await theirs.close()
  },

  'W3 connections, queues, processes and promises, mixed; what is ready comes in its order': async t => {
    const [a, b] = t.pipe()
    const [silent, other] = t.pipe()
    const queue = new t.api.Queue<number>()
    const [orders, theirs] = t.pipe()
    const child = await t.start(obey, [theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    let settle!: () => void
    const promise = new Promise<void>(resolve => {
      settle = resolve
    })
    const all = [silent, child, a, queue, promise, child.exited] as const
    const names = ['silent', 'child', 'a', 'queue', 'promise', 'exited']
    const ready = async () => {
      const found = await within(t.api.wait(all, { timeout: 0 }), 'wait')
      return found.map(each => names[all.indexOf(each)])
    }
    assert.deepEqual(await ready(), [])
    await queue.put(1)
    assert.deepEqual(await ready(), ['queue'])
    await b.send('message')
    isOnly(await within(t.api.wait([silent, a]), 'wait'), a)
    settle()
    assert.deepEqual(await ready(), ['a', 'queue', 'promise'])
    await orders.send('end')
    isOnly(await within(t.api.wait([child]), 'wait'), child)
    assert.deepEqual(await ready(), ['child', 'a', 'queue', 'promise', 'exited'])
    // Nothing was taken.
    assert.equal(await queue.getNowait(), 1)
    assert.equal(await within(a.recv(), 'recv'), 'message')
    assert.deepEqual(await ready(), ['child', 'promise', 'exited'])
    await b.close()
    isOnly(await within(t.api.wait([silent, a]), 'wait'), a)
    await rejects(a.recv(), 'MP_EOF')
    for (const each of [a, silent, other, orders]) await each.close()
  },

  'W3 in a child, on what lives elsewhere': async t => {
    const [mine, theirs] = t.pipe()
    const queue = new t.api.Queue<number>()
    assert.deepEqual(await t.run(targets.waitAny, t.module, [queue], 30), [])
    const child = await t.start(targets.waitAny, [t.module, [theirs as never, queue], 8_000])
    await assertPending(child.result(), 30)
    await queue.put(1)
    assert.deepEqual(await within(child.result(), 'result'), [1])
    await t.ends(child)
    assert.deepEqual(await t.run(targets.waitAny, t.module, [queue], 0), [0])
    assert.equal(await queue.getNowait(), 1)
    await queue.shutdown()
    // A get would not wait: it rejects.
    assert.deepEqual(await t.run(targets.waitAny, t.module, [queue], 8_000), [0])
    isOnly(await within(t.api.wait([queue]), 'wait'), queue)
    await mine.close()
  },

  'W3 the end of a peer is readiness': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.sendWhenTold, [theirs, ordersEnd as never])
    const waiting = t.api.wait([mine])
    await assertPending(waiting, 20)
    child.kill()
    isOnly(await within(waiting, 'wait', 1_500), mine)
    await rejects(mine.recv(), 'MP_EOF')
    await t.ends(child, -9)
    await orders.close()
  },

  'W5 an empty list waits for its time': async t => {
    const { ms, value } = await timed(() => t.api.wait([], { timeout: 60 }))
    assert.deepEqual(value, [])
    assertTook(ms, 60)
    assert.deepEqual(await within(t.api.wait([], { timeout: 0 }), 'wait'), [])
  },

  'W3 a hundred objects at once': async t => {
    const pipes = Array.from({ length: 20 }, () => t.pipe())
    const promises = Array.from({ length: 80 }, () => new Promise<never>(() => {}))
    const ends = pipes.map(([mine]) => mine)
    const waiting = t.api.wait([...promises, ...ends])
    await assertPending(waiting, 20)
    await pipes[7]?.[1].send('seven')
    isOnly(await within(waiting, 'wait'), ends[7])
    for (const end of pipes.flat()) await end.close()
  },

  'what cannot be waited for is refused': async t => {
    await rejects(t.api.wait([5] as never), TypeError)
    await rejects(t.api.wait([null] as never), TypeError)
    await rejects(t.api.wait([new t.api.Lock()] as never), TypeError)
    await rejects(t.api.wait(5 as never), TypeError)
    await rejects(t.api.wait([t.process(nothing, [])]), 'MP_INVALID_STATE')
    const [mine, theirs] = t.api.Pipe(false)
    await rejects(t.api.wait([theirs]), 'MP_INVALID_STATE')
    const waiting = rejects(t.api.wait([mine]), 'MP_CLOSED')
    await mine.close()
    await waiting
    await rejects(t.api.wait([mine]), 'MP_CLOSED')
    await theirs.close()
    const queue = new t.api.Queue()
    await queue.close()
    await rejects(t.api.wait([queue]), 'MP_CLOSED')
  },

  '1,000 waits leave nothing behind, and the end that was waited for may move': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(obey, [ordersEnd as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const queue = new t.api.Queue<number>()
    for (let i = 0; i < 1_000; i++) {
      const pending = t.api.wait([mine, queue, child])
      await queue.put(i)
      isOnly(await within(pending, 'wait'), queue)
      assert.equal(await queue.get(), i)
    }
    // No poll is pending on it.
    const [to, from] = t.pipe()
    await to.send(mine)
    const moved = (await within(from.recv(), 'the end')) as typeof mine
    await theirs.send('for the one who has it now')
    isOnly(await within(t.api.wait([moved]), 'wait'), moved)
    assert.equal(await within(moved.recv(), 'recv'), 'for the one who has it now')
    await orders.send('end')
    await t.ends(child)
    for (const each of [moved, theirs, to, from, orders]) await each.close()
  },
})

/** Compares by identity: to compare contents would read the properties of a handle, which refuses that. */
function isOnly(found: readonly unknown[], expected: unknown): void {
  assert.equal(found.length, 1)
  assert.ok(found[0] === expected)
}
