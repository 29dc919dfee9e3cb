import type { Connection, Lock } from '@mp/core'
import { takeSeat } from '../core.js'

/** Obeys orders: how many times to take one lock and release the other; 0 ends it. */
export async function relock(
  orders: Connection<never, number>,
  ours: Lock,
  theirs: Lock,
  core: number | null,
): Promise<void> {
  takeSeat(core)
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    for (let done = 0; done < count; done++) {
      await ours.acquire()
      await theirs.release()
    }
  }
}
