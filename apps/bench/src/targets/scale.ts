import type { Connection, Lock, Queue } from '@mp/core'
import { type Footprint, footprint } from '../footprint.js'

/** What a child is told to do with handles. */
export type Deed = { readonly use: Queue | Connection | Lock } | 'drop' | 'measure'

/** Uses each handle once and keeps it, until it is told to drop them all. Ends with the connection. */
export async function keep(orders: Connection<Footprint | 'done', Deed>): Promise<void> {
  let kept: object[] = []
  for await (const deed of orders) {
    if (deed === 'measure') await orders.send(await footprint())
    else {
      if (deed === 'drop') kept = []
      else {
        await use(deed.use)
        kept.push(deed.use)
      }
      await orders.send('done')
    }
  }
}

async function use(handle: Queue | Connection | Lock): Promise<void> {
  if ('get' in handle) await handle.get()
  else if ('recv' in handle) await handle.recv()
  else {
    await handle.acquire()
    await handle.release()
  }
}

/** Receives one message of each pipe in turn. An order says how often; the answer is the sum of what came. */
export async function receiveInTurn(
  orders: Connection<number, number>,
  pipes: readonly Connection<never, number>[],
): Promise<void> {
  for await (const rounds of orders) {
    let sum = 0
    for (let round = 0; round < rounds; round++) for (const pipe of pipes) sum += await pipe.recv()
    await orders.send(sum)
  }
}

/** Takes one item of each queue, keeps them all, and says so. Ends with the connection. */
export async function holdQueues(orders: Connection<number, never>, queues: readonly Queue<number>[]): Promise<void> {
  for (const queue of queues) await queue.get()
  await orders.send(process.pid)
  for await (const _ of orders);
}

/** Initializes a worker of a Pool: says that it is there. */
export async function arrive(arrivals: Queue<number>): Promise<void> {
  await arrivals.put(process.pid)
}

/** A task that does nothing. */
export function nothing(): void {}
