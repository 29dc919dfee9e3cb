import type { Child } from '../children.js'
import { type Seats, sit, standUp } from '../core.js'
import type { Batch, Session } from '../session.js'

interface Closable {
  close(): Promise<void>
}

interface Orders extends Closable {
  send(count: number): Promise<void>
}

/**
 * The session of a child that obeys orders: an order says how many messages to move next, and 0 ends the child. `move` is what
 * this side does meanwhile. `others` are closed in the end, as `orders` is.
 */
export function orderedSession(
  child: Child,
  orders: Orders,
  seats: Seats | null,
  move: (count: number) => Promise<Batch> | Batch,
  ...others: readonly Closable[]
): Session {
  return {
    ...(seats && { ready: sit }),
    async run(count) {
      await child.during(orders.send(count))
      return move(count)
    },
    async close() {
      standUp()
      await orders.send(0)
      await child.ended()
      await Promise.all([orders, ...others].map(each => each.close()))
    },
  }
}
