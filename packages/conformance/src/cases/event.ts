import assert from 'node:assert/strict'
import { group, needs } from '../case.js'
import { assertPending, assertTook, rejects, timed, within } from '../harness.js'
import * as targets from '../targets-sync.js'

export const event = group('Event', {
  'EV1 it is set and cleared; waits keep their limits, and end at once where it is set': async t => {
    const event = new t.api.Event()
    assert.ok(event instanceof t.api.Event)
    assert.equal(await event.isSet(), false)
    for (const timeout of [0, -1]) assert.equal(await within(event.wait({ timeout }), 'wait'), false)
    const { ms, value } = await timed(() => event.wait({ timeout: 60 }))
    assert.equal(value, false)
    assertTook(ms, 60)
    await event.set()
    await event.set()
    assert.equal(await event.isSet(), true)
    for (let i = 0; i < 3; i++) assert.equal(await within(event.wait(), 'wait'), true)
    assert.equal(await event.wait({ timeout: 0 }), true)
    await event.clear()
    await event.clear()
    assert.equal(await event.isSet(), false)
    assert.equal(await event.wait({ timeout: 20 }), false)
    await event.set()
    assert.equal(await event.isSet(), true)
  },

  'EV1 any number of waits, and one set': async t => {
    const event = new t.api.Event()
    const waits = Array.from({ length: 500 }, () => event.wait())
    const late = event.wait({ timeout: 15_000 })
    await assertPending(Promise.race(waits), 10)
    await event.set()
    // Calls that waited when it was set resolve, even if it is cleared at once.
    await event.clear()
    assert.deepEqual(new Set(await within(Promise.all([...waits, late]), 'all waits')), new Set([true]))
    assert.equal(await event.isSet(), false)
  },

  'EV1 an abort rejects with its reason; the others wait on': async t => {
    const event = new t.api.Event()
    const abort = new AbortController()
    const reason = new Error('enough')
    const pending = event.wait({ signal: abort.signal })
    const other = event.wait()
    abort.abort(reason)
    await rejects(pending, { reason })
    await assertPending(other, 20)
    await event.set()
    assert.equal(await within(other, 'wait'), true)
  },

  'EV2 a set in another context wakes all who wait, here and elsewhere': async t => {
    const event = new t.api.Event()
    const own = event.wait()
    const children = []
    for (let i = 0; i < 2; i++) {
      const [orders, theirs] = t.pipe()
      const child = await t.start(targets.waitFor, [event, theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'waiting')
      children.push(child)
    }
    await assertPending(own, 20)
    await t.run(targets.setEvent, event)
    assert.equal(await within(own, 'wait'), true)
    for (const child of children) {
      assert.equal(await within(child.result(), 'result'), true)
      await t.ends(child)
    }
  },

  'a set that has resolved is seen by all, and stays when its context is killed': async t => {
    const event = new t.api.Event()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.setForEver, [event, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'set')
    assert.equal(await event.isSet(), true)
    child.kill()
    await t.ends(child, -9)
    assert.equal(await event.isSet(), true)
    assert.equal(await event.wait({ timeout: 0 }), true)
  },

  'EV3 it is set in a signal handler': needs('isolation', async t => {
    const event = new t.api.Event()
    const waiting = event.wait()
    const onSignal = () => void event.set()
    process.once('SIGUSR2', onSignal)
    try {
      process.kill(process.pid, 'SIGUSR2')
      assert.equal(await within(waiting, 'wait'), true)
    } finally {
      process.off('SIGUSR2', onSignal)
    }
  }),

  'a wait of a child that is killed leaves nothing behind': async t => {
    const event = new t.api.Event()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.waitFor, [event, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'waiting')
    const own = event.wait()
    child.kill()
    await t.ends(child, -9)
    await event.set()
    assert.equal(await within(own, 'wait'), true)
    assert.equal(await event.isSet(), true)
  },
})
