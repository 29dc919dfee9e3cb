import { findSeats, standUp } from '../core.js'
import { hire } from '../hands.js'
import { pythonShape } from '../reference/python.js'
import { streamed } from '../session.js'
import { elapsedOf, largestTally, type Tally } from '../tally.js'
import { receiveItems, sendItems } from '../targets/pipe-ends.js'
import { duringAll, jointSession } from './ordered-session.js'
import type { Pattern } from './pattern.js'
import { pipeToParent } from './throughput-pipe.js'

export const pipeBetweenChildren: Pattern = {
  name: 'pipe-between-children',
  title: 'Pipe, from one child to another',
  description:
    'The parent makes a Pipe and gives each end to a child: one awaits send() in a loop, the other recv(). ' +
    'Counted from the first message received to the last. "Child to parent" is throughput-pipe, in turns with this.',
  metric: 'throughput',
  unit: 'messages/s',
  better: 'higher',
  inFlight: 'as many as the Pipe’s high-water mark allows',
  payloads: ['small'],
  latency: false,
  maxBatch: largestTally,
  leftOut: 'quick',
  hires: true,
  subject:
    ({ module, baseline }) =>
    async () => {
      const seats = baseline.apart ? findSeats() : null
      const [source, sink] = module.Pipe<unknown, never>()
      const [takes, takerOrders] = module.Pipe<number, Tally>()
      const [sends, senderOrders] = module.Pipe<number, never>()
      const taker = hire(module, receiveItems, [sink, takerOrders, seats?.child ?? null])
      const sender = hire(module, sendItems, [source, senderOrders, seats?.parent ?? null])
      const children = [
        { child: taker, orders: takes, sharers: 1 },
        { child: sender, orders: sends, sharers: 1 },
      ]
      return jointSession(children, seats && standUp, async count => {
        const told = await duringAll(children, takes.recv())
        return streamed(elapsedOf([told], count), count)
      })
    },
  baseline: () => null,
  rivals: (transport, name) => [{ name: 'child to parent', open: pipeToParent(transport, name, hire) }],
  python: pythonShape('pipe-between-children'),
}
