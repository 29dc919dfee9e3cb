import type { Connection, Lock } from '@mp/core'
import { CheckError } from '../payloads.js'
import { obey } from './orders.js'

/** Takes and releases the lock as often as it is ordered to. Answers each order with the milliseconds that it took. */
export async function lockInLoop(lock: Lock, orders: Connection<number, number>, core: number | null): Promise<void> {
  await obey(orders, core, async count => {
    const before = performance.now()
    for (let done = 0; done < count; done++) {
      const guard = await lock.acquire()
      if (guard.abandoned) throw new CheckError('a lock that nobody else takes was lost')
      await guard.release()
    }
    await orders.send(performance.now() - before)
  })
}
