import type { Connection } from '@mp/core'
import { takeSeat } from '../core.js'

/**
 * Obeys orders that come over a connection: each says how many messages to move next, or operations to do; 0 ends it. So one child can
 * be warmed up and then measured. `core`: where the calling thread runs meanwhile; null where the scheduler decides.
 */
export async function obey(
  orders: Pick<Connection<never, number>, 'recv'>,
  core: number | null,
  act: (count: number) => Promise<void>,
): Promise<void> {
  takeSeat(core)
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    await act(count)
  }
}
