import { type Begin, startChild } from '../children.js'
import { findSeats } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import { pythonQueue } from '../reference/python.js'
import { consume, type Open } from '../session.js'
import { produceToQueue } from '../targets/produce.js'
import type { LoadedTransport } from '../transports.js'
import { orderedSession } from './ordered-session.js'
import type { Pattern } from './pattern.js'

export const throughputQueue: Pattern = {
  name: 'throughput-queue',
  title: 'Throughput of a Queue',
  description:
    'One producer in the child awaits queue.put() in a loop, one consumer in the parent awaits queue.get(). ' +
    'Counted from the consumer’s first item to the last.',
  metric: 'throughput',
  unit: 'messages/s',
  better: 'higher',
  inFlight: 'unbounded Queue: as many as the transport’s own window; raw Node posts without waiting',
  payloads: ['small', 'record', 'string', 'numbers', '64B', '4KiB', '64KiB', '1MiB', 'mixed'],
  usualPayloads: ['small'],
  latency: false,
  subject: (transport, name) => queueToParent(transport, name, startChild),
  baseline: (baseline, name) => () => baseline.flood(name),
  python: pythonQueue,
}

/**
 * A child puts, the parent gets. `begin`: where the child comes from. `maxsize`: items that the queue holds at most; absent: as many as
 * there are.
 */
export function queueToParent(
  { module, baseline }: LoadedTransport,
  name: PayloadName,
  begin: Begin,
  maxsize?: number,
): Open {
  return async () => {
    const seats = baseline.apart ? findSeats() : null
    const messages = messagesOf(name)
    const queue = new module.Queue<unknown>(maxsize)
    const [orders, childOrders] = module.Pipe<number, never>()
    const child = begin(module, produceToQueue, [queue, childOrders, name, seats?.child ?? null])
    const move = (count: number) => child.during(consume(count, () => queue.get(), messages))
    return orderedSession(child, orders, seats, move, queue)
  }
}
