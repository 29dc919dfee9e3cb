import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { registerHandles } from '../src/boot/register-handles.js'
import { SETTLE, SETTLED } from '../src/broker/protocol.js'
import { Context } from '../src/context/context.js'
import { MpError } from '../src/errors.js'
import { Link, type Message } from '../src/link/link.js'
import { type End, open, pair } from '../src/link/wire-end.js'
import type { Connection } from '../src/pipe/connection.js'
import { linkedConnection, makePipe } from '../src/pipe/pipe.js'
import { JoinableQueue } from '../src/queue/joinable-queue.js'
import { PUT } from '../src/queue/protocol.js'
import { Queue } from '../src/queue/queue.js'
import { RemoteQueue } from '../src/queue/remote.js'
import { appendU32, readU32 } from '../src/runtime/byte-buffer.js'
import { type Guard, Lock } from '../src/semaphore/lock.js'
import { makeSemaphore } from '../src/semaphore/open.js'
import { stubTransport } from './stub-transport.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
registerHandles()

const MIB = 1024 * 1024
const transport = stubTransport({ reach: 'thread', isolation: 'none' })

/** Collects garbage, so often that all that follows from it has happened. */
async function collect(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    gc()
    for (let turn = 0; turn < 10; turn++) await nextTurn()
  }
}

async function collectUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await collect()
}

async function collectUntilSettled<T>(promise: Promise<T>): Promise<T> {
  let settled = false
  const settle = () => {
    settled = true
  }
  promise.then(settle, settle)
  await collectUntil(() => settled)
  return promise
}

function context(id: string): Context {
  return new Context({ id, name: id, pid: 1, daemon: false, path: [] }, null)
}

/** Two contexts, and a pipe from one to the other. */
function twoContexts() {
  const here = context('here')
  const there = context('there')
  const [a, b] = pair(transport)
  const mine: Connection = linkedConnection(here, transport, { first: true, readable: true, writable: true }, a)
  const theirs: Connection = linkedConnection(there, transport, { first: false, readable: true, writable: true }, b)
  return { here, there, mine, theirs }
}

/** Hands a queue or a lock over; gives it as the other context has it. */
async function handOver<H>(mine: Connection, theirs: Connection, handle: H): Promise<H> {
  await mine.send({ handle })
  return ((await theirs.recv()) as { handle: H }).handle
}

/** The home of an unbounded queue, which gives no credit and no answer by itself. */
function silentHome() {
  const [near, far] = pair(transport)
  const home = {
    far,
    puts: [] as Message[],
    calls: [] as number[],
    closed: false,
    link: new Link(open(near, transport), transport, {
      message(message) {
        if (message.type === PUT) home.puts.push(message)
        else if (message.type === SETTLE) home.calls.push(readU32(message.bytes, message.start))
      },
      closed() {
        home.closed = true
      },
      lost: () => new MpError('MP_CLOSED', 'lost'),
    }),
  }
  return { home, there: context('there') }
}

function queueOf(there: Context, { far }: { far: End }) {
  const packed = { id: 'queue', maxsize: 0, shutDown: false, end: 0 }
  const backend = new RemoteQueue(there, transport, packed, open(far, transport)).use()
  return { queue: new Queue(there, transport, backend), backend }
}

const EOF = { code: 'MP_EOF' }

