import type { Connection, JoinableQueue, Queue } from '@mp/core'
import { messagesOf } from '../payloads.js'
import { type Tally, tally } from '../tally.js'
import { obey } from './orders.js'

/** Children that put or take small objects as they are ordered to. Who takes tells what it took. */

/** `producer` of `producers` counts from 0, and tells which sequence numbers are this child's. */
export async function putShare(
  queue: Queue<unknown>,
  orders: Connection<never, number>,
  producer: number,
  producers: number,
  core: number | null,
): Promise<void> {
  const { make } = messagesOf('small')
  await obey(orders, core, async count => {
    for (let put = 0; put < count; put++) await queue.put(make(put * producers + producer))
  })
}

export function takeShare(
  queue: Queue<unknown>,
  orders: Connection<Tally, number>,
  producers: number,
  core: number | null,
): Promise<void> {
  return take(() => queue.get(), orders, producers, core)
}

/** As takeShare, and each item is reported as done before the next one is taken. */
export function finishShare(
  queue: JoinableQueue<unknown>,
  orders: Connection<Tally, number>,
  producers: number,
  core: number | null,
): Promise<void> {
  const receive = async () => {
    const item = await queue.get()
    await queue.taskDone()
    return item
  }
  return take(receive, orders, producers, core)
}

async function take(
  receive: () => Promise<unknown>,
  orders: Connection<Tally, number>,
  producers: number,
  core: number | null,
): Promise<void> {
  const messages = messagesOf('small')
  await obey(orders, core, async count => orders.send(await tally(count, producers, receive, messages)))
}
