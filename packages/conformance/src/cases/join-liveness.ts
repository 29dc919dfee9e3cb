import assert from 'node:assert/strict'
import { group } from '../case.js'
import { assertPending, assertTook, eventually, rejects, throws, timed, within } from '../harness.js'
import * as targets from '../targets.js'
import * as processTargets from '../targets-process.js'

export const joinLiveness = group('Process: join and liveness', {
  'P39 join() after the end resolves at once, any number of times': async t => {
    const process = await t.start(targets.nothing, [])
    await t.ends(process)
    assert.deepEqual(
      await within(Promise.all([process.join(), process.join(), process.join({ timeout: 0 })]), 'joins'),
      [0, 0, 0],
    )
    assert.equal(await process.exited, 0)
  },

  'P40 join() that runs out of time resolves with null and changes nothing': async t => {
    const [orders, theirs] = t.pipe()
    const process = await t.start(targets.obey, [theirs as never])
    for (const timeout of [0, -5]) assert.equal(await within(process.join({ timeout }), 'join', 1_000), null)
    const { ms, value } = await timed(() => process.join({ timeout: 100 }))
    assert.equal(value, null)
    assertTook(ms, 100)
    assert.equal(process.isAlive(), true)
    assert.equal(process.exitCode, null)
    await orders.close()
    assert.equal(await within(process.join({ timeout: 5_000 }), 'join'), 0)
  },

  'P40 a timeout that is no number of milliseconds is refused': async t => {
    const process = await t.start(targets.nothing, [])
    await rejects(process.join({ timeout: '5' as never }), TypeError)
    await rejects(process.join({ timeout: Number.NaN }), RangeError)
    for (const timeout of [null, undefined, Number.POSITIVE_INFINITY]) {
      assert.equal(await within(process.join({ timeout }), 'join'), 0)
    }
  },

  'P40 join() and result() that are aborted reject with the reason and change nothing': async t => {
    const [orders, theirs] = t.pipe()
    const process = await t.start(targets.obey, [theirs as never])
    const abort = new AbortController()
    const calls = [process.join({ signal: abort.signal }), process.result({ signal: abort.signal })]
    const reason = new Error('enough')
    const refused = Promise.all(calls.map(call => rejects(call, { reason })))
    abort.abort(reason)
    await refused
    await rejects(process.join({ signal: abort.signal }), { reason })
    await rejects(process.result({ timeout: 20 }), 'MP_TIMEOUT')
    assert.equal(process.isAlive(), true)
    await orders.send('end')
    await t.ends(process)
    assert.equal(await within(process.result(), 'result'), 'end')
  },

  'P41 join() and result() before the start reject with MP_INVALID_STATE': async t => {
    const process = t.process(targets.nothing, [])
    await rejects(process.join(), 'MP_INVALID_STATE')
    await rejects(process.result(), 'MP_INVALID_STATE')
  },

  'P42 joining oneself rejects with MP_INVALID_STATE': async t => {
    await rejects(t.api.currentProcess().join(), 'MP_INVALID_STATE')
    assert.equal(await t.run(processTargets.joinItself, t.module), 'MP_INVALID_STATE')
  },

  'P43 after join() it is not alive, has an exit code, and is no active child': async t => {
    const process = await t.start(targets.nothing, [])
    await within(process.join(), 'join')
    assert.equal(process.isAlive(), false)
    assert.equal(process.exitCode, 0)
    assert.equal(typeof process.pid, 'number')
    assert.deepEqual(t.api.activeChildren(), [])
  },

  'P45 currentProcess() is alive': async t => {
    assert.equal(t.api.currentProcess().isAlive(), true)
  },

  'P46 the end is noticed without a join': async t => {
    const one = await t.start(targets.nothing, [])
    const two = await t.start(targets.nothing, [])
    const three = await t.start(targets.nothing, [])
    await eventually(() => one.exitCode === 0, 'exitCode')
    await eventually(() => !two.isAlive(), 'isAlive()')
    await eventually(() => !t.api.activeChildren().includes(three), 'activeChildren()')
  },

  'P47 activeChildren() gives a new array each time': async t => {
    const [orders, theirs] = t.pipe()
    const process = await t.start(targets.obey, [theirs as never])
    const children = t.api.activeChildren()
    assert.notEqual(children, t.api.activeChildren())
    children.length = 0
    assert.deepEqual(t.api.activeChildren(), [process])
    await orders.close()
    await t.ends(process)
  },

  'P48 exited is pending while it runs, and stays fulfilled with the exit code': async t => {
    const process = t.process(targets.nothing, [])
    throws(() => process.exited, 'MP_INVALID_STATE')
    const [orders, theirs] = t.pipe()
    const running = await t.start(targets.obey, [theirs as never])
    const { exited } = running
    await assertPending(exited)
    await orders.close()
    assert.equal(await within(exited, 'exited'), 0)
    assert.equal(await within(running.exited, 'exited again'), 0)
  },
})
