import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection, Queue } from '@mp/core'
import { group } from '../case.js'
import { collectGarbage, type Footprint, footprint } from '../garbage.js'
import { eventually, rejects, within } from '../harness.js'
import * as targets from '../targets-collection.js'
import type { Trial } from '../trial.js'

/** How many handles each case drops. */
const COUNT = 200
/** Bytes that a dropped handle may cost on average. A leak costs 5 KB or more; what else the program does makes some noise. */
const LEAST = 2500

/** A child that does what it is told with handles, and keeps none of them. */
class Dropper {
  readonly #orders: Connection
  readonly #end: () => Promise<void>

  private constructor(orders: Connection, end: () => Promise<void>) {
    this.#orders = orders
    this.#end = end
  }

  static async start(t: Trial, kept?: object): Promise<Dropper> {
    const [orders, theirs] = t.pipe()
    const child = await t.start(targets.useAndDrop, [theirs, kept])
    return new Dropper(orders, async () => {
      await orders.close()
      await t.ends(child)
    })
  }

  async does(deed: Exclude<targets.Order, 'collect'>['deed'], handle: object): Promise<unknown> {
    await this.#orders.send({ deed, handle })
    return this.hears()
  }

  hears(): Promise<unknown> {
    return within(this.#orders.recv(), 'word of the child')
  }

  /** Collects garbage here and there. Gives what the child holds. */
  async collect(): Promise<Footprint> {
    collectGarbage()
    await this.#orders.send('collect')
    return (await this.hears()) as Footprint
  }

  /** So often that whatever nobody references is gone, and what follows from it has been heard. */
  async collectAll(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.collect()
      for (let turn = 0; turn < 5; turn++) await nextTurn()
    }
  }

  /** Collects garbage until the promise settles. */
  async collectUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    await eventually(async () => {
      await this.collect()
      return settled
    }, 'what follows from a collection')
    return promise
  }

  end(): Promise<void> {
    return this.#end()
  }
}

type Once = (child: Dropper, other: Dropper) => Promise<void>

/** Has children use handles, which all drop then. Waits until no side holds more than before. */
async function assertFreed(t: Trial, once: Once): Promise<void> {
  const child = await Dropper.start(t)
  // Started only where it is needed.
  const other = once.length > 1 ? await Dropper.start(t) : child
  const repeat = async (count: number) => {
    for (let i = 0; i < count; i++) await within(once(child, other), `use ${i}`)
  }
  const children = new Set([child, other])
  const measure = async () => {
    const footprints: Footprint[] = []
    for (const each of children) footprints.push(await each.collect())
    return [...footprints, footprint()]
  }
  await repeat(COUNT / 4)
  // What a first use makes for good, without what it makes for a moment.
  let before: readonly Footprint[] = await measure()
  for (let i = 0; i < 4; i++) before = least(before, await measure())
  await repeat(COUNT)
  let now = before
  const isFreed = async () => {
    now = await measure()
    return now.every((each, side) => fits(each, before[side] as Footprint))
  }
  await eventually(isFreed, 'what was dropped').catch(() => {
    assert.fail(`not freed: ${JSON.stringify(before)} became ${JSON.stringify(now)}`)
  })
  for (const each of children) await each.end()
}

function least(one: readonly Footprint[], other: readonly Footprint[]): readonly Footprint[] {
  return one.map((each, i) => {
    const { descriptors, memory } = other[i] as Footprint
    return { descriptors: Math.min(each.descriptors, descriptors), memory: Math.min(each.memory, memory) }
  })
}

