import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { group, needs } from '../case.js'
import { eventually, within } from '../harness.js'
import { holdings, moreOf } from '../leaks.js'
import * as targets from '../targets.js'

export const eventLoop = group('What keeps a program alive', {
  'an idle daemon, queue and pipe do not': needs('isolation', async t => {
    const before = holdings().resources
    const held = () => moreOf(holdings().resources, before)
    const queue = new t.api.Queue()
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.keep, [queue, theirs as never], { daemon: true })
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    await eventually(() => held().length === 0, 'nothing that holds the event loop')
    assert.equal(child.isAlive(), true)
    await orders.send('end')
    await t.ends(child)
  }),

  'a call that waits does, and no longer than it waits': async t => {
    const queue = new t.api.Queue<number>()
    // What the previous case held is let go at the end of a turn.
    await turn()
    // Without an await, since a test runner's own timers come and go.
    const before = holdings().resources
    const pending = queue.get()
    assert.notDeepEqual(moreOf(holdings().resources, before), [])
    await queue.put(1)
    assert.equal(await within(pending, 'get'), 1)
    await eventually(() => moreOf(holdings().resources, before).length === 0, 'nothing that holds the event loop')
  },

  'a loop that goes on after errors leaves timers their turns': async t => {
    const [a, b] = t.api.Pipe()
    await a.send('no bytes')
    assert.equal(await within(b.poll(null), 'poll'), true)
    await leavesTurns(() => b.recvBytes(), 'MP_DECODE')
    await b.recv()
    await a.close()
    await leavesTurns(() => b.recv(), 'MP_EOF')
    await leavesTurns(() => b.send(1), 'MP_BROKEN_PIPE')
    await b.close()
    await leavesTurns(() => b.recv(), 'MP_CLOSED')
    const queue = new t.api.Queue()
    await queue.shutdown()
    await leavesTurns(() => queue.get(), 'MP_SHUT_DOWN')
    await leavesTurns(() => queue.put(1), 'MP_SHUT_DOWN')
    await queue.close()
    await leavesTurns(() => queue.get(), 'MP_CLOSED')
  },
})

/** Makes the call, which rejects with `code`, again and again until a timer has fired. */
async function leavesTurns(call: () => Promise<unknown>, code: string): Promise<void> {
  let fired = false
  const timer = setTimeout(() => {
    fired = true
  }, 5)
  const end = performance.now() + 5_000
  let refused = 0
  while (!fired && performance.now() < end) {
    await call().catch(error => {
      assert.equal(error.code, code)
      refused++
    })
  }
  clearTimeout(timer)
  assert.ok(fired, `${refused} calls that rejected with ${code} kept a timer waiting`)
}
