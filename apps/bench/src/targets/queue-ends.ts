import type { Connection, JoinableQueue, Queue } from '@mp/core'
import { sitOn } from '../core.js'
import { messagesOf } from '../payloads.js'
import { type Tally, tally } from '../tally.js'

/** Each target obeys orders: how many small objects to put or to take next; 0 ends it. Who takes tells what it took. */

/** `producer` of `producers` counts from 0, and tells which sequence numbers are this child's. */
export async function putShare(
  queue: Queue<unknown>,
  orders: Connection<never, number>,
  producer: number,
  producers: number,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const { make } = messagesOf('small')
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    for (let put = 0; put < count; put++) await queue.put(make(put * producers + producer))
  }
}

export async function takeShare(
  queue: Queue<unknown>,
  orders: Connection<Tally, number>,
  producers: number,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const messages = messagesOf('small')
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    await orders.send(await tally(count, producers, () => queue.get(), messages))
  }
}

/** As takeShare, and each item is reported as done before the next one is taken. */
export async function finishShare(
  queue: JoinableQueue<unknown>,
  orders: Connection<Tally, number>,
  producers: number,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const messages = messagesOf('small')
  const receive = async () => {
    const item = await queue.get()
    await queue.taskDone()
    return item
  }
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    await orders.send(await tally(count, producers, receive, messages))
  }
}
