import type { Child } from '../children.js'
import { type Seats, sit, standUp } from '../core.js'
import type { Batch, Session } from '../session.js'

interface Closable {
  close(): Promise<void>
}

interface Orders extends Closable {
  send(count: number): Promise<void>
}

/** A child that obeys orders: an order says how many messages to move next, and 0 ends the child. */
export interface OrderedChild {
  readonly child: Child
  readonly orders: Orders
  /** How many children share the messages of a batch with this one, itself included. They get equal shares. */
  readonly sharers: number
}

/** The session of one child. `move` is what this side does meanwhile. `others` are closed in the end, as `orders` is. */
export function orderedSession(
  child: Child,
  orders: Orders,
  seats: Seats | null,
  move: (count: number) => Promise<Batch> | Batch,
  ...others: readonly Closable[]
): Session {
  return jointSession([{ child, orders, sharers: 1 }], seats && sit, move, ...others)
}

/**
 * The session of several children, which get their orders in this sequence. A batch is rounded up so that all shares are equal.
 * `ready` gives this side its core before each round; null where the scheduler decides.
 */
export function jointSession(
  children: readonly OrderedChild[],
  ready: (() => void) | null,
  move: (count: number) => Promise<Batch> | Batch,
  ...others: readonly Closable[]
): Session {
  const unit = Math.max(...children.map(({ sharers }) => sharers))
  return {
    ...(ready && { ready }),
    async run(atLeast) {
      const count = Math.ceil(atLeast / unit) * unit
      for (const { child, orders, sharers } of children) await child.during(orders.send(count / sharers))
      return move(count)
    },
    async close() {
      standUp()
      await Promise.all(children.map(({ orders }) => orders.send(0)))
      await Promise.all(children.map(({ child }) => child.ended()))
      await Promise.all([...children.map(({ orders }) => orders), ...others].map(each => each.close()))
    },
  }
}

/** Settles as `work` does, but rejects if one of the children ends first. */
export function duringAll<T>(children: readonly OrderedChild[], work: Promise<T>): Promise<T> {
  return Promise.race(children.map(({ child }) => child.during(work)))
}
