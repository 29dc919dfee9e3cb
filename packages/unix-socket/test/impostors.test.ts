import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { within } from '@mp/conformance'
import { connect, openQueue } from '@mp/unix-socket'
import { describe, it, onTestFinished } from 'vitest'
import { KEY, proof } from './handshake.js'
import { RawClient } from './raw-client.js'

/** A connection, as the server sees it, once the client has answered the challenge. */
interface Met {
  readonly client: RawClient
  readonly challenge: Uint8Array
  readonly nonce: Uint8Array
}

/** Listens at an address of its own, in the place of a Listener. Gives the address. */
async function impostor(meet: (client: RawClient) => unknown): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'impostors-test-'))
  const address = join(folder, 'socket')
  const server = createServer(socket => void meet(new RawClient(socket)))
  await new Promise<void>(resolve => server.listen(address, resolve))
  onTestFinished(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return address
}

/** Challenges the client, and waits for its answer, which is right. */
async function challenge(client: RawClient, challenge: Uint8Array = randomBytes(32)): Promise<Met> {
  client.send(Buffer.concat([Buffer.from('mp1'), challenge]))
  const answer = await client.frame(0)
  const nonce = answer.subarray(0, 32)
  if (!answer.subarray(32).equals(proof('client', challenge, nonce)))
    throw new Error('the client does not know the key')
  return { client, challenge, nonce }
}

const options = { authKey: KEY }
const ways = [
  ['connect', (address: string) => connect(address, options)],
  ['openQueue', (address: string) => openQueue(address, 'queue', options)],
] as const

/** What the call rejects with: its code, or that it resolved. */
function refusal(call: Promise<unknown>, ms?: number): Promise<string> {
  const settled = call.then(
    () => 'resolved',
    error => error.code,
  )
  return within(settled, 'a refusal', ms)
}

describe.each(ways)('a client (%s)', (_, call) => {
  it('refuses a server that does not know the key, and tells it nothing more', async ({ expect }) => {
    const wrong: ((met: Met) => Uint8Array)[] = [
      () => randomBytes(32),
      ({ challenge, nonce }) => proof('server', challenge, nonce, 'another key'),
      // What the client has shown itself.
      ({ client }) => (client.frames[0] as Buffer).subarray(32),
      ({ challenge, nonce }) => proof('server', nonce, challenge),
      ({ challenge, nonce }) => proof('server', challenge, nonce).subarray(0, 31),
      ({ challenge, nonce }) => Buffer.concat([proof('server', challenge, nonce), Buffer.of(0)]),
      () => Buffer.of(0),
    ]
    for (const [index, answer] of wrong.entries()) {
      const clients: RawClient[] = []
      const address = await impostor(async client => {
        clients.push(client)
        client.send(answer(await challenge(client)))
      })
      expect([index, await refusal(call(address))]).toEqual([index, 'MP_AUTH'])
      await clients[0]?.cutOff(2_000)
      expect(clients[0]?.frames.length).toBe(1)
    }
  })

  it('is not taken in by a proof that was good for an earlier connection', async ({ expect }) => {
    const earlier: Met[] = []
    const address = await impostor(async client => {
      const [recorded] = earlier
      const met = await challenge(client, recorded?.challenge)
      earlier.push(met)
      const { challenge: theirs, nonce } = recorded ?? met
      client.send(proof('server', theirs, nonce))
      // The client is known, and hears no more.
      if (!recorded) await client.frame(1).then(() => client.socket.destroy())
    })
    await call(address).then(
      each => each.close(),
      () => {},
    )
    expect(earlier.length).toBe(1)
    expect(await refusal(call(address))).toBe('MP_AUTH')
  })

  it('refuses a server of another version, and what is no Listener', async ({ expect }) => {
    const greetings = [
      Buffer.concat([Buffer.from('mp2'), randomBytes(32)]),
      Buffer.concat([Buffer.from('mp1'), randomBytes(31)]),
      Buffer.from('220 mail.example.org ESMTP'),
    ]
    for (const greeting of greetings) {
      const clients: RawClient[] = []
      const address = await impostor(client => {
        clients.push(client)
        client.send(greeting)
      })
      expect(await refusal(call(address))).toBe('MP_AUTH')
      await clients[0]?.cutOff(2_000)
      expect(clients[0]?.frames.length).toBe(0)
    }
  })

  it('gives a server up that is silent or hangs up before it has shown the key', async ({ expect }) => {
    const silent = await impostor(() => {})
    const halfway = await impostor(challenge)
    const hangUp = await impostor(client => client.socket.end())
    const hangUpHalfway = await impostor(async client => {
      await challenge(client)
      client.socket.end()
    })
    const refusals = [silent, halfway, hangUp, hangUpHalfway].map(address => refusal(call(address), 9_000))
    expect(await Promise.all(refusals)).toEqual(['MP_BUSY', 'MP_BUSY', 'MP_BUSY', 'MP_AUTH'])
  }, 15_000)
})

it('who opens a queue hears that the listener was closed once both know each other', async ({ expect }) => {
  const address = await impostor(async client => {
    const { challenge: theirs, nonce } = await challenge(client)
    client.send(proof('server', theirs, nonce))
    await client.frame(1)
    client.socket.end()
  })
  expect(await refusal(openQueue(address, 'queue', options))).toBe('MP_CLOSED')
})
