import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, patiently, within } from '@mp/conformance'
import { type Connection, connect, type Listener, listen, openQueue, Pipe, Process, Queue } from '@mp/unix-socket'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CONTEXT, control, OPEN } from '../src/control.js'
import { KEY, proof } from './handshake.js'
import { RawClient } from './raw-client.js'
import { target } from './target.js'

/** Does what a good client does before its request. */
async function introduce(address: string): Promise<RawClient> {
  const client = new RawClient(address)
  const challenge = (await client.frame(0)).subarray(3)
  const nonce = randomBytes(32)
  client.send(Buffer.concat([nonce, proof('client', challenge, nonce)]))
  const answer = await client.frame(1)
  if (!answer.equals(proof('server', challenge, nonce))) throw new Error('the server does not know the key')
  return client
}

async function stillGood(listener: Listener): Promise<void> {
  const [here, there] = await within(
    Promise.all([listener.accept(), connect(listener.address, { authKey: KEY })]),
    'a good client',
    4_000,
  )
  await there.send('good')
  if ((await within(here.recv(), 'recv')) !== 'good') throw new Error('a good client is not heard')
  await Promise.all([here.close(), there.close()])
}

describe('a listener', () => {
  it('is not taken in by its own challenge, reflected, or by an answer to an earlier one', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const first = new RawClient(listener.address)
    const challenge = (await first.frame(0)).subarray(3)
    const nonce = randomBytes(32)
    const answer = Buffer.concat([nonce, proof('client', challenge, nonce)])
    first.send(answer)
    const theirProof = await first.frame(1)
    // Replay: the same answer to another challenge.
    const refusals: Promise<unknown>[] = []
    const refused = () => {
      refusals.push(listener.accept().catch(error => error.code))
      return new RawClient(listener.address)
    }
    const replay = refused()
    expect((await replay.frame(0)).subarray(3)).not.toEqual(challenge)
    replay.send(answer)
    await replay.cutOff()
    // Reflection: the client sends back what the server said.
    const reflection = refused()
    const theirs = (await reflection.frame(0)).subarray(3)
    reflection.send(Buffer.concat([theirs, proof('server', theirs, theirs)]))
    await reflection.cutOff()
    const echo = refused()
    await echo.frame(0)
    echo.send(Buffer.concat([nonce, theirProof]))
    await echo.cutOff()
    expect(await within(Promise.all(refusals), 'refusals')).toEqual(['MP_AUTH', 'MP_AUTH', 'MP_AUTH'])
    await stillGood(listener)
  })

  it('cuts off at once who sends too much, or something else, before it is known', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const long = Buffer.alloc(4)
    long.writeUInt32LE(257)
    const attempts = [
      long,
      Buffer.from('ffffffff', 'hex'),
      Buffer.from('00000000', 'hex'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('0100000001', 'hex'),
    ]
    const before = process.memoryUsage().rss
    for (const bytes of attempts) {
      const client = new RawClient(listener.address)
      await client.frame(0)
      client.socket.write(bytes)
      await client.cutOff(2_000)
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20)
    await stillGood(listener)
  })

  it(
    'cuts off 500 that send a byte a second, within 5 s, and hears a good one meanwhile',
    async ({ expect }) => {
      await using listener = await listen({ authKey: KEY })
      const started = performance.now()
      const slow = Array.from({ length: 500 }, () => new RawClient(listener.address))
      const header = Buffer.alloc(4)
      header.writeUInt32LE(64)
      for (const client of slow) client.socket.write(header)
      const timer = setInterval(() => {
        for (const client of slow) if (!client.closed) client.socket.write(Buffer.of(1))
      }, 1_000)
      try {
        await stillGood(listener)
        expect(performance.now() - started).toBeLessThan(4_000)
        await within(Promise.all(slow.map(client => client.cutOff())), 'the cuts', 9_000)
        expect(performance.now() - started).toBeGreaterThan(4_500)
      } finally {
        clearInterval(timer)
      }
      await stillGood(listener)
    },
    patiently(15_000),
  )

  it('keeps 1,000 that have not shown the key, and cuts off the oldest for one more', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const strangers: RawClient[] = []
    const connect = async (count: number) => {
      const more = Array.from({ length: count }, () => new RawClient(listener.address))
      strangers.push(...more)
      await Promise.all(more.map(each => each.frame(0)))
    }
    await connect(1)
    // In portions: the system's queue of connections is limited.
    for (let i = 0; i < 9; i++) await connect(111)
    expect(strangers.filter(each => each.closed).length).toBe(0)
    await connect(1)
    await strangers[0]?.cutOff(2_000)
    expect(strangers.filter(each => each.closed).length).toBe(1)
  })

  it('keeps 64 refusals that nobody asks for', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    for (let i = 0; i < 80; i++) {
      const client = new RawClient(listener.address)
      await client.frame(0)
      client.send(randomBytes(64))
      await client.cutOff(2_000)
    }
    let refusals = 0
    const next = () => listener.accept({ timeout: 20 }).catch(error => error.code)
    for (let code = await next(); code === 'MP_AUTH'; code = await next()) refusals++
    expect(refusals).toBe(64)
    await stillGood(listener)
  })

  it('cuts off, when it closes, who has not shown the key, and who was not accepted', async ({ expect }) => {
    const listener = await listen({ authKey: KEY })
    const silent = new RawClient(listener.address)
    await silent.frame(0)
    const known = await introduce(listener.address)
    await using waiting = await connect(listener.address, { authKey: KEY })
    // What came before it was read before this is answered.
    const unknown = await openQueue(listener.address, 'none', { authKey: KEY }).catch(error => error.code)
    expect(unknown).toBe('MP_INVALID_STATE')
    await listener.close()
    await Promise.all([silent, known].map(each => each.cutOff(2_000)))
    expect(
      await within(
        waiting.recv().catch(error => error.code),
        'recv',
      ),
    ).toBe('MP_EOF')
  })

  it('cuts off who is known, and sends more than is read, beyond what he may', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    // A message that counts against the window: 64 KiB of bytes.
    const value = Buffer.concat([Buffer.from('500100010002', 'hex'), Buffer.alloc(64 * 1024)])
    for (const announced of [false, true]) {
      const accepted = listener.accept()
      const client = await introduce(listener.address)
      client.send(Buffer.from([0]))
      const connection = await within(accepted, 'accept')
      // The first poll opens it; nothing is read.
      await connection.poll()
      if (announced) client.send(Buffer.from([6, 0, 0, 0, 0]))
      for (let sent = 0; sent < 512 * 2 ** 20 && !client.closed; sent += value.length) {
        client.send(value)
        if (client.socket.writableLength > 2 ** 20) await new Promise(resolve => setTimeout(resolve, 1))
      }
      await client.cutOff(5_000)
      let read = 0
      const end = await (async () => {
        for (;;) read += (await connection.recvBytes()).length
      })().catch(error => error.code)
      expect(end).toBe('MP_DECODE')
      expect(read).toBeGreaterThan(3 * 2 ** 20)
      expect(read).toBeLessThan((announced ? 72 : 5) * 2 ** 20)
      await connection.close()
    }
    await stillGood(listener)
  })

  it('closes a connection whose frames make no sense, with MP_DECODE, and nothing else', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const hostile = [
      Buffer.from('ff', 'hex'),
      // A message that is longer than its frame.
      Buffer.from('50ffffff7f00', 'hex'),
      // A value that is no value.
      Buffer.from('5004000000deadbeef', 'hex'),
      // A move, to the end of a wire that did not come with it.
      Buffer.from('0300000000', 'hex'),
      // A message of another kind.
      Buffer.from('7f00000000', 'hex'),
      // A table of parcels: attachments 0, length 1, something.
      Buffer.from('d0000000000000000001000000c0', 'hex'),
    ]
    for (const bytes of hostile) {
      const client = await introduce(listener.address)
      client.send(Buffer.of(0))
      const connection = await within(listener.accept(), 'accept')
      const received = connection.recv().catch(error => error.code)
      client.send(bytes)
      expect([await within(received, 'recv'), bytes.toString('hex')]).toEqual(['MP_DECODE', bytes.toString('hex')])
      await connection.close()
    }
    await stillGood(listener)
  })

  it('tells once that the stream broke, and the end of file after that: a loop that skips bad messages ends', async ({
    expect,
  }) => {
    await using listener = await listen({ authKey: KEY })
    const badThenBroken = Buffer.from('5004000000deadbeef' + '7f00000000', 'hex')
    const broken = { code: 'MP_EOF', cause: { code: 'MP_DECODE' } }
    for (const take of ['recv', 'recvBytes', 'for await', 'three at once'] as const) {
      const client = await introduce(listener.address)
      client.send(Buffer.of(0))
      const connection = await within(listener.accept(), 'accept')
      await connection.poll()
      client.send(badThenBroken)
      const skipped: string[] = []
      if (take === 'three at once') {
        const calls = [connection.recv(), connection.recv(), connection.recv()]
        const settled = await within(Promise.allSettled(calls), 'recv')
        skipped.push(...settled.map(each => each.status === 'rejected' && each.reason.code))
        expect(skipped.splice(2)).toEqual(['MP_EOF'])
      } else {
        const loop = async () => {
          for (;;) {
            try {
              if (take === 'for await') for await (const value of connection) return value
              else await connection[take]()
              return 'over'
            } catch (error) {
              const { code } = error as { code: string }
              if (code !== 'MP_DECODE' || skipped.push(code) > 2) return error
              if (take === 'recvBytes' && skipped.length === 1) await connection.recv().catch(() => {})
            }
          }
        }
        const end = await within(loop(), take)
        if (take === 'for await') expect(end).toBe('over')
        else expect(end).toMatchObject(broken)
      }
      expect([take, skipped]).toEqual([take, ['MP_DECODE', 'MP_DECODE']])
      expect(await connection.poll()).toBe(true)
      await expect(within(connection.recv(), 'recv')).rejects.toMatchObject(broken)
      await expect(within(connection.send(1), 'send')).rejects.toMatchObject({ code: 'MP_BROKEN_PIPE' })
      await connection.close()
    }
    await stillGood(listener)
  })

  it('lets a holder of a served queue do no harm beyond that queue', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const queue = new Queue<string>()
    void listener.serve({ queue })
    const hostile = [
      // JOIN, with and without the end of a wire; FILL without a slot; something unknown.
      Buffer.from('1900000000', 'hex'),
      Buffer.from('9900000000000000001800000091 81a67469636b6574 a13f'.replaceAll(' ', ''), 'hex'),
      Buffer.from('1204000000a3616263', 'hex'),
      Buffer.from('7f00000000', 'hex'),
      Buffer.from('0300000000', 'hex'),
    ]
    for (const bytes of hostile) {
      const client = await introduce(listener.address)
      client.send(Buffer.concat([Buffer.of(1), Buffer.from('queue')]))
      await client.frame(2)
      client.send(bytes)
      await client.cutOff(2_000)
    }
    await queue.put('fine')
    expect(await within(queue.get(), 'get')).toBe('fine')
    await stillGood(listener)
  })

  it('lets no holder of a bounded queue put beyond its bound', async ({ expect }) => {
    await using listener = await listen({ authKey: KEY })
    const queue = new Queue<string>(1)
    void listener.serve({ queue })
    const client = await introduce(listener.address)
    client.send(Buffer.concat([Buffer.of(1), Buffer.from('queue')]))
    await client.frame(2)
    // PUT, which is for unbounded queues.
    client.send(Buffer.from('1004000000a3616263', 'hex'))
    await client.cutOff(2_000)
    expect(await queue.qsize()).toBe(0)
  })
})

