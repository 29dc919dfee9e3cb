import type { Connection } from '@mp/core'
import { takeSeat } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'

/** Obeys orders: how many messages to send back next; 0 ends it. */
export async function echo(
  connection: Connection<unknown, unknown>,
  name: PayloadName,
  core: number | null,
): Promise<void> {
  takeSeat(core)
  const { payload } = messagesOf(name)
  for (;;) {
    const count = (await connection.recv()) as number
    if (count === 0) return
    if (payload.kind === 'object') {
      for (let done = 0; done < count; done++) await connection.send(await connection.recv())
    } else {
      for (let done = 0; done < count; done++) await connection.sendBytes(await connection.recvBytes())
    }
  }
}
