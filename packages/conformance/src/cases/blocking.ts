import assert from 'node:assert/strict'
import type { Connection, Queue } from '@mp/core'
import { group, needs } from '../case.js'
import { assertTook, eventually, rejects, throws, within } from '../harness.js'
import { patience, patiently } from '../patience.js'
import type { Blocking, BlockingEnd } from '../targets-blocking.js'
import * as targets from '../targets-blocking.js'

const blocking = (queue: Queue<never>) => queue as unknown as Blocking
const blockingEnd = (end: Connection<never, never>) => end as unknown as BlockingEnd

/** Count and bytes of messages: within a segment, near its end, and over several. */
const messagesOfAnySize = [
  [300, 64],
  [20, 70_000],
  [4, 3 * 1024 * 1024],
] as const

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

export const blockingCalls = group('Blocking calls', {
  'putSync and getSync keep order, and values': needs('sync', async t => {
    const queue = new t.api.Queue<never>()
    const values = [0, null, undefined, '', { a: [1, { b: -0 }] }, new Map([[1, new Date(5)]]), new Uint8Array([1, 2])]
    for (const value of values) blocking(queue).putSync(value)
    for (const value of values) assert.deepEqual(blocking(queue).getSync(), value)
    throws(() => blocking(queue).putSync(() => {}), 'MP_ENCODE')
    assert.equal(await queue.qsize(), 0)
  }),

  'a timeout bounds the call: MP_EMPTY, MP_FULL, MP_TIMEOUT': needs('sync', async t => {
    const queue = new t.api.Queue<never>(1)
    const [a] = t.pipe<never, never>()
    const timed = (call: () => unknown, code: 'MP_EMPTY' | 'MP_FULL' | 'MP_TIMEOUT', ms: number) => {
      const start = performance.now()
      throws(call, code)
      assertTook(performance.now() - start, ms)
    }
    timed(() => blocking(queue).getSync({ timeout: 0 }), 'MP_EMPTY', 0)
    timed(() => blocking(queue).getSync({ timeout: 60 }), 'MP_EMPTY', 60)
    blocking(queue).putSync(1)
    timed(() => blocking(queue).putSync(2, { timeout: 0 }), 'MP_FULL', 0)
    timed(() => blocking(queue).putSync(2, { timeout: 60 }), 'MP_FULL', 60)
    timed(() => blockingEnd(a).recvSync({ timeout: 60 }), 'MP_TIMEOUT', 60)
    assert.equal(blocking(queue).getSync(), 1)
    throws(() => blocking(queue).getSync({ timeout: 'soon' as never }), TypeError)
  }),

  'one queue, both ways at once: a child that blocks puts, an awaiting parent gets': needs('sync', async t => {
    for (const maxsize of [0, 3]) {
      const queue = new t.api.Queue<number>(maxsize)
      const child = await t.start(targets.putAllSync, [queue as Queue, 0, 200])
      for (const n of numbers(0, 200)) assert.equal(await within(queue.get(), `item ${n}`), n)
      await t.ends(child)
    }
  }),

  'an awaiting parent puts, a child gets, blocking and awaiting in turns': needs('sync', async t => {
    for (const maxsize of [0, 3]) {
      const queue = new t.api.Queue<number>(maxsize)
      const child = await t.start(targets.getMixed, [queue, 200])
      for (const n of numbers(0, 200)) await within(queue.put(n), `put ${n}`)
      assert.deepEqual(await within(child.result(), 'result'), numbers(0, 200))
      await t.ends(child)
    }
  }),

  'a parent that blocks hears its child, and of its end': needs('sync', async t => {
    const queue = new t.api.Queue<never>()
    const child = await t.start(targets.putAllSync, [queue as Queue, 0, 100])
    for (const n of numbers(0, 100)) assert.equal(blocking(queue).getSync({ timeout: patience() }), n)
    const [mine, theirs] = t.pipe<never, never>()
    const echo = await t.start(targets.echoSync, [theirs as never])
    for (let i = 0; i < 20; i++) {
      blockingEnd(mine).sendSync({ i })
      assert.deepEqual(blockingEnd(mine).recvSync({ timeout: patience() }), { i })
    }
    echo.kill()
    const start = performance.now()
    throws(() => blockingEnd(mine).recvSync({ timeout: patience() }), 'MP_EOF')
    assert.ok(performance.now() - start < patiently(1_500))
    await t.ends(child)
    await t.ends(echo, -9)
  }),

  'bytes of any size arrive, blocking at both ends': needs('sync', async t => {
    for (const [count, size] of messagesOfAnySize) {
      const [mine, theirs] = t.pipe<never, never>()
      const child = await t.start(targets.sendBytesSync, [theirs as never, count, size])
      for (let i = 0; i < count; i++) {
        const bytes = blockingEnd(mine).recvBytesSync()
        assert.equal(bytes.length, size)
        assert.ok(bytes.every(byte => byte === (i & 255)))
      }
      await t.ends(child)
      throws(() => blockingEnd(mine).recvBytesSync(), 'MP_EOF')
    }
  }),

  'bytes of any size arrive in the memory of a call that blocks': needs('sync', async t => {
    for (const [count, size] of messagesOfAnySize) {
      const [mine, theirs] = t.pipe<never, never>()
      const child = await t.start(targets.sendBytesSync, [theirs as never, count, size])
      const target = new Uint8Array(size + 20)
      throws(() => blockingEnd(mine).recvBytesIntoSync(target, 21), 'MP_BUFFER_TOO_SHORT')
      for (let i = 0; i < count; i++) {
        target.fill(0xff)
        assert.equal(blockingEnd(mine).recvBytesIntoSync(target, 10), size)
        assert.ok(target.every((byte, at) => byte === (at < 10 || at >= 10 + size ? 0xff : i & 255)))
      }
      await t.ends(child)
      throws(() => blockingEnd(mine).recvBytesIntoSync(target), 'MP_EOF')
    }
  }),

  'a blocked call whose time is over loses nothing of a message that has come in part': needs('sync', async t => {
    const [mine, theirs] = t.pipe<never, never>()
    const size = 48 * 1024 * 1024
    const child = await t.start(targets.sendBytesSync, [theirs as never, 2, size])
    const target = new Uint8Array(size)
    for (let i = 0; i < 2; i++) {
      let length = 0
      for (const end = performance.now() + 8_000; length === 0 && performance.now() < end; ) {
        try {
          length = blockingEnd(mine).recvBytesIntoSync(target, 0, { timeout: 1 })
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'MP_TIMEOUT')
          target.fill(0xff)
        }
      }
      assert.equal(length, size)
      assert.ok(Buffer.alloc(size, i).equals(target))
    }
    await t.ends(child)
  }),

  'a blocked get ends with its queue: shut down, or lost with its creator': needs('sync', 'sharedMemory', async t => {
    const queue = new t.api.Queue<never>()
    const ready = new Int32Array(new SharedArrayBuffer(4))
    const child = await t.start(targets.getOneSync, [queue as Queue, ready])
    await eventually(() => ready[0] === 1, 'the blocked get')
    await queue.shutdown()
    assert.equal(await within(child.result(), 'result', 1_500), 'MP_SHUT_DOWN')
    await t.ends(child)
  }),

  'a Connection in an item comes to a get that blocks': needs('sync', async t => {
    const queue = new t.api.Queue()
    const child = await t.start(targets.answerSync, [queue])
    const [mine, theirs] = t.pipe()
    await within(queue.put({ reply: theirs, question: 'well' }), 'put')
    assert.equal(await within(mine.recv(), 'the answer'), 'well!')
    await t.ends(child)
    await rejects(mine.recv(), 'MP_EOF')
  }),

  'a child that is killed while it blocks takes nothing with it': needs('sync', 'sharedMemory', async t => {
    const queue = new t.api.Queue<never>()
    const ready = new Int32Array(new SharedArrayBuffer(4))
    const child = await t.start(targets.getOneSync, [queue as Queue, ready])
    await eventually(() => ready[0] === 1, 'the blocked get')
    child.kill()
    await t.ends(child, -9)
    await queue.put('left' as never)
    assert.equal(await within(queue.get(), 'get', 1_500), 'left')
  }),
})
