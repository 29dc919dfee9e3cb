import type { Connection, Queue } from '@mp/core'
import { messagesOf, type PayloadName } from '../payloads.js'
import { obey } from './orders.js'

/** Children that send messages as they are ordered to. */

export async function produceToQueue(
  queue: Queue<unknown>,
  orders: Connection<never, number>,
  name: PayloadName,
  core: number | null,
): Promise<void> {
  const { make } = messagesOf(name)
  await obey(orders, core, async count => {
    for (let sequence = 0; sequence < count; sequence++) await queue.put(make(sequence))
  })
}

export async function produceToPipe(
  connection: Connection<unknown, number>,
  name: PayloadName,
  core: number | null,
): Promise<void> {
  const { payload, make } = messagesOf(name)
  await obey(connection, core, async count => {
    switch (payload.kind) {
      case 'object':
        for (let sequence = 0; sequence < count; sequence++) await connection.send(make(sequence))
        break
      case 'bytes':
        for (let sequence = 0; sequence < count; sequence++) await connection.sendBytes(make(sequence) as Uint8Array)
        break
      case 'transfer':
        for (let sequence = 0; sequence < count; sequence++) {
          const buffer = make(sequence) as ArrayBuffer
          await connection.send(buffer, { transfer: [buffer] })
        }
    }
  })
}
