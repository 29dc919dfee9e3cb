import { startChild } from '../children.js'
import { findSeats, sit, standUp } from '../core.js'
import { messagesOf } from '../payloads.js'
import { pythonQueue } from '../reference/python.js'
import { consume } from '../session.js'
import { produceToQueue } from '../targets/produce.js'
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
  payloads: ['small', '64B', '64KiB', '1MiB'],
  latency: false,
  subject:
    ({ module, baseline }, name) =>
    async () => {
      const seats = baseline.apart ? findSeats() : null
      const messages = messagesOf(name)
      const queue = new module.Queue<unknown>()
      const [orders, childOrders] = module.Pipe<number, never>()
      const child = startChild(module, produceToQueue, [queue, childOrders, name, seats?.child ?? null])
      const receive = () => queue.get()
      return {
        ...(seats && { ready: sit }),
        async run(count) {
          await child.during(orders.send(count))
          return child.during(consume(count, receive, messages))
        },
        async close() {
          standUp()
          await orders.send(0)
          await child.ended()
          await Promise.all([orders.close(), queue.close()])
        },
      }
    },
  baseline: (baseline, name) => () => baseline.flood(name),
  python: pythonQueue,
}
