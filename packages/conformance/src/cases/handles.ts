import assert from 'node:assert/strict'
import { serialize } from 'node:v8'
import type { Connection, Queue } from '@mp/core'
import { group, needs } from '../case.js'
import { eventually, rejects, throws, within } from '../harness.js'
import * as targets from '../targets.js'
import * as handleTargets from '../targets-handles.js'
import { turns } from '../turns.js'

export const handles = group('Handles travel', {
  'a Queue arrives in an item and in a message, deep in an object, and works': async t => {
    const inbox = new t.api.Queue()
    for (const how of ['item', 'message'] as const) {
      const queue = new t.api.Queue()
      const [mine, theirs] = t.pipe()
      const child = await t.start(handleTargets.useReceived, [how === 'item' ? inbox : theirs, how])
      const value = { inner: { queue } }
      await (how === 'item' ? inbox.put(value) : mine.send(value))
      assert.equal(await within(queue.get(), 'get'), 'from the child')
      await t.ends(child)
    }
  },

  'a Queue in an item or message is the same queue for its own creator, also when it comes back': async t => {
    const queue = new t.api.Queue<string>()
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    await mine.send([queue, queue])
    const [one, two] = (await within(mine.recv(), 'recv')) as Queue<string>[]
    assert.ok(one instanceof t.api.Queue)
    await one.put('first')
    await queue.put('second')
    await two?.put('third')
    assert.equal(await queue.qsize(), 3)
    for (const expected of ['first', 'second', 'third']) assert.equal(await within(one.get(), 'get'), expected)
    await one.close()
    assert.equal(await queue.empty(), true)
    await mine.close()
    await t.ends(child)
  },

  'C23 a send beyond the largest message leaves what was in it with its sender': needs('process', async t => {
    const [mine, theirs] = t.pipe()
    const [near, far] = t.pipe()
    const buffer = new ArrayBuffer(64)
    const value = { far, buffer, large: new Uint8Array(1024 * 1024 * 1024) }
    await rejects(mine.send(value, { transfer: [buffer] }), 'MP_FRAME_TOO_LARGE')
    assert.equal(buffer.byteLength, 64)
    assert.equal(far.closed, false)
    await near.send('still here')
    assert.equal(await within(far.recv(), 'recv'), 'still here')
    await mine.send('small')
    assert.equal(await within(theirs.recv(), 'recv'), 'small')
  }),

  'a handle that closes leaves the other handles of its context alone': async t => {
    const [queue, lock] = [new t.api.Queue<string>(), new t.api.Lock()]
    const [orders, theirs] = t.pipe()
    const child = await t.start(handleTargets.closeOneOfTwo, [theirs as never])
    for (let i = 0; i < 2; i++) await orders.send([queue, lock])
    assert.deepEqual(await within(child.result(), 'result'), ['MP_CLOSED', 'MP_CLOSED'])
    assert.equal(await within(queue.get(), 'get'), 'over the other one')
    await t.ends(child)
    assert.equal(await lock.locked(), false)
  },

  'a Queue in its own item arrives': async t => {
    const queue = new t.api.Queue<{ queue?: Queue; text: string }>()
    await queue.put({ queue, text: 'myself' })
    const { queue: same, text } = await within(queue.get(), 'get')
    assert.equal(text, 'myself')
    await same?.put({ text: 'through it' })
    assert.deepEqual(await within(queue.get(), 'get'), { text: 'through it' })
  },

  'C26 an unused end goes over a pipe and over a queue, and works at the other side': async t => {
    const inbox = new t.api.Queue()
    for (const how of ['item', 'message'] as const) {
      const [near, far] = t.pipe()
      const [mine, theirs] = t.pipe()
      const child = await t.start(handleTargets.useReceived, [how === 'item' ? inbox : theirs, how])
      const value = { inner: { pipe: far } }
      await (how === 'item' ? inbox.put(value) : mine.send(value))
      assert.equal(far.closed, true)
      await rejects(far.send(1), 'MP_CLOSED')
      assert.equal(await within(near.recv(), 'recv'), 'from the child')
      await near.send('answered')
      assert.equal(await within(child.result(), 'result'), 'answered')
      await t.ends(child)
      await rejects(near.recv(), 'MP_EOF')
    }
  },

  'C26 an end that was in use goes on to a child, unread messages first, in order, both ways': async t => {
    const [near, far] = t.pipe()
    await far.send('early answer')
    assert.equal(await within(near.recv(), 'recv'), 'early answer')
    for (let i = 0; i < 5; i++) await near.send(i)
    assert.equal(await within(far.recv(), 'recv'), 0)
    assert.equal(await within(far.poll(null), 'poll'), true)
    const child = await t.start(targets.echo, [far])
    assert.equal(far.closed, true)
    for (let i = 5; i < 10; i++) await near.send(i)
    for (let i = 1; i < 10; i++) assert.equal(await within(near.recv(), `echo ${i}`), i)
    await near.close()
    await t.ends(child)
  },

  'C26 an end that was in use goes over a queue to a child': async t => {
    const inbox = new t.api.Queue()
    const child = await t.start(handleTargets.useReceived, [inbox, 'item'])
    const [near, far] = t.pipe()
    await near.send('unread')
    assert.equal(await within(far.poll(null), 'poll'), true)
    await inbox.put({ inner: { pipe: far } })
    assert.equal(await within(near.recv(), 'recv'), 'from the child')
    assert.equal(await within(child.result(), 'result'), 'unread')
    await t.ends(child)
    await rejects(near.recv(), 'MP_EOF')
  },

  'C26 an end goes from a child to its parent, unused or in use': async t => {
    for (const used of [false, true]) {
      const [mine, theirs] = t.pipe<never, { inner: Connection }>()
      const child = await t.start(handleTargets.sendPipeAway, [t.module, theirs as never, ['one', 'two'], used])
      const { inner } = await within(mine.recv(), 'the end')
      assert.equal(await within(inner.recv(), 'recv'), 'one')
      assert.equal(await within(inner.recv(), 'recv'), 'two')
      await inner.send('answer')
      assert.equal(await within(child.result(), 'result'), 'answer')
      await t.ends(child)
      await rejects(inner.recv(), 'MP_EOF')
    }
  },

  'C26 an end goes on to a grandchild, unused or after some messages': async t => {
    for (const first of [0, 2]) {
      const [mine, theirs] = t.pipe()
      const child = await t.start(handleTargets.handOnPipe, [t.module, theirs, first])
      for (let i = 0; i < 6; i++) await mine.send(i)
      for (let i = first; i < 6; i++) assert.equal(await within(mine.recv(), `echo ${i}`), i)
      await mine.close()
      assert.deepEqual(await within(child.result(), 'result'), [
        ...Array.from({ length: first }, (_, index) => index),
        0,
      ])
      await t.ends(child)
    }
  },

  'C26 both ends may move, to two children, which then talk to each other': async t => {
    for (const used of [false, true]) {
      const [a, b] = t.pipe()
      if (used) {
        await a.send('warm')
        assert.equal(await within(b.recv(), 'recv'), 'warm')
      }
      const echo = await t.start(targets.echo, [b])
      const caller = await t.start(handleTargets.callAndClose, [a, [1, 2, 3]])
      assert.deepEqual(await within(caller.result(), 'result'), [1, 2, 3])
      await t.ends(caller)
      await t.ends(echo)
    }
  },

  'C26 an end that came back works again': async t => {
    const [near, far] = t.pipe()
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    await near.send('on the way')
    await mine.send(far)
    const back = t.own((await within(mine.recv(), 'the end')) as Connection)
    assert.equal(await within(back.recv(), 'recv'), 'on the way')
    await back.send('hello')
    assert.equal(await within(near.recv(), 'recv'), 'hello')
    await mine.close()
    await t.ends(child)
    await back.send('after its end')
    assert.equal(await within(near.recv(), 'recv'), 'after its end')
  },

  'C26 the directions of an end stay when it moves': async t => {
    const [r, w] = t.api.Pipe(false)
    const queue = new t.api.Queue<Connection>()
    await queue.put(r as never)
    await queue.put(w as never)
    const [reader, writer] = [t.own(await within(queue.get(), 'get')), t.own(await within(queue.get(), 'get'))]
    assert.deepEqual([reader.readable, reader.writable, writer.readable, writer.writable], [true, false, false, true])
    await writer.send(1)
    assert.equal(await within(reader.recv(), 'recv'), 1)
  },

  'an encode that fails gives every moved end back': async t => {
    const [near, far] = t.pipe()
    const queue = new t.api.Queue()
    const [mine] = t.pipe()
    await rejects(queue.put([far, () => {}]), 'MP_ENCODE')
    await rejects(mine.send({ far, bad: Symbol('s') }), 'MP_ENCODE')
    await rejects(t.process(targets.giveAll, [far, () => {}]).start(), 'MP_ENCODE')
    assert.equal(far.closed, false)
    await near.send('still works')
    assert.equal(await within(far.recv(), 'recv'), 'still works')
    await rejects(queue.put([far, () => {}]), 'MP_ENCODE')
    await near.send('also in use')
    assert.equal(await within(far.recv(), 'recv'), 'also in use')
    await queue.put(far)
    assert.equal(far.closed, true)
  },

  'an end cannot be sent twice, nor while a recv or poll of it is pending': async t => {
    const [near, far] = t.pipe()
    const queue = new t.api.Queue()
    const pending = far.recv()
    await rejects(queue.put(far), 'MP_NOT_SHAREABLE')
    await near.send('answer')
    assert.equal(await within(pending, 'recv'), 'answer')
    await queue.put(far)
    await rejects(queue.put(far), 'MP_CLOSED')
    await rejects(
      queue.put(near).then(() => queue.put(near)),
      'MP_CLOSED',
    )
  },

  'a start that fails in the child closes the ends that it was to have': async t => {
    const [near, far] = t.pipe()
    const target = { module: new URL('../targets.js', import.meta.url), export: 'missing' }
    const process = new t.api.Process({ target, args: [far] })
    await rejects(process.start(), 'MP_BAD_TARGET')
    await rejects(near.recv(), 'MP_EOF')
    await eventually(() => t.api.activeChildren().length === 0, 'the end of the child')
  },

  'a spawn that fails closes the ends that the child was to have': needs('isolation', async t => {
    const [near, far] = t.pipe()
    const process = t.process(targets.give, [far], { execArgv: ['--no-such-flag-of-node'], stdio: 'ignore' })
    await rejects(process.start(), 'MP_SPAWN_FAILED')
    await rejects(process.join(), 'MP_SPAWN_FAILED')
    assert.equal(process.pid, null)
    await rejects(near.recv(), 'MP_EOF')
    await eventually(() => t.api.activeChildren().length === 0, 'the end of the child')
  }),

  'an item that nobody gets keeps its end alive; shutdown with immediate closes it': async t => {
    const queue = new t.api.Queue()
    const [near, far] = t.pipe()
    await queue.put(far)
    await near.send('into the item')
    await queue.shutdown({ immediate: true })
    await rejects(near.recv(), 'MP_EOF')
  },

  'C22 an end in a message that nobody has read closes with the connection': async t => {
    for (const isSeen of [false, true]) {
      const [near, far] = t.pipe()
      const [from, to] = t.pipe()
      await from.send(far)
      if (isSeen) assert.equal(await within(to.poll(null), 'poll'), true)
      await turns(5)
      await to.close()
      await rejects(near.recv(), 'MP_EOF')
      await Promise.all([near, from].map(each => each.close()))
    }
  },

  'a result may hold an end and a queue': async t => {
    const [near, far] = t.pipe()
    const queue = new t.api.Queue()
    const child = await t.start(targets.giveAll, [far, queue])
    const [end, same] = (await within(child.result(), 'result')) as [Connection, Queue]
    await t.ends(child)
    await near.send('there')
    assert.equal(await within(t.own(end).recv(), 'recv'), 'there')
    await same.put(1)
    assert.equal(await within(queue.get(), 'get'), 1)
  },

  'serialised anywhere else, a handle refuses with MP_NOT_SHAREABLE': async t => {
    const [end] = t.pipe()
    const { port1 } = new MessageChannel()
    for (const handle of [new t.api.Queue(), end]) {
      throws(() => JSON.stringify(handle), 'MP_NOT_SHAREABLE')
      throws(() => JSON.stringify({ deep: [handle] }), 'MP_NOT_SHAREABLE')
      throws(() => structuredClone(handle), 'MP_NOT_SHAREABLE')
      throws(() => structuredClone({ deep: [handle] }), 'MP_NOT_SHAREABLE')
      throws(() => serialize(handle), 'MP_NOT_SHAREABLE')
      throws(() => port1.postMessage(handle), 'MP_NOT_SHAREABLE')
    }
    port1.close()
  },

  'a Process does not travel': async t => {
    const queue = new t.api.Queue()
    await rejects(queue.put(new t.api.Process()), 'MP_ENCODE')
    assert.equal(await queue.empty(), true)
  },
})
