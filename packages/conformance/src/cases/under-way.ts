import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { group, needs } from '../case.js'
import { eventually, rejects, type Trial, within } from '../harness.js'
import * as targets from '../targets-under-way.js'

/** ms in which every call must settle once its peer is gone. */
const SOON = 1_500

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
      // The grandchild, a daemon, ends at whatever point of its start it learns of that.
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
})

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
