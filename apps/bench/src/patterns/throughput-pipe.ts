import { startChild } from '../children.js'
import { messagesOf } from '../payloads.js'
import { consume } from '../session.js'
import { produceToPipe } from '../targets.js'
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
  latency: false,
  subject: (transport, name) => async () => {
    const messages = messagesOf(name)
    const [here, there] = transport.Pipe<number, unknown>()
    const child = startChild(transport, produceToPipe, [there, name])
    const receive = messages.payload.kind === 'bytes' ? () => here.recvBytes() : () => here.recv()
    return {
      async run(count) {
        await child.during(here.send(count))
        return child.during(consume(count, receive, messages))
      },
      async close() {
        await here.send(0)
        await child.ended()
        await here.close()
      },
    }
  },
  baseline: (baseline, name) => () => baseline.flood(name),
}
