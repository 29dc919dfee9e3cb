import assert from 'node:assert/strict'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BoundContext, Connection, Listener, NetworkContext } from '@mp/core'
import { type Body, type Case, group, needs } from '../case.js'
import { assertPending, rejects, within } from '../harness.js'
import * as targets from '../targets-network.js'
import type { Trial } from '../trial.js'

const KEY = 'swordfish'

export const network = group('Listener and connect', {
  'L1 a listener without an address has a fresh one that only this user can reach, and that goes with it': byAddress(
    async (_, { listen }) => {
      const listener = await within(listen({ authKey: KEY }), 'listen')
      const { address } = listener
      assert.equal(statSync(address).mode & 0o777, 0o600)
      assert.equal(statSync(dirname(address)).mode & 0o777, 0o700)
      const other = await within(listen({ authKey: KEY }), 'listen')
      assert.notEqual(other.address, address)
      await within(Promise.all([listener.close(), other.close()]), 'close')
      assert.equal(existsSync(dirname(address)), false)
    },
  ),

  'L2 a second listener on the same address rejects with EADDRINUSE; the first goes on': byAddress(
    async (t, { listen, connect }) => {
      const address = t.file('socket')
      await using listener = await within(listen(address, { authKey: KEY }), 'listen')
      const error = await rejects(listen(address, { authKey: KEY }), Error)
      assert.equal((error as NodeJS.ErrnoException).code, 'EADDRINUSE')
      const [here, there] = await pair(listener, connect(address, { authKey: KEY }))
      await there.send('still there')
      assert.equal(await within(here.recv(), 'recv'), 'still there')
      await Promise.all([here.close(), there.close()])
    },
  ),

  'L2 an address whose file is no socket is left alone': byAddress(async (t, { listen }) => {
    const address = t.file('notes')
    writeFileSync(address, 'mine')
    const error = await rejects(listen(address, { authKey: KEY }), Error)
    assert.equal((error as NodeJS.ErrnoException).code, 'EADDRINUSE')
    assert.equal(statSync(address).size, 4)
  }),

  'L3 both ends send and receive values, bytes and errors; accept after close rejects with MP_CLOSED': byAddress(
    async (_, { listen, connect }) => {
      const listener = await within(listen({ authKey: KEY }), 'listen')
      const [here, there] = await pair(listener, connect(listener.address, { authKey: KEY }))
      await there.send({ id: 1, big: 7n, when: new Date(5) })
      assert.deepEqual(await within(here.recv(), 'recv'), { id: 1, big: 7n, when: new Date(5) })
      await here.send(Object.assign(new RangeError('told'), { code: 'E_TOLD' }))
      const told = (await within(there.recv(), 'recv')) as RangeError & { code: string }
      assert.ok(told instanceof RangeError)
      assert.deepEqual([told.message, told.code], ['told', 'E_TOLD'])
      const bytes = new Uint8Array(5 * 1024 * 1024).fill(7)
      const sent = there.sendBytes(bytes)
      assert.deepEqual(await within(here.recvBytes(), 'recvBytes'), bytes)
      await within(sent, 'sendBytes')
      const waiting = rejects(listener.accept(), 'MP_CLOSED')
      await within(listener.close(), 'close')
      await waiting
      await rejects(listener.accept(), 'MP_CLOSED')
      // Connections that were made before go on.
      await here.send('after')
      assert.equal(await within(there.recv(), 'recv'), 'after')
      await here.close()
      await rejects(there.recv(), 'MP_EOF')
      await rejects(there.send(1), 'MP_BROKEN_PIPE')
      await there.close()
    },
  ),

  'L3 accept takes a timeout and a signal, and loses no connection by either': byAddress(
    async (_, { listen, connect }) => {
      await using listener = await within(listen({ authKey: KEY }), 'listen')
      await rejects(listener.accept({ timeout: 10 }), 'MP_TIMEOUT')
      const controller = new AbortController()
      const aborted = rejects(listener.accept({ signal: controller.signal }), { reason: 'enough' })
      controller.abort('enough')
      await aborted
      const [here, there] = await pair(listener, connect(listener.address, { authKey: KEY }))
      await Promise.all([here.close(), there.close()])
    },
  ),

  'L3 a listener is an async iterator of connections, and ends when it is closed': byAddress(
    async (_, { listen, connect }) => {
      const listener = await within(listen({ authKey: KEY }), 'listen')
      const there: Connection[] = []
      for (let i = 0; i < 3; i++) there.push(await within(connect(listener.address, { authKey: KEY }), 'connect'))
      await rejects(connect(listener.address, { authKey: 'wrong' }), 'MP_AUTH')
      let count = 0
      for await (const connection of listener) {
        await connection.close()
        if (++count === 3) await listener.close()
      }
      assert.equal(count, 3)
      for (const each of there) await each.close()
    },
  ),

  'L4 what a client wrote that closed before the accept is received': byAddress(async (t, { listen }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    await t.run(targets.connectAndSend, t.module, listener.address, KEY, ['one', 'two'])
    const connection = await within(listener.accept(), 'accept')
    assert.equal(await within(connection.recv(), 'recv'), 'one')
    assert.equal(await within(connection.recv(), 'recv'), 'two')
    await rejects(connection.recv(), 'MP_EOF')
    await connection.close()
  }),

  'L5 connect to nothing rejects with the system error, quickly; what a dead listener left is replaced': byAddress(
    async (t, { listen, connect }) => {
      const nowhere = await rejects(connect(t.file('nowhere'), { authKey: KEY }), Error, 1_000)
      assert.equal((nowhere as NodeJS.ErrnoException).code, 'ENOENT')
      const [orders, ordersEnd] = t.pipe<unknown, string>()
      const address = t.file('socket')
      const child = await t.start(targets.serveOwnQueue, [t.module, address, KEY, ordersEnd as never])
      assert.equal(await within(orders.recv(), 'the address'), address)
      child.kill()
      await t.ends(child, -9)
      const refused = await rejects(connect(address, { authKey: KEY }), Error, 1_000)
      assert.equal((refused as NodeJS.ErrnoException).code, 'ECONNREFUSED')
      const listener = await within(listen(address, { authKey: KEY }), 'listen')
      const [here, there] = await pair(listener, connect(address, { authKey: KEY }))
      await Promise.all([here.close(), there.close(), listener.close()])
      assert.equal(existsSync(address), false)
    },
  ),

  'L6 L7 a wrong key rejects with MP_AUTH on both sides, since each proves its own; the right one works then':
    byAddress(async (_, { listen, connect }) => {
      await using listener = await within(listen({ authKey: KEY }), 'listen')
      const accepted = rejects(listener.accept(), 'MP_AUTH')
      await rejects(connect(listener.address, { authKey: 'wrong' }), 'MP_AUTH')
      await accepted
      const bytes = new TextEncoder().encode(KEY)
      const [here, there] = await pair(listener, connect(listener.address, { authKey: bytes }))
      await Promise.all([here.close(), there.close()])
    }),

  'L6 an empty key still authenticates, and is not any key': byAddress(async (_, { listen, connect }) => {
    await using listener = await within(listen({ authKey: '' }), 'listen')
    const [here, there] = await pair(listener, connect(listener.address, { authKey: new Uint8Array(0) }))
    const accepted = rejects(listener.accept(), 'MP_AUTH')
    await rejects(connect(listener.address, { authKey: ' ' }), 'MP_AUTH')
    await accepted
    await Promise.all([here.close(), there.close()])
  }),

  'L6 a key in bytes is taken as it is at the call': byAddress(async (_, { listen, connect }) => {
    const bytes = () => new TextEncoder().encode(KEY)
    const [listening, connecting] = [bytes(), bytes()]
    const opened = listen({ authKey: listening })
    listening.fill(1)
    await using listener = await within(opened, 'listen')
    const connected = connect(listener.address, { authKey: connecting })
    connecting.fill(2)
    const [here, there] = await pair(listener, connected)
    await Promise.all([here.close(), there.close()])
  }),

  'L6 a key that is neither a string nor bytes, or is missing, is a TypeError': byAddress(
    async (t, { listen, connect }) => {
      const address = t.file('socket')
      for (const options of [{ authKey: 5 }, { authKey: null }, {}, undefined, { authkey: KEY }] as never[]) {
        await rejects(listen(address, options), TypeError)
        await rejects(connect(address, options), TypeError)
      }
      await rejects(listen(7 as never, { authKey: KEY }), TypeError)
      await rejects(connect(`/tmp/${'x'.repeat(300)}`, { authKey: KEY }), RangeError)
      await rejects(listen('', { authKey: KEY }), RangeError)
      await rejects(listen('\0abstract', { authKey: KEY }), RangeError)
    },
  ),

  'a connect that is aborted rejects with the reason': byAddress(async (_, { listen, connect }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const { address } = listener
    await rejects(connect(address, { authKey: KEY, signal: AbortSignal.abort('before') }), { reason: 'before' })
    const controller = new AbortController()
    const aborted = rejects(connect(address, { authKey: KEY, signal: controller.signal }), { reason: 'meanwhile' })
    controller.abort('meanwhile')
    await aborted
    await rejects(listener.accept({ timeout: 50 }), 'MP_TIMEOUT')
  }),

  'handles are refused with MP_NOT_SHAREABLE, and the connection goes on': byAddress(async (t, { listen, connect }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const [here, there] = await pair(listener, connect(listener.address, { authKey: KEY }))
    const [mine, theirs] = t.pipe()
    for (const handle of [new t.api.Queue(), theirs, there]) {
      await rejects(here.send([handle]), 'MP_NOT_SHAREABLE')
      await rejects(mine.send({ there }), 'MP_NOT_SHAREABLE')
    }
    await here.send('fine')
    assert.equal(await within(there.recv(), 'recv'), 'fine')
    await Promise.all([here, there, mine, theirs].map(each => each.close()))
  }),

  'a served queue is put into and got from by its name; shutdown reaches everyone': byAddress(async (t, { listen }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const tasks = new t.api.Queue<number>()
    const results = new t.api.Queue<number>()
    const served = listener.serve({ tasks, results })
    const children = await Promise.all(
      [1, 2].map(() => t.start(targets.squareByAddress, [t.module, listener.address, KEY])),
    )
    for (let i = 0; i < 50; i++) await tasks.put(i)
    let sum = 0
    for (let i = 0; i < 50; i++) sum += await within(results.get(), 'a result')
    assert.equal(sum, 40_425)
    await tasks.shutdown()
    for (const child of children) await t.ends(child)
    await assertPending(served)
    await listener.close()
    await within(served, 'the end of serve')
  }),

  'a bounded served queue makes its putters wait, wherever they are': byAddress(async (t, { listen, openQueue }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const queue = new t.api.Queue<string>(1)
    void listener.serve({ queue })
    const there = await within(openQueue<string>(listener.address, 'queue', { authKey: KEY }), 'openQueue')
    assert.ok(there instanceof t.api.Queue)
    await within(there.put('a'), 'put')
    await rejects(there.putNowait('b'), 'MP_FULL')
    const put = there.put('b')
    await assertPending(put)
    assert.equal(await within(queue.get(), 'get'), 'a')
    await within(put, 'put')
    assert.equal(await within(there.get(), 'get'), 'b')
    await rejects(there.get({ timeout: 10 }), 'MP_EMPTY')
    await there.close()
  }),

  'puts into a served queue survive the process.exit() of their producer': byAddress(async (t, { listen }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const items = new t.api.Queue<number>()
    void listener.serve({ items })
    const child = await t.start(targets.putByAddressAndExit, [t.module, listener.address, KEY, 2_000])
    for (let i = 0; i < 2_000; i++) assert.equal(await within(items.get(), `item ${i}`), i)
    await t.ends(child)
  }),

  'a name that is not served, or taken, is MP_INVALID_STATE; a queue of elsewhere MP_NOT_SHAREABLE': byAddress(
    async (t, { listen, openQueue }) => {
      await using listener = await within(listen({ authKey: KEY }), 'listen')
      const queue = new t.api.Queue()
      void listener.serve({ queue })
      await rejects(openQueue(listener.address, 'other', { authKey: KEY }), 'MP_INVALID_STATE')
      await rejects(openQueue(listener.address, 'queue', { authKey: 'wrong' }), 'MP_AUTH')
      await rejects(listener.serve({ queue: new t.api.Queue() }), 'MP_INVALID_STATE')
      await rejects(listener.serve({ other: {} as never }), TypeError)
      const there = await within(openQueue(listener.address, 'queue', { authKey: KEY }), 'openQueue')
      await rejects(listener.serve({ again: there as never }), 'MP_NOT_SHAREABLE')
      await there.close()
    },
  ),

  'a name is free again when its serve has ended; a queue that was opened stays open': byAddress(
    async (t, { listen, openQueue }) => {
      await using listener = await within(listen({ authKey: KEY }), 'listen')
      const [first, second] = [new t.api.Queue<string>(), new t.api.Queue<string>()]
      const controller = new AbortController()
      const served = listener.serve({ queue: first }, { signal: controller.signal })
      const opened = await within(openQueue<string>(listener.address, 'queue', { authKey: KEY }), 'openQueue')
      const ended = rejects(served, { reason: 'enough' })
      controller.abort('enough')
      await ended
      await rejects(openQueue(listener.address, 'queue', { authKey: KEY }), 'MP_INVALID_STATE')
      void listener.serve({ queue: second })
      const again = await within(openQueue<string>(listener.address, 'queue', { authKey: KEY }), 'openQueue')
      await opened.put('first')
      await again.put('second')
      assert.equal(await within(first.get(), 'get'), 'first')
      assert.equal(await within(second.get(), 'get'), 'second')
      await Promise.all([opened.close(), again.close()])
    },
  ),

  'an item with a handle stays for getters of its own program': byAddress(async (t, { listen, openQueue }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const queue = new t.api.Queue()
    void listener.serve({ queue })
    const there = await within(openQueue(listener.address, 'queue', { authKey: KEY }), 'openQueue')
    const waiting = rejects(there.get(), 'MP_NOT_SHAREABLE')
    const [mine, theirs] = t.pipe()
    await queue.put(theirs)
    await waiting
    await rejects(there.get(), 'MP_NOT_SHAREABLE')
    const back = (await within(queue.get(), 'get')) as Connection
    await mine.send('through')
    assert.equal(await within(back.recv(), 'recv'), 'through')
    await Promise.all([mine.close(), back.close(), there.close()])
  }),

  'large arrays go through a served queue, both ways': byAddress(async (t, { listen, openQueue }) => {
    await using listener = await within(listen({ authKey: KEY }), 'listen')
    const queue = new t.api.Queue<{ bytes: Uint8Array }>()
    void listener.serve({ queue: queue as never })
    const there = await within(
      openQueue<{ bytes: Uint8Array }>(listener.address, 'queue', { authKey: KEY }),
      'openQueue',
    )
    for (const [from, to] of [
      [queue, there],
      [there, queue],
    ] as const) {
      for (const size of [100_000, 2_000_000]) {
        await from.put({ bytes: new Uint8Array(size).fill(7) })
        const { bytes } = await within(to.get(), 'get')
        assert.equal(Buffer.compare(bytes, new Uint8Array(size).fill(7)), 0)
      }
    }
    await there.close()
  }),

  'calls on a served queue reject with MP_SHUT_DOWN when its program is killed': byAddress(async (t, { openQueue }) => {
    const [orders, ordersEnd] = t.pipe<unknown, string>()
    const address = t.file('socket')
    const child = await t.start(targets.serveOwnQueue, [t.module, address, KEY, ordersEnd as never])
    assert.equal(await within(orders.recv(), 'the address'), address)
    const queue = await within(openQueue(address, 'queue', { authKey: KEY }), 'openQueue')
    assert.equal(await within(queue.get(), 'get'), 'served')
    const get = rejects(queue.get(), 'MP_SHUT_DOWN', 1_500)
    child.kill()
    await get
    await rejects(queue.put(1), 'MP_SHUT_DOWN')
    await t.ends(child, -9)
    // Nobody else could remove it: its listener was killed.
    rmSync(address)
  }),
})

function byAddress(body: (t: Trial, api: BoundContext & NetworkContext) => Promise<void>): Case {
  const run: Body = t => body(t, t.api as BoundContext & NetworkContext)
  return needs('network', run)
}

/** Both ends of a new connection, the accepted one first. */
async function pair(listener: Listener, connecting: Promise<Connection>): Promise<[Connection, Connection]> {
  return within(Promise.all([listener.accept(), connecting]), 'accept and connect')
}
