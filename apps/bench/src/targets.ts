import type { Connection, Queue } from '@mp/core'
import { messagesOf, type PayloadName } from './payloads.js'
import { spin } from './spin.js'

/**
 * What runs in the children. Each target obeys orders that come over its connection: the number of messages to send (or to
 * echo) next; 0 ends it. So one child can be warmed up and then be measured.
 */

export async function produceToQueue(
  queue: Queue<unknown>,
  orders: Connection<never, number>,
  name: PayloadName,
): Promise<void> {
  const { make } = messagesOf(name)
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    for (let sequence = 0; sequence < count; sequence++) await queue.put(make(sequence))
  }
}

export async function produceToPipe(connection: Connection<unknown, number>, name: PayloadName): Promise<void> {
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

/** An order to `echo`: see `spin`. */
export const spinOrder = -1

export async function echo(connection: Connection<unknown, unknown>, name: PayloadName): Promise<void> {
  const { payload } = messagesOf(name)
  for (;;) {
    const count = (await connection.recv()) as number
    if (count === 0) return
    if (count === spinOrder) {
      spin()
      continue
    }
    if (payload.kind === 'object') {
      for (let done = 0; done < count; done++) await connection.send(await connection.recv())
    } else {
      for (let done = 0; done < count; done++) await connection.sendBytes(await connection.recvBytes())
    }
  }
}

export async function hello(connection: Connection<string, never>, greeting: string): Promise<void> {
  await connection.send(greeting)
}
