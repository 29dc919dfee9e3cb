import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { Connection } from '@mp/core'
import { group, needs } from '../case.js'
import { eventually, rejects, within } from '../harness.js'
import * as targets from '../targets-under-way.js'
import type { Trial } from '../trial.js'

/** ms in which every call must settle once its peer is gone. */
const SOON = 1_500

const WORDS = ['one', 'two', 'three']

export const underWay = group('An end of a pipe that is on its way when contexts end', {
  'C22 in the arguments of a process that ends while it starts, as its creator does: it closes': needs(
    'isolation',
    async t => {
      const [near, far] = t.pipe()
      const [orders, ordersEnd] = t.pipe()
      const busy = t.file('busy')
      const child = await t.start(targets.startAndBeBusy, [t.module, far, ordersEnd as never, busy])
      await eventually(() => existsSync(busy), 'the busy loop')
      const recv = near.recv()
      recv.catch(() => {})
      child.kill()
      // The grandchild, a daemon, ends when it learns of that, at whatever point of its start it is.
      await rejects(recv, 'MP_EOF')
      await rejects(
        orders.recv().then(() => orders.recv()),
        'MP_EOF',
      )
      await t.ends(child, -9)
    },
  ),

  'C22 in a message whose sender is killed, then its reader, who was too busy: it closes': needs('isolation', t =>
    endOnItsWay(t, 'sender first'),
  ),

  'C22 in a message whose reader is killed, who was too busy, then its sender: it closes': needs('isolation', t =>
    endOnItsWay(t, 'reader first'),
  ),

  'C22 in a message whose sender has closed, and whose reader is killed, who was too busy: it closes': needs(
    'isolation',
    t => endOnItsWay(t, 'sender closes'),
  ),

  'C22 in a message whose sender has ended, and whose reader is killed, who was too busy: it closes': needs(
    'isolation',
    t => endOnItsWay(t, 'sender ends'),
  ),

  'C26 what is sent first to an end that has moved on, from a context that has ended, arrives': async t => {
    const { near, moved } = await movedOn(t)
    for (const word of WORDS) await near.send(word)
    for (const word of WORDS) assert.equal(await within(moved.recv(), 'recv'), word)
    assert.equal(await within(near.recv(), 'recv'), 'used')
    await moved.send('back')
    assert.equal(await within(near.recv(), 'recv'), 'back')
    await Promise.all([near.close(), moved.close()])
  },

  'C26 also if it is closed at once, and if it moved more than once': async t => {
    for (const times of [1, 3]) {
      const { near, moved } = await movedOn(t)
      let end = moved
      for (let i = 1; i < times; i++) {
        const [mine, theirs] = t.pipe<never, Connection<string, string>>()
        const child = await t.start(targets.useAndHandOn, [end as never, theirs as never])
        end = t.own(await within(mine.recv(), 'the end'))
        await t.ends(child)
        await mine.close()
      }
      for (const word of WORDS) await near.send(word)
      await near.close()
      for (const word of WORDS) assert.equal(await within(end.recv(), 'recv'), word)
      await rejects(end.recv(), 'MP_EOF')
      await end.close()
    }
  },

  'C26 also from a child that ends at once, or hands it on': async t => {
    for (const how of ['end', 'exit'] as const) {
      const { near, moved } = await movedOn(t)
      if (how === 'exit' && t.capabilities.isolation === 'none') continue
      const sender = await t.start(targets.sendFirst, [near as never, WORDS, how])
      for (const word of WORDS) assert.equal(await within(moved.recv(), 'recv'), word)
      await rejects(moved.recv(), 'MP_EOF')
      await moved.close()
      await t.ends(sender, how === 'exit' ? 5 : 0)
    }
    const { near, moved } = await movedOn(t)
    const [mine, theirs] = t.pipe<never, Connection<string, string>>()
    const sender = await t.start(targets.sendFirstAndHandOn, [near as never, 'one', theirs as never])
    const end = t.own(await within(mine.recv(), 'the end'))
    await end.send('two')
    assert.equal(await within(moved.recv(), 'recv'), 'one')
    assert.equal(await within(moved.recv(), 'recv'), 'two')
    assert.equal(await within(end.recv(), 'recv'), 'used')
    await t.ends(sender)
    await Promise.all([end.close(), moved.close(), mine.close()])
  },
})

/** An end that was used, and then handed on by a context that has ended; and its other end, which nobody has opened. */
async function movedOn(t: Trial): Promise<{ near: Connection<string, string>; moved: Connection<string, string> }> {
  const [near, far] = t.pipe<string, string>()
  const [mine, theirs] = t.pipe<never, Connection<string, string>>()
  const child = await t.start(targets.useAndHandOn, [far as never, theirs as never])
  const moved = t.own(await within(mine.recv(), 'the end'))
  await t.ends(child)
  await mine.close()
  return { near, moved }
}

type How = 'sender first' | 'reader first' | 'sender closes' | 'sender ends'

async function endOnItsWay(t: Trial, how: How): Promise<void> {
  const [near, far] = t.pipe()
  const [forSender, forReader] = t.pipe()
  const [orders, ordersEnd] = t.pipe()
  const busy = t.file('busy')
  const reader = await t.start(targets.readOnceAndBeBusy, [forReader, busy])
  const args = [forSender, far, ordersEnd as never, how === 'sender closes'] as const
  const sender = await t.start(targets.handOnWhenTold, [...args])
  await eventually(() => existsSync(busy), 'the busy loop')
  await orders.send('hand it on')
  assert.equal(await within(orders.recv(), 'the word'), 'running')
  const recv = near.recv()
  recv.catch(() => {})
  if (how === 'sender ends') await orders.send('end')
  else if (how === 'sender first') sender.kill()
  if (how === 'sender ends' || how === 'sender first') await within(sender.join(), 'the end of the sender')
  reader.kill()
  await within(reader.join(), 'the end of the reader')
  if (how === 'reader first') sender.kill()
  await rejects(recv, 'MP_EOF', SOON)
  if (how === 'sender closes') await orders.send('end')
  await within(sender.join(), 'the end of the sender')
}