function fits(now: Footprint, before: Footprint): boolean {
  return now.descriptors <= before.descriptors && now.memory < before.memory + COUNT * LEAST
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

async function takeAll(queue: Queue, count: number): Promise<unknown[]> {
  const items: unknown[] = []
  for (let i = 0; i < count; i++) items.push(await within(queue.get(), `item ${i}`))
  return items
}

export const collection = group('Handles that nobody references', {
  'Q42 the ends of pipes are freed': t =>
    assertFreed(t, async child => {
      const [mine, theirs] = t.dropped.Pipe()
      await mine.send('there')
      await child.does('use', theirs)
      assert.equal(await mine.recv(), 'there')
    }),

  'Q42 ends of pipes whose calls have given up are freed': t =>
    assertFreed(t, async child => {
      const [mine, theirs] = t.dropped.Pipe()
      await child.does('giveUp', theirs)
      await rejects(mine.recv({ timeout: 1 }), 'MP_TIMEOUT')
    }),

  'Q42 queues are freed': t =>
    assertFreed(t, async child => {
      const queue = new t.dropped.Queue()
      await queue.put('there')
      await child.does('use', queue)
      assert.equal(await queue.get(), 'there')
    }),

  'Q42 queues whose home is a child are freed': t =>
    assertFreed(t, async child => {
      const { queue } = (await child.does('makeQueue', { module: t.module })) as { queue: Queue }
      assert.equal(await queue.get(), 'there')
    }),

  'Q42 pipes between two children are freed': t =>
    assertFreed(t, async (child, other) => {
      const [first, second] = t.dropped.Pipe()
      await other.does('sendOne', first)
      await child.does('use', second)
    }),

  'Q42 queues between two children are freed': t =>
    assertFreed(t, async (child, other) => {
      const queue = new t.dropped.Queue()
      await other.does('putOne', queue)
      await child.does('use', queue)
    }),

  'Q42 joinable queues are freed': t =>
    assertFreed(t, async child => {
      const queue = new t.dropped.JoinableQueue()
      await queue.put('there')
      await child.does('use', queue)
      assert.equal(await queue.get(), 'there')
    }),

  'Q42 locks, semaphores, events and conditions are freed': t => {
    const { Lock, RLock, Semaphore, Event, Condition } = t.dropped
    const makers = [Lock, RLock, Semaphore, Event, Condition]
    let next = 0
    return assertFreed(t, async child => {
      const Handle = makers[next++ % makers.length] as (typeof makers)[number]
      await child.does('use', new Handle())
    })
  },

  'Q42 barriers are freed': t =>
    assertFreed(t, async child => {
      const barrier = new t.dropped.Barrier(2)
      await child.does('use', barrier)
      assert.equal(await barrier.waiting, 0)
    }),

  'Q42 what an end had sent is read, then the end of file': async t => {
    const child = await Dropper.start(t)
    const [mine, theirs] = t.pipe()
    await child.does('sendMuch', theirs)
    await child.collectAll()
    for (let i = 0; i < 16; i++) {
      const bytes = (await within(mine.recv(), `message ${i}`)) as Uint8Array
      assert.deepEqual([bytes.length, bytes[0]], [1024 * 1024, i])
    }
    await rejects(child.collectUntil(mine.recv()), 'MP_EOF')
    await rejects(mine.send('nobody reads it'), 'MP_BROKEN_PIPE')
    await child.end()
  },

  'Q42 an end that was never used closes, too': async t => {
    const child = await Dropper.start(t)
    const [mine] = t.dropped.Pipe()
    await rejects(child.collectUntil(mine.recv()), 'MP_EOF')
    await child.end()
  },

  'Q42 what was put into a queue arrives, and what came ahead goes back': async t => {
    const child = await Dropper.start(t)
    const queue = new t.api.Queue()
    await child.does('putMuch', queue)
    await child.collectAll()
    assert.deepEqual(await takeAll(queue, 1000), upTo(1000))
    for (const i of upTo(100)) await queue.put(i)
    const taken = [await child.does('take', queue), await child.does('take', queue)]
    await child.collectAll()
    assert.deepEqual([...taken, ...(await takeAll(queue, 98))], upTo(100))
    await queue.close()
    await child.end()
  },

  'Q42 a handle is kept while a call of it waits': async t => {
    const child = await Dropper.start(t)
    const [mine, theirs] = t.pipe()
    const queue = new t.api.Queue()
    const event = new t.api.Event()
    const barrier = new t.api.Barrier(2)
    const lock = new t.api.Lock()
    const guard = await lock.acquire()
    const comes: [object, () => Promise<unknown>, unknown][] = [
      [theirs, () => mine.send('sent'), 'sent'],
      [queue, () => queue.put('put'), 'put'],
      [event, () => event.set(), true],
      [barrier, () => barrier.wait(), true],
      [lock, () => guard.release(), undefined],
    ]
    for (const [handle, come, expected] of comes) {
      await child.does('wait', handle)
      await child.collectAll()
      await within(come(), 'what the child waits for')
      assert.deepEqual(await child.hears(), ['came', expected])
    }
    await Promise.all([queue, event, barrier, lock].map(each => each.close()))
    await child.end()
  },

  'Q42 a handle is kept while it is iterated': async t => {
    const child = await Dropper.start(t)
    const [mine, theirs] = t.pipe()
    const queue = new t.api.Queue()
    await child.does('iterate', theirs)
    await child.does('iterate', queue)
    for (const i of upTo(3)) {
      await child.collectAll()
      await mine.send(i)
      assert.deepEqual(await child.hears(), ['came', i])
      await queue.put(i)
      assert.deepEqual(await child.hears(), ['came', i])
    }
    await mine.close()
    await queue.shutdown()
    await child.end()
    await queue.close()
  },

  'Q42 the arguments of a process are kept while it runs': async t => {
    const [mine, theirs] = t.pipe()
    const child = await Dropper.start(t, theirs)
    let ended = false
    const word = mine.recv().finally(() => {
      ended = true
    })
    word.catch(() => {})
    await child.collectAll()
    assert.equal(ended, false)
    await child.end()
    await rejects(word, 'MP_EOF')
  },

  'Q42 a process that has started keeps no arguments on this side': async t => {
    const start = async () => {
      const item = {}
      return [await t.start(targets.takeNothing, [item]), new WeakRef(item)] as const
    }
    const [child, item] = await start()
    await eventually(() => {
      collectGarbage()
      return item.deref() === undefined
    }, 'the arguments')
    await t.ends(child)
  },

  'Q42 a queue stays while another context has it, or a message that nobody has read': async t => {
    const child = await Dropper.start(t)
    const [first, second] = t.pipe<{ queue: Queue }, { queue: Queue }>()
    const give = async () => {
      const queue = new t.dropped.Queue()
      for (const i of upTo(6)) await queue.put(i)
      await child.does('keep', queue)
    }
    await give()
    await child.collectAll()
    const send = async () => {
      const { handle } = (await child.does('giveBack', {})) as { handle: Queue }
      assert.deepEqual(await takeAll(handle, 3), [0, 1, 2])
      await second.send({ queue: handle })
    }
    await send()
    await child.collectAll()
    const { queue } = await within(first.recv(), 'the queue')
    assert.deepEqual(await takeAll(queue, 3), [3, 4, 5])
    await queue.close()
    await child.end()
  },

  'Q42 a lock stays held, and its guard releases it': async t => {
    const child = await Dropper.start(t)
    const lock = new t.api.Lock()
    await child.does('keepGuard', lock)
    await child.collectAll()
    assert.equal(await lock.acquire({ block: false }), false)
    await child.does('releaseGuard', {})
    const guard = await within(lock.acquire(), 'the lock')
    assert.equal(guard.abandoned, false)
    await guard.release()
    await child.collectAll()
    await lock.close()
    await child.end()
  },

  'Q42 the end of a pipe closes with the queue in whose item it is': async t => {
    const child = await Dropper.start(t)
    const put = async () => {
      const [mine, theirs] = t.dropped.Pipe()
      const queue = new t.dropped.Queue()
      await queue.put({ theirs })
      return mine
    }
    const mine = await put()
    await rejects(child.collectUntil(mine.recv()), 'MP_EOF')
    await child.end()
  },
})
