import { type Begin, startChild } from '../children.js'
import { findSeats } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import { consume, type Open } from '../session.js'
import { produceToPipe } from '../targets/produce.js'
import type { LoadedTransport } from '../transports.js'
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
  payloads: ['small', 'record', 'string', 'numbers', '64B', '4KiB', '64KiB', '1MiB', 'mixed', '1MiB-transfer'],
  usualPayloads: ['small', '1MiB'],
  latency: false,
  subject: (transport, name) => pipeToParent(transport, name, startChild),
  baseline: (baseline, name) => () => baseline.flood(name),
}

/** A child sends, the parent receives. `begin`: where the child comes from. */
export function pipeToParent({ module, baseline }: LoadedTransport, name: PayloadName, begin: Begin): Open {
  return async () => {
    const seats = baseline.apart ? findSeats() : null
    const messages = messagesOf(name)
    const [here, there] = module.Pipe<number, unknown>()
    const child = begin(module, produceToPipe, [there, name, seats?.child ?? null])
    const receive = messages.payload.kind === 'bytes' ? () => here.recvBytes() : () => here.recv()
    return orderedSession(child, here, seats, count => child.during(consume(count, receive, messages)))
  }
}
