import assert from 'node:assert/strict'
import type { Connection } from '@mp/core'
import { group, needs } from '../case.js'
import { within } from '../harness.js'
import * as targets from '../targets.js'
import * as sendTargets from '../targets-first-send.js'
import type { Trial } from '../trial.js'

/** The sends of `trySends`, when the other end is gone. */
const REFUSED = Array.from({ length: 5 }, () => 'MP_BROKEN_PIPE')

type How = 'closes' | 'uses and closes' | 'returns' | 'throws' | 'exits' | 'is killed'

export const firstSend = group('A first send over an end whose other end is gone', {
  'C17 rejects when that was closed in the same context, here and in a child': async t => {
    assert.deepEqual(await within(sendTargets.tryOverClosed(t.api), 'sends'), REFUSED)
    assert.deepEqual(await t.run(sendTargets.tryOverClosedIn, t.module), REFUSED)
  },

  'C17 rejects when its holder has closed it': async t => {
    for (const how of ['closes', 'uses and closes'] as const) await gone(t, how)
  },

  'C17 rejects when its holder has returned, or thrown': async t => {
    for (const how of ['returns', 'throws'] as const) await gone(t, how)
  },

  'C17 rejects when its holder has exited': needs('isolation', t => gone(t, 'exits')),

  'C17 rejects when its holder was killed': t => gone(t, 'is killed'),

  'C17 rejects in a child whose creator has closed it': async t => {
    const [near, far] = t.pipe()
    const [child, orders] = await sender(t, near)
    await far.close()
    await assertRefused(t, child, orders)
  },

  'C17 resolves when its reader reads and then closes, or exits, at once': async t => {
    const there = Array.from({ length: 30 }, () => t.pipe())
    const reader = await t.start(sendTargets.readAndCloseEach, [there.map(([, end]) => end)])
    for (const [mine] of there) assert.equal(await within(mine.send('read me'), 'send'), undefined)
    await t.ends(reader)
    const here = Array.from({ length: 30 }, () => t.pipe())
    const sender = await t.start(sendTargets.sendOverEach, [here.map(([, end]) => end), 'read me'])
    await sendTargets.readAndCloseEach(here.map(([mine]) => mine))
    await t.ends(sender)
    if (t.capabilities.isolation === 'none') return
    for (let i = 0; i < 3; i++) {
      const [mine, theirs] = t.pipe()
      const child = await t.start(sendTargets.readAndExit, [theirs])
      assert.equal(await within(mine.send('read me'), 'send'), undefined)
      await t.ends(child, 3)
    }
  },
})

/** The first sends here, and those in a child, after the holder of the other end has ended in this way. */
async function gone(t: Trial, how: How): Promise<void> {
  const [here, otherOfHere] = t.pipe()
  const [there, otherOfThere] = t.pipe()
  const [child, orders] = await sender(t, there)
  for (const other of [otherOfHere, otherOfThere]) await hold(t, other, how)
  assert.deepEqual(await within(sendTargets.trySends(here), 'sends'), REFUSED, how)
  await assertRefused(t, child, orders)
}

/** Has another child hold the end until it ends in this way. One that has closed it goes on until the case ends. */
async function hold(t: Trial, end: Connection, how: How): Promise<void> {
  if (how === 'returns') return t.ends(await t.start(targets.takeHandle, [end]))
  if (how === 'throws' || how === 'exits') {
    const target = how === 'throws' ? sendTargets.holdAndThrow : sendTargets.holdAndExit
    const child = await t.start(target, [end], { stdio: 'ignore' })
    return t.ends(child, how === 'throws' ? 1 : 3)
  }
  const [orders, ordersEnd] = t.pipe()
  const child = await t.start(sendTargets.holdOrClose, [end, how, ordersEnd as never])
  assert.equal(await within(orders.recv(), 'the word'), 'running')
  if (how === 'is killed') {
    child.kill()
    await t.ends(child, -9)
  } else {
    // It lives on while the first sends are made.
    t.own({ close: () => orders.send('end').then(() => t.ends(child)) })
  }
}

/** A child that sends over the end when it is told to. */
async function sender(t: Trial, end: Connection) {
  const [orders, ordersEnd] = t.pipe()
  const child = await t.start(sendTargets.trySendsWhenTold, [end, ordersEnd as never])
  assert.equal(await within(orders.recv(), 'the word'), 'running')
  return [child, orders] as const
}

async function assertRefused(
  t: Trial,
  child: Awaited<ReturnType<typeof sender>>[0],
  orders: Connection,
): Promise<void> {
  await orders.send('send')
  assert.deepEqual(await within(child.result(), 'result'), REFUSED)
  await t.ends(child)
}
