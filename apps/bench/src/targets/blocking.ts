import type { Connection } from '@mp/core'
import type { Connection as BlockingConnection } from '@mp/shared-array-buffer'
import { takeSeat } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'

/** Obeys orders: how many messages to move next; 0 ends it. Only orders are awaited, all else blocks. */
export async function blockingTarget(
  data: BlockingConnection,
  orders: Connection<never, number>,
  name: PayloadName,
  role: 'produce' | 'echo',
  core: number | null,
): Promise<void> {
  takeSeat(core)
  const { configure } = await import('@mp/shared-array-buffer')
  if (role === 'echo') configure({ wait: 'spin' })
  const { make } = messagesOf(name)
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    if (role === 'echo') {
      for (let done = 0; done < count; done++) data.sendBytesSync(data.recvBytesSync())
    } else {
      for (let sequence = 0; sequence < count; sequence++) data.sendBytesSync(make(sequence) as Uint8Array)
    }
  }
}
