import { startChild } from '../children.js'
import { findSeats } from '../core.js'
import { messagesOf } from '../payloads.js'
import { consume } from '../session.js'
import { produceToPipe } from '../targets/produce.js'
import { orderedSession } from './ordered-session.js'
import type { Pattern } from './pattern.js'

export const throughputPipe: Pattern = {
  name: 'throughput-pipe',
  title: 'Throughput of a Pipe',
  description:
    'The child awaits connection.send() in a loop (sendBytes() for bytes, send() with a transfer list for transfers), ' +
    'the parent awaits recv() or recvBytes(). Counted from the first message received to the last.',
  metric: 'throughput',
  unit: 'messages/s',
  better: 'higher',
  inFlight: 'as many as the Pipe’s high-water mark allows; raw Node posts without waiting',
  payloads: ['small', '64B', '64KiB', '1MiB', '1MiB-transfer'],
  usualPayloads: ['small', '1MiB', '1MiB-transfer'],
  latency: false,
  subject:
    ({ module, baseline }, name) =>
    async () => {
      const seats = baseline.apart ? findSeats() : null
      const messages = messagesOf(name)
      const [here, there] = module.Pipe<number, unknown>()
      const child = startChild(module, produceToPipe, [there, name, seats?.child ?? null])
      const receive = messages.payload.kind === 'bytes' ? () => here.recvBytes() : () => here.recv()
      return orderedSession(child, here, seats, count => child.during(consume(count, receive, messages)))
    },
  baseline: (baseline, name) => () => baseline.flood(name),
}