describe('the end of a pipe', () => {
  it('is freed after its calls have given up', async () => {
    const use = async () => {
      const { here, mine, theirs } = twoContexts()
      await mine.recv({ timeout: 1 }).catch(() => {})
      await mine.poll(1)
      return { here, theirs }
    }
    const { here, theirs } = await use()
    expect(here.links.size).toBe(1)
    await collectUntil(() => here.links.size === 0)
    await expect(theirs.recv()).rejects.toMatchObject(EOF)
  })

  it('stays while a call of it waits', async () => {
    const use = () => {
      const { mine, theirs } = twoContexts()
      return { theirs, word: mine.recv() }
    }
    const { theirs, word } = use()
    await collect()
    await theirs.send('a word')
    expect(await word).toBe('a word')
    await expect(collectUntilSettled(theirs.recv())).rejects.toMatchObject(EOF)
  })

  it('closes when the other end has made room for what waits, and takes what that end sends meanwhile', async () => {
    const use = async () => {
      const { here, mine, theirs } = twoContexts()
      let gone = 0
      for (let i = 0; i < 12; i++) {
        void mine.send(new Uint8Array(MIB).fill(i)).then(() => {
          gone++
        })
      }
      await theirs.send('unread')
      return { here, theirs, gone: () => gone }
    }
    const { here, theirs, gone } = await use()
    await collect()
    expect(gone()).toBeLessThan(8)
    // More than its window takes: nobody reads it, and nobody has to wait for that.
    for (let i = 0; i < 8; i++) await theirs.send(new Uint8Array(MIB))
    for (let i = 0; i < 12; i++) expect(((await theirs.recv()) as Uint8Array)[0]).toBe(i)
    await expect(theirs.recv()).rejects.toMatchObject(EOF)
    expect([gone(), here.links.size]).toEqual([12, 0])
  })

  it('that has moved on stays open where it is', async () => {
    const { theirs, other } = await (async () => {
      const { here, mine, theirs } = twoContexts()
      const [near, far] = makePipe<string, string>(here, transport)
      await near.send('first')
      // It was used, so it moves by a handshake.
      await far.send('back')
      expect(await far.recv()).toBe('first')
      await mine.send({ handle: far })
      return { theirs, other: near }
    })()
    await collect()
    const { handle } = (await theirs.recv()) as { handle: Connection }
    await collect()
    await handle.send('from there')
    expect([await other.recv(), await other.recv()]).toEqual(['back', 'from there'])
    await other.close()
    await expect(handle.recv()).rejects.toMatchObject(EOF)
  })
})

