import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { group, needs } from '../case.js'
import { assertPending, assertTook, rejects, throws, timed, within } from '../harness.js'
import * as targets from '../targets.js'
import type { BlockingEnd } from '../targets-blocking.js'

export const pipe = group('Pipe and Connection', {
  'C1 both ends send and receive, in two independent directions': async t => {
    const [a, b] = t.api.Pipe<string, string>()
    assert.ok(a instanceof t.api.Connection && b instanceof t.api.Connection)
    assert.deepEqual([a.readable, a.writable, b.readable, b.writable], [true, true, true, true])
    await a.send('from a')
    await b.send('from b')
    assert.equal(await within(a.recv(), 'recv'), 'from b')
    assert.equal(await within(b.recv(), 'recv'), 'from a')
    await a.close()
  },

  'C2 Pipe(false) gives a receiver and a sender; the wrong direction rejects at once': async t => {
    for (const options of [false, { duplex: false }]) {
      const [r, w] = t.api.Pipe(options)
      assert.deepEqual([r.readable, r.writable, w.readable, w.writable], [true, false, false, true])
      await rejects(r.send(1), 'MP_INVALID_STATE', 1_000)
      await rejects(r.sendBytes(new Uint8Array(1)), 'MP_INVALID_STATE', 1_000)
      await rejects(w.recv(), 'MP_INVALID_STATE', 1_000)
      await rejects(w.recvBytes(), 'MP_INVALID_STATE', 1_000)
      await rejects(w.recvBytesInto(new Uint8Array(1)), 'MP_INVALID_STATE', 1_000)
      await rejects(w.poll(), 'MP_INVALID_STATE', 1_000)
      await w.send(1)
      assert.equal(await within(r.recv(), 'recv'), 1)
      await w.close()
      await rejects(r.recv(), 'MP_EOF')
    }
    throws(() => t.api.Pipe('yes' as never), TypeError)
  },

  'C2 the directions hold in a child': async t => {
    const [r, w] = t.api.Pipe(false)
    const [other, writer] = t.api.Pipe(false)
    assert.deepEqual(await t.run(targets.directions, r), [true, false, 'MP_INVALID_STATE'])
    assert.deepEqual(await t.run(targets.directions, writer), [false, true, 'MP_INVALID_STATE'])
    await rejects(w.send(1), 'MP_BROKEN_PIPE').catch(() => {})
    await rejects(other.recv(), 'MP_EOF')
  },

  'C3 values and bytes go to a child and back': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    for (const value of [1, 'two', [3], { four: 4 }, null, undefined, new Uint8Array([5])]) {
      assert.equal(await within(mine.send(value), 'send'), undefined)
      assert.deepEqual(await within(mine.recv(), 'recv'), value)
    }
    await mine.close()
    await t.ends(child)
    const [bytes, theirBytes] = t.pipe()
    const other = await t.start(targets.echoBytes, [theirBytes])
    await bytes.sendBytes(new Uint8Array([1, 2, 3, 4, 5]), 1, 3)
    assert.deepEqual(await within(bytes.recvBytes(), 'recvBytes'), new Uint8Array([2, 3, 4]))
    await bytes.sendBytes(new Uint16Array([1, 2]).buffer)
    assert.equal((await within(bytes.recvBytes(), 'recvBytes')).length, 4)
    await bytes.close()
    await t.ends(other)
  },

  'C4 messages keep their boundaries, whatever polls come between': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.sendAll, [theirs, ['a', 'b', 'cd']])
    for (const expected of ['a', 'b', 'cd']) {
      assert.equal(await within(mine.poll(null), 'poll'), true)
      assert.equal(await mine.poll(), true)
      assert.equal(await within(mine.recv(), 'recv'), expected)
    }
    await t.ends(child)
    await rejects(mine.recv(), 'MP_EOF')
  },

  'C5 an empty message is a message': async t => {
    const [a, b] = t.api.Pipe()
    await a.sendBytes(new Uint8Array())
    assert.equal(await within(b.poll(null), 'poll'), true)
    assert.equal(await within(b.poll(), 'poll'), true)
    assert.deepEqual(await within(b.recvBytes(), 'recvBytes'), new Uint8Array())
    assert.equal(await b.poll(), false)
    await a.send('')
    assert.equal(await within(b.recv(), 'recv'), '')
  },

  'C6 each direction keeps its order, values and bytes mixed': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    const sent: unknown[] = []
    for (let i = 0; i < 300; i++) {
      const value = i % 2 === 0 ? i : new Uint8Array(i).fill(i)
      sent.push(value)
      void (value instanceof Uint8Array ? mine.sendBytes(value) : mine.send(value))
    }
    for (const each of sent) assert.deepEqual(await within(mine.recv(), 'recv'), each)
    await mine.close()
    await t.ends(child)
  },

  'C7 16 MiB of bytes come back as they were': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echoBytes, [theirs])
    const bytes = new Uint8Array(16 * 1024 * 1024).map((_, index) => index * 17 + (index >> 9))
    const [, back] = await within(Promise.all([mine.sendBytes(bytes), mine.recvBytes()]), 'the echo', 12_000)
    assert.equal(Buffer.compare(back, bytes), 0)
    await mine.close()
    await t.ends(child)
  },

  'C7 large arrays arrive as they were at the call, in buffers of their own, alone and within values': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    for (const size of [16_384, 32_768, 65_536, 1_048_576, 1_048_577, 3_000_000]) {
      const made = () => new Uint8Array(size).fill(size % 251)
      const bytes = made()
      const value = { bytes, again: bytes, tail: bytes.subarray(size - 8), buffer: made().buffer }
      const moved = made().buffer
      await mine.send(bytes)
      void mine.send(value)
      void mine.send(moved, { transfer: [moved] })
      bytes.fill(0)
      assert.equal(moved.byteLength, 0)
      const alone = (await within(mine.recv(), 'the array')) as Uint8Array
      assert.equal(Buffer.compare(alone, made()), 0)
      assert.deepEqual([alone.byteOffset, alone.buffer.byteLength], [0, size])
      const back = (await within(mine.recv(), 'the value')) as typeof value
      assert.equal(Buffer.compare(back.bytes, made()), 0)
      assert.equal(back.again, back.bytes)
      assert.deepEqual([back.tail.buffer, back.tail.byteOffset], [back.bytes.buffer, size - 8])
      for (const buffer of [back.buffer, (await within(mine.recv(), 'the buffer')) as ArrayBuffer]) {
        assert.equal(Buffer.compare(new Uint8Array(buffer), made()), 0)
      }
    }
    await mine.close()
    await t.ends(child)
  },

  'C7 one large array that is filled anew for each send arrives each time as it was': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echoBytes, [theirs])
    const count = 300
    const bytes = new Uint8Array(70_000)
    const filled = (seed: number) => bytes.fill(seed).fill(seed >> 8, 35_000)
    const sent = (async () => {
      // Some wait for the medium, some for nothing.
      for (let i = 0; i < count; i++) await (i % 7 === 0 ? mine.sendBytes(filled(i)) : void mine.sendBytes(filled(i)))
    })()
    const received: Uint8Array[] = []
    while (received.length < count) received.push(await within(mine.recvBytes(), `array ${received.length}`))
    await within(sent, 'the sends')
    for (const [i, each] of received.entries()) assert.equal(Buffer.compare(each, filled(i)), 0, `array ${i}`)
    await mine.close()
    await t.ends(child)
  },

  'C10 recvBytesInto() gives the number of bytes and leaves the others alone': async t => {
    const [a, b] = t.api.Pipe()
    const target = new Uint8Array(8).fill(9)
    await a.sendBytes(new Uint8Array([1, 2, 3]))
    assert.equal(await within(b.recvBytesInto(target), 'recvBytesInto'), 3)
    assert.deepEqual([...target], [1, 2, 3, 9, 9, 9, 9, 9])
    await a.sendBytes(new Uint8Array([4, 5]))
    const words = new Uint16Array(target.buffer, 2, 3)
    assert.equal(await within(b.recvBytesInto(words, 2), 'recvBytesInto'), 2)
    assert.deepEqual([...target], [1, 2, 3, 9, 4, 5, 9, 9])
    await rejects(b.recvBytesInto(target, -1), RangeError)
    await rejects(b.recvBytesInto(target, 9), RangeError)
    await rejects(b.recvBytesInto([] as never), TypeError)
    await rejects(a.sendBytes(target, 9), RangeError)
    await rejects(a.sendBytes(target, 0, 9), RangeError)
    await rejects(a.sendBytes('bytes' as never), TypeError)
  },

  'C10 a message that is too long, or no bytes, stays to be received': async t => {
    const [a, b] = t.api.Pipe()
    await a.sendBytes(new Uint8Array(10).fill(7))
    await rejects(b.recvBytes(9), 'MP_BUFFER_TOO_SHORT')
    await rejects(b.recvBytesInto(new Uint8Array(9)), 'MP_BUFFER_TOO_SHORT')
    assert.equal((await within(b.recvBytes(10), 'recvBytes')).length, 10)
    await a.send('text')
    await rejects(b.recvBytes(), 'MP_DECODE')
    assert.equal(await within(b.recv(), 'recv'), 'text')
    await rejects(b.recvBytes(-1), RangeError)
  },

  'C10 arguments of the wrong type are a TypeError at once, also where nothing waits to be received': async t => {
    const [a, b] = t.api.Pipe()
    const bytes = new Uint8Array(4)
    for (const wrong of ['1', null, 1n] as never[]) {
      await rejects(b.recvBytes(wrong), TypeError, 1_000)
      await rejects(b.recvBytesInto(bytes, wrong), TypeError, 1_000)
      await rejects(a.sendBytes(bytes, wrong), TypeError, 1_000)
      await rejects(b.recv(wrong), TypeError, 1_000)
      await rejects(b.recvBytes(4, wrong), TypeError, 1_000)
      await rejects(b.recvBytesInto(bytes, 0, wrong), TypeError, 1_000)
    }
    await rejects(a.sendBytes(bytes, 0, '1' as never), TypeError, 1_000)
    await rejects(b.recvBytes(Number.NaN), RangeError, 1_000)
    await rejects(b.recvBytesInto(bytes, 1.5), RangeError, 1_000)
    await rejects(b.recv({ timeout: '1' as never }), TypeError, 1_000)
    await rejects(a.sendBytes({ length: 4 } as never), TypeError, 1_000)
    const detached = new Uint8Array(4)
    structuredClone(detached, { transfer: [detached.buffer] })
    await rejects(a.sendBytes(detached), TypeError, 1_000)
    await rejects(b.recvBytesInto(detached), TypeError, 1_000)
    assert.equal(await b.poll(), false, 'nothing of it was sent')
    await a.sendBytes(bytes)
    await rejects(b.recvBytes('4' as never), TypeError)
    assert.deepEqual(await within(b.recvBytes(4), 'recvBytes'), bytes)
  },

  'C12 poll() looks once; with a timeout it waits for data or the time; with null for data only': async t => {
    const [a, b] = t.api.Pipe()
    assert.equal(await within(b.poll(), 'poll', 1_000), false)
    assert.equal(await within(b.poll(-1), 'poll', 1_000), false)
    const { ms, value } = await timed(() => b.poll(120))
    assert.equal(value, false)
    assertTook(ms, 120)
    const forData = b.poll(null)
    const forTime = b.poll(60_000)
    await assertPending(forData, 20)
    await a.send('data')
    assert.deepEqual(await within(Promise.all([forData, forTime]), 'polls'), [true, true])
    assert.equal(await b.poll(), true)
    assert.equal(await b.recv(), 'data')
    assert.equal(await b.poll(), false)
    await rejects(b.poll(Number.NaN), RangeError)
    await rejects(b.poll('1' as never), TypeError)
  },

  'C13 poll() is true at the end of file, and recv() then tells it': async t => {
    const [a, b] = t.api.Pipe()
    const pending = b.poll(null)
    await a.close()
    assert.equal(await within(pending, 'poll'), true)
    assert.equal(await b.poll(), true)
    await rejects(b.recv(), 'MP_EOF')
    assert.equal(await b.poll(), true)
  },

  'C14 what was sent before a close is received, then the end of file, again and again': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.sendAllAndClose, [theirs, [1, 2], ordersEnd])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    assert.equal(await within(mine.recv(), 'recv'), 1)
    assert.equal(await within(mine.recv(), 'recv'), 2)
    for (let i = 0; i < 3; i++) await rejects(mine.recv(), 'MP_EOF')
    await rejects(mine.recvBytes(), 'MP_EOF')
    await rejects(mine.send(3), 'MP_BROKEN_PIPE')
    await orders.send('end')
    await t.ends(child)
  },

  'C15 a recv that is pending when the other end is closed, or its process ends, gets the end of file': async t => {
    const [a, b] = t.api.Pipe()
    const pending = b.recv()
    await assertPending(pending, 20)
    await a.close()
    await rejects(pending, 'MP_EOF')
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.keep, [theirs, ordersEnd as never])
    const recv = mine.recv()
    await assertPending(recv, 20)
    await orders.send('end')
    await rejects(recv, 'MP_EOF')
    await t.ends(child)
  },

  'C16 what a child sent before it ended is received after its end': async t => {
    const [mine, theirs] = t.pipe()
    const values = Array.from({ length: 50 }, (_, index) => ({ index, text: 'x'.repeat(index) }))
    const child = await t.start(targets.sendAll, [theirs, values])
    await t.ends(child)
    for (const value of values) assert.deepEqual(await within(mine.recv(), 'recv'), value)
    await rejects(mine.recv(), 'MP_EOF')
  },

  'C18 when the other end closes with our message unread, recv() tells the end of file': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.keep, [theirs, ordersEnd as never])
    await mine.send('unread')
    await orders.send('end')
    await t.ends(child)
    await rejects(mine.recv(), 'MP_EOF')
  },

  'C20 after close() everything rejects with MP_CLOSED; a second close does nothing; await using closes': async t => {
    const [a, b] = t.api.Pipe()
    assert.equal(a.closed, false)
    await a.close()
    await a.close()
    assert.equal(a.closed, true)
    await rejects(a.send(1), 'MP_CLOSED')
    await rejects(a.sendBytes(new Uint8Array(1)), 'MP_CLOSED')
    await rejects(a.recv(), 'MP_CLOSED')
    await rejects(a.recvBytes(), 'MP_CLOSED')
    await rejects(a.recvBytesInto(new Uint8Array(1)), 'MP_CLOSED')
    await rejects(a.poll(), 'MP_CLOSED')
    {
      await using used = b
      await rejects(used.recv(), 'MP_EOF')
    }
    assert.equal(b.closed, true)
  },

  'C20 an end that is inspected says whether it is open, closed or moved, and its directions': async t => {
    const [a, b] = t.api.Pipe(false)
    assert.equal(inspect(a), 'Connection(open, readable)')
    assert.equal(inspect(b), 'Connection(open, writable)')
    await a.close()
    assert.equal(inspect(a), 'Connection(closed, readable)')
    const [, other] = t.pipe()
    const queue = new t.api.Queue()
    await queue.put(other)
    assert.equal(inspect(other), 'Connection(moved, readable, writable)')
    await queue.close()
  },

  'calls that block are there where the transport has them, and say MP_NOT_SUPPORTED elsewhere': async t => {
    const [a] = t.pipe() as unknown as [BlockingEnd, unknown]
    const bytes = new Uint8Array(1)
    const { sync } = t.capabilities
    const sends = [() => a.sendSync('a value'), () => a.sendBytesSync(bytes)]
    const receives = [
      () => a.recvSync({ timeout: 0 }),
      () => a.recvBytesSync(1, { timeout: 0 }),
      () => a.recvBytesIntoSync(bytes, 0, { timeout: 0 }),
    ]
    for (const send of sends) {
      if (sync) send()
      else throws(send, 'MP_NOT_SUPPORTED')
    }
    for (const receive of receives) throws(receive, sync ? 'MP_TIMEOUT' : 'MP_NOT_SUPPORTED')
  },

  'C21 a close rejects the pending calls of its own end with MP_CLOSED': async t => {
    const [a, b] = t.api.Pipe()
    const calls = [a.recv(), a.recvBytes(), a.poll(null), a.poll(60_000)]
    const refused = Promise.all(calls.map(call => rejects(call, 'MP_CLOSED')))
    await a.close()
    await refused
    await b.close()
  },

  'C22 an end that is passed to a child moves: the end of file comes although the parent closes nothing': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.sendAll, [theirs, ['only']])
    assert.equal(theirs.closed, true)
    await rejects(theirs.send(1), 'MP_CLOSED')
    await rejects(theirs.recv(), 'MP_CLOSED')
    await theirs.close()
    assert.equal(await within(mine.recv(), 'recv'), 'only')
    await rejects(mine.recv(), 'MP_EOF')
    await t.ends(child)
  },

  'C22 an end that moves takes along a message with live objects that a call has already looked at': needs(
    'attachments',
    'sharedMemory',
    async t => {
      const [a, b] = t.api.Pipe()
      const words = new Int32Array(new SharedArrayBuffer(4))
      const { port1, port2 } = new MessageChannel()
      await a.send({ words, port: port1 }, { transfer: [port1] })
      await rejects(b.recvBytes(), 'MP_DECODE')
      const [carrier, arrival] = t.api.Pipe()
      await carrier.send(b)
      const moved = (await within(arrival.recv(), 'the end')) as typeof b
      const got = (await within(moved.recv(), 'the message')) as { words: Int32Array; port: typeof port1 }
      got.words[0] = 7
      assert.equal(words[0], 7)
      const said = new Promise(resolve => port2.once('message', resolve))
      got.port.postMessage('through the port')
      assert.equal(await within(said, 'the word'), 'through the port')
      port2.close()
      await Promise.all([a.close(), moved.close(), carrier.close(), arrival.close()])
    },
  ),

  'C23 a send of what cannot travel rejects with MP_ENCODE, sends nothing, and the connection goes on': async t => {
    const [a, b] = t.api.Pipe()
    await a.send('before')
    for (const value of [() => {}, Symbol('s'), { deep: [Promise.resolve()] }])
      await rejects(a.send(value), 'MP_ENCODE')
    await a.send('after')
    assert.equal(await within(b.recv(), 'recv'), 'before')
    assert.equal(await within(b.recv(), 'recv'), 'after')
  },

  'C23 a value is sent as it is at the call': async t => {
    const [a, b] = t.api.Pipe()
    const list = [1]
    const sent = a.send(list)
    list.push(2)
    const bytes = new Uint8Array([1])
    const sentBytes = a.sendBytes(bytes)
    bytes[0] = 2
    await Promise.all([sent, sentBytes])
    assert.deepEqual(await within(b.recv(), 'recv'), [1])
    assert.deepEqual(await within(b.recv(), 'recv'), new Uint8Array([1]))
  },

  'C24 sends above the high-water mark wait for the reader': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.recvWhenTold, [theirs, ordersEnd as never])
    const chunk = new Uint8Array(256 * 1024)
    let accepted = 0
    const sends = Array.from({ length: 256 }, () => mine.send(chunk).then(() => accepted++))
    await assertPending(Promise.all(sends), 200)
    // 32 MiB: twice what may be unread of buffers that ride beside their message.
    assert.ok(accepted < 128, `${accepted} of 256 KiB each were accepted, and nobody reads`)
    await orders.send('read')
    await within(Promise.all(sends), 'sends')
    await mine.close()
    assert.equal(await within(child.result(), 'result'), 256)
    await t.ends(child)
  },

  'C24 a send that waits for the reader rejects when the reader is killed': async t => {
    const [mine, theirs] = t.pipe()
    const [orders, ordersEnd] = t.pipe()
    const child = await t.start(targets.keep, [theirs, ordersEnd as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    const chunk = new Uint8Array(1024 * 1024)
    const sends = Promise.all(Array.from({ length: 32 }, () => mine.send(chunk)))
    await assertPending(sends, 50)
    const refused = rejects(sends, 'MP_BROKEN_PIPE', 1_500)
    child.kill()
    await refused
    await t.ends(child, -9)
  },

  'a recv that runs out of time, or is aborted, loses nothing': async t => {
    const [a, b] = t.api.Pipe()
    const { ms } = await timed(() => rejects(b.recv({ timeout: 120 }), 'MP_TIMEOUT'))
    assertTook(ms, 120)
    const reason = new Error('enough')
    const abort = new AbortController()
    const calls = [b.recv({ signal: abort.signal }), b.poll(null, { signal: abort.signal })]
    const refused = Promise.all(calls.map(call => rejects(call, { reason })))
    abort.abort(reason)
    await refused
    await a.send('kept')
    await rejects(b.recv({ signal: abort.signal }), { reason })
    assert.equal(await within(b.recv({ timeout: 5_000 }), 'recv'), 'kept')
  },

  'pending recvs are answered in the order in which they were called': async t => {
    const [a, b] = t.api.Pipe()
    const recvs = [b.recv(), b.recv(), b.recv()]
    for (const value of [1, 2, 3]) await a.send(value)
    assert.deepEqual(await within(Promise.all(recvs), 'recvs'), [1, 2, 3])
  },

  'for await reads to the end of file': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.sendAll, [theirs, [1, 2, 3]])
    const all: unknown[] = []
    for await (const value of mine) all.push(value)
    assert.deepEqual(all, [1, 2, 3])
    await t.ends(child)
  },

  'a transferred buffer leaves the sender at the call': async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echo, [theirs])
    const bytes = new Uint8Array([1, 2, 3])
    const sent = mine.send({ bytes }, { transfer: [bytes.buffer] })
    assert.equal(bytes.length, 0, 'detached at the call')
    await sent
    assert.deepEqual(await within(mine.recv(), 'recv'), { bytes: new Uint8Array([1, 2, 3]) })
    await rejects(mine.send(1, { transfer: [bytes.buffer] }), 'MP_ENCODE')
    const kept = new Uint8Array([4])
    await rejects(mine.send({ kept, f() {} }, { transfer: [kept.buffer] }), 'MP_ENCODE')
    assert.equal(kept.length, 1, 'a failed send gives it back')
    await rejects(mine.send(1, { transfer: 5 as never }), TypeError)
    await mine.send('still there')
    assert.equal(await within(mine.recv(), 'recv'), 'still there')
    await mine.close()
    await t.ends(child)
  },
})
