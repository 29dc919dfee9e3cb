import { startChild } from '../children.js'
import { messagesOf } from '../payloads.js'
import { trips } from '../session.js'
import { spin } from '../spin.js'
import { echo, spinOrder } from '../targets.js'
import type { Pattern } from './pattern.js'

export const pingPong: Pattern = {
  name: 'ping-pong',
  title: 'Round trip over a Pipe',
  description:
    'The parent sends one message, the child sends it back; the next trip starts when the message is back and checked.',
  metric: 'round-trip',
  unit: 'us',
  better: 'lower',
  inFlight: '1',
  payloads: ['small', '64B', '64KiB', '1MiB'],
  latency: true,
  subject: (transport, name) => async () => {
    const messages = messagesOf(name)
    const [here, there] = transport.Pipe<unknown>()
    const child = startChild(transport, echo, [there, name])
    const asObjects = messages.payload.kind === 'object'
    const send = asObjects
      ? (message: unknown) => here.send(message)
      : (message: unknown) => here.sendBytes(message as Uint8Array)
    const receive = asObjects ? () => here.recv() : () => here.recvBytes()
    return {
      async ready() {
        await here.send(spinOrder)
        await new Promise(setImmediate) // it is sent at the end of this turn
        spin()
      },
      async run(count) {
        await child.during(here.send(count))
        return child.during(trips(count, send, receive, messages))
      },
      async close() {
        await here.send(0)
        await child.ended()
        await here.close()
      },
    }
  },
  baseline: (baseline, name) => () => baseline.echo(name),
}
