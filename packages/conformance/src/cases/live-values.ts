import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { MessageChannel } from 'node:worker_threads'
import { group, needs } from '../case.js'
import { rejects, within } from '../harness.js'
import * as targets from '../targets.js'
import * as valueTargets from '../targets-values.js'
import { keepsFiles, liveTable } from '../values/live.js'
import { routes } from '../values/routes.js'

const WAYS = ['arguments and results', 'items', 'items of a bounded queue', 'messages', 'items within one process']

export const liveValues = group('Values that are live objects', {
  ...Object.fromEntries(
    WAYS.map(name => [
      `copies of keys, modules, blobs and their like arrive and work, as ${name}`,
      needs('attachments', async t => {
        const way = await (routes[name] as (typeof routes)[string])(t)
        for (const [what, { value, check }] of await liveTable()) {
          const arrived = (await way.trip({ one: value, list: [value] })) as { one: never; list: [unknown] }
          assert.equal(arrived.list[0], arrived.one, what)
          await check(arrived.one)
          await check(value as never)
        }
        await way.end()
      }),
    ]),
  ),

  'where they cannot go, they are refused at the call, with the reason': async t => {
    const { attachments } = t.capabilities
    const { port1, port2 } = new MessageChannel()
    const path = t.file('text')
    writeFileSync(path, '')
    await using file = await open(path)
    const moved: object[] = [port1, file, new ReadableStream()]
    const copied = [...(await liveTable()).values()].map(each => each.value)
    const queue = new t.api.Queue()
    const [a, b] = t.api.Pipe()
    const refused = async (value: object, reason: RegExp) => {
      for (const call of [() => queue.put([value]), () => a.send({ value })]) {
        assert.match((await rejects(call(), 'MP_ENCODE')).message, reason)
      }
      await rejects(t.process(targets.give, [value]).start(), 'MP_ENCODE')
    }
    for (const value of moved) await refused(value, attachments ? /must be in the transfer list/ : /cannot leave its/)
    if (!attachments)
      for (const value of copied) await refused(value, /\.?[\w.[\]]+: a \w+, which cannot leave its process/)
    if (attachments && !keepsFiles()) await refused(new File([], 'a name'), /would lose its class/)
    // A class of the user's with such a name is as any other.
    const { Blob } = { Blob: class Blob {} }
    await refused(new Blob(), /a class that is not registered/)
    assert.equal(await queue.qsize(), 0)
    assert.equal(await b.poll(), false)
    port1.close()
    port2.close()
  },

  'what is transferred moves: a port, a file, a stream': needs('attachments', async t => {
    const { port1, port2 } = new MessageChannel()
    const path = t.file('text')
    writeFileSync(path, 'of the file')
    const file = await open(path)
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue('of the stream')
        controller.close()
      },
    })
    const [mine, theirs] = t.pipe()
    const child = await t.start(valueTargets.useMoved, [theirs as never])
    const said = new Promise(resolve => port2.once('message', resolve))
    await mine.send({ port: port1, file, stream }, { transfer: [port1, file, stream] })
    assert.equal(await within(said, 'the word'), 'through the port')
    assert.deepEqual(await within(child.result(), 'result'), ['of the file', 'of the stream'])
    port2.close()
    await t.ends(child)
    await mine.close()
  }),

  'small Buffers, which share memory, bring no bytes but their own, and that memory cannot be transferred': async t => {
    const small = Buffer.from('x')
    assert.ok(small.buffer.byteLength > 1, 'it is of the pool')
    const [a, b] = t.api.Pipe()
    const error = await rejects(a.send(small, { transfer: [small.buffer] }), 'MP_ENCODE')
    assert.match(error.message, /cannot be transferred/)
    await rejects(a.send({ small }, { transfer: [small.buffer] }), 'MP_ENCODE')
    assert.equal(small.toString(), 'x', 'it stays')
    assert.equal(await b.poll(), false)
    const view = new DataView(small.buffer, small.byteOffset, 1)
    for (const value of [small, view, small.subarray(0, 1)]) {
      await a.send(value)
      await a.send([value])
      const alone = (await within(b.recv(), 'recv')) as Uint8Array
      const [within1] = (await within(b.recv(), 'recv')) as [Uint8Array]
      assert.deepEqual([alone.buffer.byteLength, within1.buffer.byteLength], [1, 1])
    }
    // As large as that memory, but the caller's own.
    const own = new Uint8Array(Buffer.poolSize).fill(7)
    await a.send(own, { transfer: [own.buffer] })
    assert.equal(own.length, 0)
    assert.deepEqual(await within(b.recv(), 'recv'), new Uint8Array(Buffer.poolSize).fill(7))
  },
})
