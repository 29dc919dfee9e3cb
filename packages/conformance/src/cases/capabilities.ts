import assert from 'node:assert/strict'
import { MessageChannel } from 'node:worker_threads'
import { type BoundContext, createContext } from '@mp/core'
import type { Capabilities } from '@mp/core/spi'
import { group } from '../case.js'
import { within } from '../harness.js'
import * as targets from '../targets-capabilities.js'
import type { Trial } from '../trial.js'

/** ms to wait for what never comes if the medium cannot do it. */
const PATIENCE = 1_000

/**
 * A declared capability works, and one that works is declared, since cases, types and documentation depend on it. To see what a
 * medium can do beyond what its transport declares, a case tells the parent's core that it can.
 */
export const capabilities = group('Capabilities are what they say', {
  'the declaration is frozen plain data': async ({ transport }) => {
    assert.ok(Object.isFrozen(transport.capabilities), 'capabilities are frozen')
    assert.deepEqual(JSON.parse(JSON.stringify(transport.capabilities)), { ...transport.capabilities })
  },

  'isolation and reach: a child runs where they say': async t => {
    const marker = `@mp/conformance.${Math.random()}`
    const realm = globalThis as { [key: symbol]: unknown }
    realm[Symbol.for(marker)] = true
    const { pid, marked } = await t.run(targets.whereItRuns, marker)
    delete realm[Symbol.for(marker)]
    const seen = marked ? 'none' : pid === process.pid ? 'thread' : 'process'
    assert.equal(t.capabilities.isolation, seen)
    assert.equal(t.capabilities.reach === 'thread', seen !== 'process', 'reach agrees with isolation')
  },

  'signals: the pid of a child is that of a process of its own, or of none': async t => {
    const [, theirs] = t.pipe()
    const child = await t.start(targets.answerByPort, [theirs])
    const signal = (sent: NodeJS.Signals | 0) => {
      try {
        return process.kill(child.pid as number, sent)
      } catch {
        return false
      }
    }
    assert.equal(signal(0), t.capabilities.isolation === 'process')
    if (t.capabilities.isolation === 'process') signal('SIGKILL')
    else child.kill()
    await t.ends(child, -9)
  },

  'attachments: live objects ride beside a frame, or cannot': async t => {
    const works = await attachmentsRide(t, told(t, { attachments: true }))
    assert.equal(works, t.capabilities.attachments)
  },

  'sharedMemory: a SharedArrayBuffer is the same memory at the other side, or cannot travel': async t => {
    const works = await memoryIsShared(t, told(t, { attachments: true, sharedMemory: true }))
    assert.equal(works, t.capabilities.sharedMemory)
  },

  'sync: blocking calls are there and work, or are not there': async t => {
    const queue = new t.api.Queue<string>()
    assert.equal(offersSync(queue), t.capabilities.sync)
    if (!t.capabilities.sync) return
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.getBlocking, [queue as never, theirs])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    await queue.put('at last')
    assert.equal(await within(child.result(), 'result'), 'at last')
    await t.ends(child)
  },

  'network: listen() and connect() are there, or are not': async ({ transport, api }) => {
    const offered = (transport as { network?: unknown }).network !== undefined
    assert.equal(offered, transport.capabilities.network, 'transport.network')
    if (!offered) return
    const { listen, connect } = api as { listen?: unknown; connect?: unknown }
    assert.deepEqual([typeof listen, typeof connect], ['function', 'function'])
  },
})

/** A context whose core believes that the transport can do more. */
function told({ transport }: Trial, more: Partial<Capabilities>): BoundContext {
  return createContext({ ...transport, capabilities: { ...transport.capabilities, ...more } })
}

async function attachmentsRide(t: Trial, { Pipe, Process }: BoundContext): Promise<boolean> {
  const [mine, theirs] = Pipe()
  const child = new Process({ target: targets.answerByPort, args: [theirs], stdio: 'ignore' })
  const { port1, port2 } = new MessageChannel()
  const answered = new Promise<boolean>(resolve => {
    port2.once('message', message => resolve(message === 'through the port'))
    port2.once('close', () => resolve(false))
  })
  const failed = Promise.all([child.start(), mine.send({ port: port1 }, { transfer: [port1] })])
    .then(() => child.result())
    .then(
      () => new Promise<never>(() => {}),
      () => false,
    )
  try {
    return await Promise.race([answered, failed, timeout()])
  } finally {
    port1.close()
    port2.close()
    await mine.close()
    await endOf(t, child)
  }
}

async function memoryIsShared(t: Trial, { Process }: BoundContext): Promise<boolean> {
  const shared = new Int32Array(new SharedArrayBuffer(4))
  const child = new Process({ target: targets.addOne, args: [shared], stdio: 'ignore' })
  await Promise.race([child.start().then(() => child.result()), timeout()]).catch(() => {})
  await endOf(t, child)
  return shared[0] === 1
}

async function endOf(t: Trial, child: { join(): Promise<unknown>; kill(): void; isAlive(): boolean }): Promise<void> {
  if (child.isAlive()) child.kill()
  await within(
    child.join().catch(() => {}),
    `the end of a child of ${t.transport.name}`,
  )
}

function timeout(): Promise<false> {
  return new Promise(resolve => setTimeout(resolve, PATIENCE, false).unref())
}

/** Whether the blocking calls are offered. They are not if they are absent, or throw MP_NOT_SUPPORTED. */
function offersSync(queue: object): boolean {
  const { getSync } = queue as { getSync?: (options: { timeout: number }) => unknown }
  if (typeof getSync !== 'function') return false
  try {
    getSync.call(queue, { timeout: 0 })
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'MP_NOT_SUPPORTED'
  }
}
