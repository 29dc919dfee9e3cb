import { startChild } from '../children.js'
import { findSeats } from '../core.js'
import { messagesOf } from '../payloads.js'
import { trips } from '../session.js'
import { echo } from '../targets/echo.js'
import { orderedSession } from './ordered-session.js'
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
  payloads: ['small', 'record', '64B', '4KiB', '64KiB', '1MiB'],
  usualPayloads: ['small'],
  latency: true,
  subject:
    ({ module, baseline }, name) =>
    async () => {
      const seats = baseline.apart ? findSeats() : null
      const messages = messagesOf(name)
      const [here, there] = module.Pipe<unknown>()
      const child = startChild(module, echo, [there, name, seats?.child ?? null])
      const asObjects = messages.payload.kind === 'object'
      const send = asObjects
        ? (message: unknown) => here.send(message)
        : (message: unknown) => here.sendBytes(message as Uint8Array)
      const receive = asObjects ? () => here.recv() : () => here.recvBytes()
      return orderedSession(child, here, seats, count => child.during(trips(count, send, receive, messages)))
    },
  baseline: (baseline, name) => () => baseline.echo(name),
}