describe('the sockets between the contexts of a program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unix-socket-test-'))
  const before = process.env.TMPDIR

  beforeAll(() => {
    process.env.TMPDIR = folder
  })

  afterAll(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(folder, { recursive: true, force: true })
  })

  function sockets(): string[] {
    return readdirSync(folder).flatMap(each => readdirSync(join(folder, each)).map(name => join(folder, each, name)))
  }

  it(
    'are for this user only, and cut off who does not know the program',
    async ({ expect }) => {
      const [a, b] = Pipe()
      const [c, d] = Pipe()
      const [orders, ordersEnd] = Pipe()
      const children = [
        new Process({ target: target('echo') as never, args: [b] }),
        new Process({ target: target('trips') as never, args: [a, ordersEnd] }),
      ]
      for (const child of children) await within(child.start(), 'start')
      await orders.send(10)
      await within(orders.recv(), 'trips')
      await eventually(() => sockets().length === 2, 'the rendezvous, and the socket of one of the two')
      const silent = sockets().map(path => new RawClient(path))
      const end = { token: randomBytes(16).toString('hex'), end: 0, hops: 0 } as const
      for (const path of sockets()) {
        expect(statSync(path).mode & 0o777).toBe(0o600)
        expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
        // The last two are as they should be, but for the secret.
        const wrong = [OPEN, CONTEXT].map(what => control(randomBytes(16), what, end))
        for (const frame of [Buffer.alloc(34), Buffer.alloc(50, 7), Buffer.alloc(257), ...wrong]) {
          const client = new RawClient(path)
          client.send(frame)
          await client.cutOff(2_000)
        }
      }
      await Promise.all(silent.map(each => each.cutOff(7_000)))
      await orders.send(10)
      await within(orders.recv(), 'more trips')
      await Promise.all([orders, c, d].map((each: Connection) => each.close()))
      for (const child of children) await within(child.join(), 'join')
      // A child takes its socket with it.
      expect(sockets().length).toBe(1)
    },
    patiently(25_000),
  )
})
