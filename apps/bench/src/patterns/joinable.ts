import { pythonShape } from '../reference/python.js'
import { largestTally } from '../tally.js'
import type { Pattern } from './pattern.js'
import { queueFlow } from './queue-flow.js'

export const joinable: Pattern = {
  name: 'joinable',
  title: 'JoinableQueue, from the parent to a child',
  description:
    'The parent awaits queue.put() in a loop; the child awaits queue.get() and queue.taskDone() for each item. ' +
    'Counted from the child’s first item to the last; afterwards the parent joins the queue. ' +
    'Raw Node: round trips of one message, so that below 1× the two calls cost more than one round trip.',
  metric: 'throughput',
  unit: 'messages/s',
  better: 'higher',
  inFlight: 'unbounded JoinableQueue; the child reports one item before it takes the next',
  payloads: ['small'],
  latency: false,
  maxBatch: largestTally,
  leftOut: 'quick',
  hires: true,
  subject: transport => queueFlow(transport, { producers: 0, consumers: 1, joinable: true }),
  baseline: (baseline, name) => () => baseline.echo(name),
  python: pythonShape('joinable'),
}
