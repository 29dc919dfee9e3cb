import { createHmac, randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { within } from '@mp/conformance'
import { type Connection, connect, type Listener, listen, Queue } from '@mp/unix-socket'
import { describe, it } from 'vitest'
import { RawClient } from './raw-client.js'

const KEY = 'open sesame'
const MiB = 2 ** 20
const WINDOW = 4 * MiB
/** Bytes. All of it in memory would be seen; a test that breaks ends soon enough. */
const FLOOD = 1_500 * MiB
/** Bytes that may come and go beside the window: garbage, objects of V8 for small messages, what the sockets of the test keep. */
const NOISE = 96 * MiB

const FRAGMENT = 2
const LEFT = 5
const BEYOND = 6
const VALUE = 16
const PUT = 16
const RESERVE = 17
const FILL = 18
const QUERY = 23
const SETTLE = 27
const WATCH = 30
const CREDITED = 0x40

/** Writes to the socket what is no frame. */
type Raw = { readonly raw: Buffer }

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4)
  return bytes
}

function message(type: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.of(type), u32(body.length), body])
}

const bytesOf = (size: number) => Buffer.concat([Buffer.from('0002', 'hex'), Buffer.alloc(size)])

async function introduce(address: string, wanted: Uint8Array): Promise<RawClient> {
  const client = new RawClient(address)
  const mac = (server: Uint8Array, own: Uint8Array) =>
    createHmac('sha256', KEY).update('mp1').update(' client').update(server).update(own).digest()
  const challenge = (await client.frame(0)).subarray(3)
  const nonce = randomBytes(32)
  client.send(Buffer.concat([nonce, mac(challenge, nonce)]))
  await client.frame(1)
  client.send(wanted)
  return client
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function used(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Sends the frame again and again. Gives how many bytes more this process used when it was cut off, or had sent everything. */
async function flood(client: RawClient, next: (i: number) => Buffer | Raw, size = FLOOD): Promise<number> {
  const before = used()
  let grown = 0
  let sent = 0
  for (let i = 0; sent < size && !client.closed; i++) {
    const frame = next(i)
    const raw = 'raw' in frame
    if (raw) client.socket.write(frame.raw)
    else client.send(frame)
    sent += raw ? frame.raw.length : frame.length
    if (client.socket.writableLength > MiB) {
      await new Promise(resolve => setImmediate(resolve))
      for (let turn = 0; client.socket.writableLength > MiB && !client.closed && turn < 2_000; turn++) {
        await new Promise(resolve => setTimeout(resolve, 1))
      }
    }
    if (i % 1024 === 0) grown = Math.max(grown, used() - before)
  }
  // Who does not read learns of its end later.
  grown = Math.max(grown, used() - before)
  client.socket.resume()
  await client.cutOff(5_000)
  return Math.max(grown, used() - before)
}

async function stillGood(listener: Listener): Promise<void> {
  // Others, whose connections nobody has accepted yet, come before this one.
  const there = await within(connect(listener.address, { authKey: KEY }), 'a good client', 4_000)
  await there.send('good')
  for (;;) {
    const here = await within(listener.accept(), 'accept')
    const found = await within(here.recv(), 'recv').catch(() => undefined)
    await here.close()
    if (found === 'good') break
  }
  await there.close()
}

const many = (one: Buffer, size: number) =>
  Buffer.concat(Array.from({ length: Math.ceil(size / one.length) }, () => one))
const value = message(VALUE | CREDITED, bytesOf(64 * 1024))
const fragment = message(FRAGMENT | CREDITED, Buffer.concat([Buffer.of(0), u32(1024 * MiB), Buffer.alloc(MiB)]))
const tinyOfMany = Buffer.concat([message(VALUE | CREDITED, bytesOf(1)), message(LEFT, Buffer.alloc(16 * 1024))])

const ofConnections: Record<string, (i: number) => Buffer | Raw> = {
  values: () => value,
  'values that are said to count for nothing': () => message(VALUE, bytesOf(64 * 1024)),
  'empty values': () => many(message(VALUE | CREDITED, Buffer.from('00c0', 'hex')), 64 * 1024),
  'tiny values, each in a frame of 16 KiB': () => tinyOfMany,
  'a message of 1 GiB in fragments': () => fragment,
  'buffers beside a frame that does not come': () => ({
    raw: Buffer.concat([u32(0x8000_0000 + MiB), Buffer.alloc(MiB)]),
  }),
  'empty buffers beside a frame that does not come': () => ({ raw: many(u32(0x8000_0000), 64 * 1024) }),
}

describe('a peer that knows the key, and floods a connection', () => {
  for (const [what, next] of Object.entries(ofConnections)) {
    for (const state of ['not accepted', 'opened'] as const) {
      it(`${state}, with ${what}: is cut off, and has filled no more than its window`, { timeout: 60_000 }, async ({
        expect,
      }) => {
        await using listener = await listen({ authKey: KEY })
        const client = await introduce(listener.address, Buffer.of(0))
        let connection: Connection | undefined
        if (state === 'opened') {
          connection = await within(listener.accept(), 'accept')
          await connection.send('hello')
        }
        expect(await flood(client, next)).toBeLessThan(2 * WINDOW + NOISE)
        connection ??= await within(listener.accept(), 'accept')
        const end = (async () => {
          for (;;) await connection.recv()
        })().catch(error => error.code)
        expect(await within(end, 'the end')).toBe('MP_DECODE')
        await connection.close()
        await stillGood(listener)
      })
    }
  }

  it('announces more than it may at its end, and is cut off', { timeout: 60_000 }, async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const client = await introduce(listener.address, Buffer.of(0))
    client.send(message(BEYOND))
    expect(await flood(client, i => (i % 100 === 0 ? message(BEYOND) : value))).toBeLessThan(68 * MiB + NOISE)
    await stillGood(listener)
  })
})

/** The next 1,024 calls. */
function calls(type: number, frame: number): Buffer {
  return Buffer.concat(Array.from({ length: 1024 }, (_, i) => message(type, u32(frame * 1024 + i, 0))))
}

const ofQueues: Record<string, (i: number) => Buffer | Raw> = {
  'items without a slot': () => message(FILL, bytesOf(64 * 1024)),
  'items, as if the queue were unbounded': () => message(PUT | CREDITED, bytesOf(64 * 1024)),
  'an item of 1 GiB in fragments, without a slot': () => fragment,
  'calls that wait': i => calls(RESERVE, i),
  'calls that wait, all of one number': () => many(message(RESERVE, u32(7, 0)), 4096),
  'calls that wait for an item': i => calls(WATCH, i),
  'questions, and reads no answer': i => calls(QUERY, i),
  'calls to settle, and reads no answer': i => calls(SETTLE, i),
}

describe('a peer that knows the key, and floods a served queue', () => {
  for (const [what, next] of Object.entries(ofQueues)) {
    it(`with ${what}: is cut off, and others go on`, { timeout: 60_000 }, async ({ expect }) => {
      await using listener = await listen({ authKey: KEY })
      const queue = new Queue<string>(2)
      void listener.serve({ queue })
      const client = await introduce(listener.address, Buffer.concat([Buffer.of(1), Buffer.from('queue')]))
      await client.frame(2)
      const isDeaf = what.endsWith('reads no answer')
      if (isDeaf) client.socket.pause()
      if (what.startsWith('calls that wait')) for (const item of ['first', 'second']) await queue.put(item)
      if (what.endsWith('for an item')) await Promise.all([queue.get(), queue.get()])
      expect(await flood(client, next, isDeaf ? 24 * MiB : FLOOD)).toBeLessThan(2 * WINDOW + NOISE)
      while ((await queue.qsize()) > 0) await within(queue.get(), 'get')
      await queue.put('fine')
      expect(await within(queue.get(), 'get')).toBe('fine')
      await stillGood(listener)
    })
  }
})
