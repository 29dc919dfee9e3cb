import type { Connection } from '@mp/core'
import { sitOn } from '../core.js'
import { messagesOf } from '../payloads.js'
import { type Tally, tally } from '../tally.js'

/** Each target obeys orders: how many small objects to send or to receive next; 0 ends it. */

export async function sendItems(
  data: Connection<unknown, never>,
  orders: Connection<never, number>,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const { make } = messagesOf('small')
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    for (let sequence = 0; sequence < count; sequence++) await data.send(make(sequence))
  }
}

export async function receiveItems(
  data: Connection<never, unknown>,
  orders: Connection<Tally, number>,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const messages = messagesOf('small')
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    await orders.send(await tally(count, 1, () => data.recv(), messages))
  }
}
