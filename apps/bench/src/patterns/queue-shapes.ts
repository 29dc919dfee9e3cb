import { hire } from '../hands.js'
import { pythonShape } from '../reference/python.js'
import { largestTally } from '../tally.js'
import type { Pattern } from './pattern.js'
import { queueFlow } from './queue-flow.js'
import { queueToParent } from './throughput-queue.js'

const maxsize = 100

const shape = {
  metric: 'throughput',
  unit: 'messages/s',
  better: 'higher',
  payloads: ['small'],
  latency: false,
  maxBatch: largestTally,
  hires: true,
} as const satisfies Partial<Pattern>

const unbounded = 'unbounded Queue: as many as the transport’s own window; raw Node posts without waiting'
const bounded = `at most ${maxsize} in the Queue`
const clock = 'Counted from the consumer’s first item to the last.'
const flood = 'Raw Node: a flood from the child to the parent.'

export const queueToChild: Pattern = {
  ...shape,
  name: 'queue-to-child',
  title: 'Queue, from the parent to a child',
  description:
    `As throughput-queue with the roles exchanged: the parent awaits queue.put() in a loop, the child awaits queue.get(). ${clock} ` +
    `${flood} "Child to parent" is throughput-queue, in turns with this.`,
  inFlight: unbounded,
  subject: transport => queueFlow(transport, { producers: 0, consumers: 1 }),
  baseline: (baseline, name) => () => baseline.flood(name),
  rivals: (transport, name) => [{ name: 'child to parent', open: queueToParent(transport, name, hire) }],
  python: pythonShape('queue-to-child'),
}

export const queueBounded: Pattern = {
  ...shape,
  name: 'queue-bounded',
  title: `Queue(${maxsize}), from a child to the parent`,
  description: `As throughput-queue, over a queue that holds ${maxsize} items: put() waits while it is full. ${clock}`,
  inFlight: bounded,
  leftOut: 'quick',
  subject: (transport, name) => queueToParent(transport, name, hire, maxsize),
  baseline: () => null,
  python: pythonShape('queue-bounded'),
}

export const queueBoundedToChild: Pattern = {
  ...shape,
  name: 'queue-bounded-to-child',
  title: `Queue(${maxsize}), from the parent to a child`,
  description: `As queue-to-child, over a queue that holds ${maxsize} items: put() waits while it is full. ${clock}`,
  inFlight: bounded,
  leftOut: 'quick',
  subject: transport => queueFlow(transport, { producers: 0, consumers: 1, maxsize }),
  baseline: () => null,
  python: pythonShape('queue-bounded-to-child'),
}

export const queueBetweenChildren: Pattern = {
  ...shape,
  name: 'queue-between-children',
  title: 'Queue, from one child to another',
  description:
    'One child awaits queue.put() in a loop, another awaits queue.get(). The parent made the queue, and does nothing with it. ' +
    clock,
  inFlight: 'unbounded Queue: as many as the transport’s own window',
  leftOut: 'quick',
  subject: transport => queueFlow(transport, { producers: 1, consumers: 1 }),
  baseline: () => null,
  python: pythonShape('queue-between-children'),
}

export const queue1To4 = fan(1, 4, 'quick')
/** Five processes a case take long, and this tells less than the other two: the home has one consumer to serve. */
export const queue4To1 = fan(4, 1, 'always')
export const queue4To4 = fan(4, 4, 'quick')

function fan(producers: number, consumers: number, leftOut: 'quick' | 'always'): Pattern {
  const count = (n: number, noun: string) => (n === 1 ? `one ${noun}` : `${n} ${noun}s`)
  const name = `queue-${producers}-to-${consumers}`
  return {
    ...shape,
    name,
    title: `Queue, ${count(producers, 'producer')} to ${count(consumers, 'consumer')}`,
    description:
      `All ends are children: the parent made the queue, and does nothing with it. ${sharing(producers, 'Producers put')}` +
      `${sharing(consumers, 'Consumers take')}Counted from the first item that a consumer gets to the last. ` +
      'The scheduler chooses the cores.',
    inFlight: 'unbounded Queue: as many as the transport’s own window',
    leftOut,
    children: producers + consumers,
    subject: transport => queueFlow(transport, { producers, consumers }),
    baseline: () => null,
    python: pythonShape(name),
  }
}

function sharing(n: number, what: string): string {
  return n === 1 ? '' : `${what} equal shares. `
}
