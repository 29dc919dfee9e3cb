import type { Connection, Queue } from '@mp/core'
import { sitOn } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'

/**
 * Each target obeys orders that come over its connection: the number of messages to send next; 0 ends it. So one child can be
 * warmed up and then measured.
 */

export async function produceToQueue(
  queue: Queue<unknown>,
  orders: Connection<never, number>,
  name: PayloadName,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const { make } = messagesOf(name)
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    for (let sequence = 0; sequence < count; sequence++) await queue.put(make(sequence))
  }
}

export async function produceToPipe(
  connection: Connection<unknown, number>,
  name: PayloadName,
  core: number | null,
): Promise<void> {
  if (core !== null) sitOn(core)
  const { payload, make } = messagesOf(name)
  for (;;) {
    const count = await connection.recv()
    if (count === 0) return
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
  }
}
