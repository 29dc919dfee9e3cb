import { startChild } from '../children.js'
import { messagesOf } from '../payloads.js'
import { consume } from '../session.js'
import { produceToQueue } from '../targets.js'
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
  subject: (transport, name) => async () => {
    const messages = messagesOf(name)
    const queue = new transport.Queue<unknown>()
    const [orders, childOrders] = transport.Pipe<number, never>()
    const child = startChild(transport, produceToQueue, [queue, childOrders, name])
    const receive = () => queue.get()
    return {
      async run(count) {
        await child.during(orders.send(count))
        return child.during(consume(count, receive, messages))
      },
      async close() {
        await orders.send(0)
        await child.ended()
        await Promise.all([orders.close(), queue.close()])
      },
    }
  },
  baseline: (baseline, name) => () => baseline.flood(name),
}
