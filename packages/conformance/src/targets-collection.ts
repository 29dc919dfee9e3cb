/** What children do with handles that they drop. */

import type { Barrier, Condition, Connection, Event, Guard, JoinableQueue, Lock, Queue } from '@mp/core'
import { footprint } from './garbage.js'
import { loadContext } from './load-context.js'

/** What a child is told to do with a handle: it collects its garbage, or does a deed. */
export type Order = 'collect' | { readonly deed: keyof typeof deeds; readonly handle: object }

export function takeNothing(_item: object): void {}

/** Does what it is told until the end of file, and keeps nothing of what it was sent. `_kept`: what its arguments hold. */
export async function useAndDrop(orders: Connection, _kept?: object): Promise<void> {
  while (await obeyOnce(orders));
}

/** In a call of its own: a loop would keep its last handle. */
async function obeyOnce(orders: Connection): Promise<boolean> {
  const order = (await orders.recv().catch(() => undefined)) as Order | undefined
  if (order === undefined) return false
  await orders.send(order === 'collect' ? footprint() : await deeds[order.deed](order.handle as never, orders))
  return true
}

let guard: Guard | undefined
let kept: object | undefined

const deeds = {
  /** Uses a handle of any kind once. What comes out of a pipe or a queue goes back. */
  use: useOnce,

  async sendOne(pipe: Connection): Promise<void> {
    await pipe.send('there')
  },

  async putOne(queue: Queue): Promise<void> {
    await queue.put('there')
  },

  /** Makes a queue, whose home is this child. */
  async makeQueue({ module }: { module: string }): Promise<object> {
    const { Queue } = await loadContext(module)
    const queue = new Queue()
    await queue.put('there')
    return { queue }
  },

  /** Sends more than the window takes, and waits for nothing. */
  sendMuch(pipe: Connection): void {
    for (let i = 0; i < 16; i++) pipe.send(new Uint8Array(1024 * 1024).fill(i)).catch(() => {})
  },

  putMuch(queue: Queue): void {
    for (let i = 0; i < 1000; i++) queue.put(i).catch(() => {})
  },

  /** Waits for something without limit, and tells when it has come. Only the call itself references the handle. */
  wait(handle: object, orders: Connection): void {
    void come(handle).then(value => orders.send(['came', value]))
  },

  iterate(handle: Connection | Queue, orders: Connection): void {
    const iterate = async () => {
      for await (const value of handle) await orders.send(['came', value])
    }
    void iterate()
  },

  /** Waits too briefly, so that the call gives up. */
  async giveUp(handle: Connection | Queue): Promise<void> {
    const options = { timeout: 1 }
    if ('recv' in handle) {
      await handle.recv(options).catch(() => {})
      await handle.poll(1)
    } else await handle.get(options).catch(() => {})
  },

  take(queue: Queue): Promise<unknown> {
    return queue.get()
  },

  keep(handle: object): void {
    kept = handle
  },

  giveBack(): object {
    const handle = kept
    kept = undefined
    return { handle }
  },

  async keepGuard(lock: Lock): Promise<void> {
    guard = await lock.acquire()
  },

  async releaseGuard(): Promise<void> {
    await guard?.release()
    guard = undefined
  },
}

async function useOnce(handle: object): Promise<void> {
  if ('recv' in handle) {
    const pipe = handle as Connection
    await pipe.send(await pipe.recv())
  } else if ('get' in handle) {
    const queue = handle as Queue
    await queue.put(await queue.get())
    if ('taskDone' in handle) await (handle as JoinableQueue).taskDone()
  } else if ('isSet' in handle) {
    await (handle as Event).set()
  } else if ('parties' in handle) {
    await (handle as Barrier).waiting
  } else if ('notify' in handle) {
    const condition = handle as Condition
    const guard = await condition.acquire()
    await condition.notify()
    await guard.release()
  } else {
    const guard = await (handle as Lock).acquire()
    await guard.release()
  }
}

async function come(handle: object): Promise<unknown> {
  if ('recv' in handle) return (handle as Connection).recv()
  if ('get' in handle) return (handle as Queue).get()
  if ('isSet' in handle) return (handle as Event).wait()
  if ('parties' in handle) return (await (handle as Barrier).wait()) >= 0
  return (await (handle as Lock).acquire()).release()
}
