import type { Connection, Lock } from '@mp/core'
import { sitOn } from '../core.js'
import { CheckError } from '../payloads.js'

/** Obeys orders: how many times to take and release the lock; 0 ends it. Answers each order with the milliseconds that it took. */
export async function lockInLoop(lock: Lock, orders: Connection<number, number>, core: number | null): Promise<void> {
  if (core !== null) sitOn(core)
  for (;;) {
    const count = await orders.recv()
    if (count === 0) return
    const before = performance.now()
    for (let done = 0; done < count; done++) {
      const guard = await lock.acquire()
      if (guard.abandoned) throw new CheckError('a lock that nobody else takes was lost')
      await guard.release()
    }
    await orders.send(performance.now() - before)
  }
}
