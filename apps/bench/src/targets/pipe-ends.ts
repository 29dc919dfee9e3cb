import type { Connection } from '@mp/core'
import { messagesOf } from '../payloads.js'
import { type Tally, tally } from '../tally.js'
import { obey } from './orders.js'

/** Children that send or receive small objects as they are ordered to. */

export async function sendItems(
  data: Connection<unknown, never>,
  orders: Connection<never, number>,
  core: number | null,
): Promise<void> {
  const { make } = messagesOf('small')
  await obey(orders, core, async count => {
    for (let sequence = 0; sequence < count; sequence++) await data.send(make(sequence))
  })
}

export async function receiveItems(
  data: Connection<never, unknown>,
  orders: Connection<Tally, number>,
  core: number | null,
): Promise<void> {
  const messages = messagesOf('small')
  await obey(orders, core, async count => orders.send(await tally(count, 1, () => data.recv(), messages)))
}