describe('a queue', () => {
  it('gives up its link, and its home goes, when nobody has it', async () => {
    const use = async () => {
      const { here, there, mine, theirs } = twoContexts()
      const queue = new Queue<number>(here, transport, 0)
      const remote = await handOver(mine, theirs, queue)
      await remote.put(1)
      expect(await queue.get()).toBe(1)
      expect([here.homes.size, there.remotes.size]).toEqual([1, 1])
      return { here, there, pipe: [mine, theirs] }
    }
    const { here, there, pipe } = await use()
    await collectUntil(() => here.homes.size + there.remotes.size === 0)
    expect([here.links.size, there.links.size]).toEqual([1, 1])
    for (const end of pipe) await end.close()
  })

  it('stays while one of several handles is there, and arrives anew after that', async () => {
    const { there, mine, theirs, ...others } = twoContexts()
    const queue = new Queue<number>(others.here, transport, 0)
    const use = async () => {
      const first = await handOver(mine, theirs, queue)
      const second = await handOver(mine, theirs, queue)
      await first.put(1)
      return second
    }
    const useAgain = async () => {
      const second = await use()
      await collect()
      await second.put(2)
      expect([await queue.get(), await queue.get()]).toEqual([1, 2])
    }
    await useAgain()
    await collectUntil(() => there.remotes.size === 0)
    await useAgain()
    await queue.close()
  })

  it('loses no item when its own handle goes first', async () => {
    const use = async () => {
      const { mine, theirs, here } = twoContexts()
      const queue = new Queue<number>(here, transport, 0)
      for (let i = 0; i < 10; i++) await queue.put(i)
      return { here, remote: await handOver(mine, theirs, queue) }
    }
    const { here, remote } = await use()
    await collect()
    for (let i = 0; i < 10; i++) expect(await remote.get()).toBe(i)
    await remote.close()
    await collectUntil(() => here.homes.size === 0)
  })

  it('delivers puts that wait for the window, and answers what waits, before its link closes', async () => {
    const use = async () => {
      const { there, here, mine, theirs } = twoContexts()
      const queue = new JoinableQueue<Uint8Array>(here, transport, 0)
      const remote = await handOver(mine, theirs, queue)
      await remote.put(new Uint8Array(1))
      await queue.get()
      const done = remote.taskDone()
      for (let i = 0; i < 12; i++) remote.put(new Uint8Array(MIB).fill(i)).catch(() => {})
      return { there, queue, done }
    }
    const { there, queue, done } = await use()
    await done
    await collectUntil(() => there.remotes.size === 0)
    for (let i = 0; i < 12; i++) expect((await queue.get())[0]).toBe(i)
    await queue.close()
  })

  it('does not count a handle again that was closed before it was collected', async () => {
    const { here, mine, theirs } = twoContexts()
    const queue = new Queue<number>(here, transport, 0)
    const closeOne = async () => {
      const first = await handOver(mine, theirs, queue)
      await first.close()
    }
    const remote = await handOver(mine, theirs, queue)
    await closeOne()
    await collect()
    await remote.put(1)
    expect(await queue.get()).toBe(1)
    for (const each of [remote, queue, mine]) await each.close()
  })

  it('settles the calls that home has not answered when it closes', async () => {
    const { home, there } = silentHome()
    const { queue, backend } = queueOf(there, home)
    const joinable = new JoinableQueue(there, transport, backend.use())
    const done = joinable.taskDone()
    const settled = backend.settled()
    await joinable.close()
    await queue.close()
    await expect(done).rejects.toMatchObject({ code: 'MP_CLOSED' })
    await settled
  })

  it('sends what waits for the window only as its home reads, and then closes its link', async () => {
    const { home, there } = silentHome()
    const use = () => {
      const { queue } = queueOf(there, home)
      for (let i = 0; i < 12; i++) queue.put(new Uint8Array(MIB)).catch(() => {})
    }
    use()
    await collect()
    expect(home.puts.length).toBeLessThan(8)
    for (let given = 0; given < 12; await nextTurn()) {
      for (; given < home.puts.length; given++) home.link.credit((home.puts[given] as Message).cost)
    }
    await collectUntil(() => home.closed)
    expect(home.puts.length).toBe(12)
  })

  it('closes its link after the last answer: a context that ends waits for one', async () => {
    const { home, there } = silentHome()
    const settled = (() => queueOf(there, home).backend.settled())()
    await collect()
    expect(home.closed).toBe(false)
    const [call] = home.calls as [number]
    home.link.control(SETTLED, out => appendU32(out, call))
    home.link.flush()
    await settled
    await collectUntil(() => home.closed)
  })

  it.each([true, false])('closes the pipes in its items when nobody can get them (closed: %s)', async closes => {
    const use = async () => {
      const { here, mine, theirs } = twoContexts()
      const [near, far] = makePipe(here, transport)
      const queue = new Queue(here, transport, 0)
      const remote = await handOver(mine, theirs, queue)
      await remote.close()
      await queue.put({ far })
      if (closes) await queue.close()
      return near
    }
    const near = await use()
    await expect(collectUntilSettled(near.recv())).rejects.toMatchObject(EOF)
  })
})

describe('a lock', () => {
  it.each(['here', 'there'] as const)('stays held by a guard, and then goes (held %s)', async where => {
    const contexts = twoContexts()
    const { here, there, mine, theirs } = contexts
    const use = async (): Promise<Guard> => {
      const lock = new Lock(transport, makeSemaphore(here, transport, 1, 1))
      const remote = await handOver(mine, theirs, lock)
      return (where === 'here' ? lock : remote).acquire()
    }
    const release = async () => {
      const guard = await use()
      await collect()
      if (where === 'there') expect([here.homes.size, there.remotes.size]).toEqual([1, 1])
      await guard.release()
    }
    await release()
    await collectUntil(() => here.homes.size + there.remotes.size === 0)
    await mine.close()
  })
})
