import assert from 'node:assert/strict'
import type { Queue } from '@mp/core'
import { group, needs } from '../case.js'
import { eventually, rejects, within } from '../harness.js'
import * as targets from '../targets.js'
import * as handleTargets from '../targets-handles.js'
import * as homeTargets from '../targets-homes.js'
import * as processTargets from '../targets-process.js'
import type { Trial } from '../trial.js'

/** ms in which every call must settle once its peer is gone. */
const SOON = 1_500

export const death = group('The end of a peer settles what waits for it', {
  'C15 a recv from a child that is terminated gets the end of file; a poll is true; a send is refused': async t => {
    for (const how of ['terminate', 'kill'] as const) {
      const [mine, theirs] = t.pipe()
      const [orders, ordersEnd] = t.pipe()
      const child = await t.start(targets.greet, [theirs, ordersEnd as never])
      assert.equal(await within(mine.recv(), 'recv'), 'hello')
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      const recv = mine.recv()
      const polled = orders.poll(null)
      child[how]()
      await rejects(recv, 'MP_EOF', SOON)
      assert.equal(await within(polled, 'poll', SOON), true)
      await rejects(orders.recv(), 'MP_EOF', SOON)
      await rejects(mine.send(1), 'MP_BROKEN_PIPE', SOON)
      await t.ends(child, how === 'kill' ? -9 : -15)
    }
  },

  'C15 a recv in one child from another, which is terminated, gets the end of file': async t => {
    const [a, b] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const doomed = await t.start(targets.keep, [b, ordersEnd as never])
    const other = await t.start(targets.recvAll, [a])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    doomed.kill()
    assert.deepEqual(await within(other.result(), 'result', SOON), [])
    await t.ends(doomed, -9)
    await t.ends(other)
  },

  'what a child sent before it was terminated can still be received': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.sendAllAndClose, [theirs, [1, 2, 3], ordersEnd])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    child.kill()
    await t.ends(child, -9)
    for (const expected of [1, 2, 3]) assert.equal(await within(mine.recv(), 'recv'), expected)
    await rejects(mine.recv(), 'MP_EOF')
  },

  'join(), result() and exited of a child that is terminated settle': async t => {
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.obey, [theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const { exited } = child
    const join = child.join()
    const refused = rejects(child.result(), 'MP_WORKER_LOST', SOON)
    child.terminate()
    await refused
    assert.deepEqual(await within(Promise.all([join, exited]), 'join', SOON), [-15, -15])
    await rejects(child.result(), 'MP_WORKER_LOST', SOON)
  },

  'a child that exits without a word settles what waits for it': needs('isolation', t =>
    endWithCallsPending(t, 'hard exit', 6),
  ),

  'a child that throws, or exits, with calls pending settles them and leaves its queue to its parent': needs(
    'isolation',
    async t => {
      await endWithCallsPending(t, 'exception', 1)
      await endWithCallsPending(t, 'exit', 6)
    },
  ),

  'P57 a daemon ends by itself when its parent is killed': needs('crash', async t => {
    const { stdout } = await t.program('orphan')
    const pid = Number(stdout)
    assert.ok(pid > 0, stdout)
    const isGone = () => {
      try {
        return !process.kill(pid, 0)
      } catch {
        return true
      }
    }
    await eventually(isGone, 'the end of the daemon', 3_000)
  }),

  'C19 a message in whose middle its sender is killed is never received in part': needs('crash', async t => {
    const [mine, theirs] = t.pipe<never, Uint8Array>()
    const child = await t.start(handleTargets.sendHuge, [theirs as never, 48 * 1024 * 1024])
    const first = await within(mine.recv(), 'recv').catch(error => error)
    child.kill()
    if (first instanceof Uint8Array) assert.equal(first.length, 48 * 1024 * 1024)
    for (;;) {
      const next: unknown = await within(mine.recv(), 'recv').catch(error => error)
      if (!(next instanceof Uint8Array)) {
        assert.equal((next as { code?: string }).code, 'MP_EOF')
        break
      }
      assert.equal(next.length, 48 * 1024 * 1024)
    }
    await t.ends(child, -9)
  }),

  'two contexts go on talking when the one that introduced them is killed': needs('crash', 'directWires', async t => {
    const [mine, theirs] = t.pipe<string, string>()
    const [orders, ordersEnd] = t.pipe()
    const middle = await t.start(handleTargets.startEchoBelow, [t.module, theirs as never, ordersEnd as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    await mine.send('one')
    assert.equal(await within(mine.recv(), 'the echo'), 'one')
    middle.kill()
    await t.ends(middle, -9)
    await mine.send('two')
    assert.equal(await within(mine.recv(), 'the echo'), 'two')
    await mine.close()
  }),

  'an end that lay unread in a message to a child that is terminated is closed': async t => {
    const [near, far] = t.pipe()
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.keep, [theirs, ordersEnd as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    await mine.send(far)
    const recv = near.recv()
    child.kill()
    await rejects(recv, 'MP_EOF', SOON)
    await t.ends(child, -9)
  },

  'a grandchild of a child that is terminated goes too, if it is a daemon; nothing stays pending': async t => {
    const [orders, theirs] = t.pipe()
    const [watch, watchEnd] = t.pipe()
    const child = await t.start(processTargets.startGrandchildAndObey, [t.module, watchEnd as never, theirs as never])
    assert.equal(await within(watch.recv(), 'the grandchild'), 'running')
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const recv = watch.recv()
    child.kill()
    await rejects(recv, 'MP_EOF', SOON)
    await t.ends(child, -9)
  },
})

async function endWithCallsPending(t: Trial, how: 'exception' | 'exit' | 'hard exit', code: number): Promise<void> {
  const [mine, theirs] = t.pipe<never, Queue>()
  const [orders, ordersEnd] = t.pipe()
  const full = new t.api.Queue<string>(1)
  await full.put('full')
  const child = await t.start(homeTargets.crash, [t.module, how, theirs as never, full as never, ordersEnd as never])
  const own = await within(mine.recv(), 'its own queue')
  assert.equal(await within(orders.recv(), 'the word'), 'running')
  const join = child.join()
  const refused = () => [
    rejects(mine.recv(), 'MP_EOF', SOON),
    rejects(orders.recv(), 'MP_EOF', SOON),
    rejects(child.result(), how === 'exception' ? RangeError : 'MP_WORKER_LOST', SOON),
  ]
  const get = own.get().then(
    () => 'an item',
    error => error.code,
  )
  // The get has reached the child.
  await within(own.qsize(), 'qsize')
  const settled = Promise.all(refused())
  await orders.send('crash')
  await settled
  assert.equal(await within(join, 'join', SOON), code)
  if (how === 'hard exit') assert.equal(await within(get, 'get', SOON), 'MP_SHUT_DOWN')
  else {
    await within(t.own(own).put('adopted'), 'put')
    assert.equal(await within(get, 'get', SOON), 'an item')
  }
  assert.equal(await full.get(), 'full')
  await rejects(full.getNowait(), 'MP_EMPTY')
}
