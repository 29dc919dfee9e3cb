import { startChild } from '../children.js'
import { findSeats } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import { type Open, streamed, timed } from '../session.js'
import { blockingTarget } from '../targets/blocking.js'
import type { BlockingModule, LoadedTransport } from '../transports.js'
import { orderedSession } from './ordered-session.js'
import type { Pattern } from './pattern.js'

/** ms that a blocked call here waits for a child that may be dead. */
const timeout = 5000

export const blockingPipe: Pattern = {
  name: 'blocking-pipe',
  title: 'Throughput of a Pipe with blocking ends',
  description:
    'The child calls sendBytesSync() in a loop, the parent recvBytesSync(): both block their threads where they have to wait. ' +
    'Counted from the first message received to the last.',
  metric: 'throughput',
  unit: 'messages/s',
  better: 'higher',
  inFlight: 'as many as the Pipe’s high-water mark allows; raw Node posts without waiting',
  payloads: ['64B', '1MiB'],
  latency: false,
  needs: ({ blocking }) => blocking !== undefined,
  subject: (transport, name) =>
    open(transport, name, 'produce', ({ here, check }, count) =>
      streaming(count, () => here.recvBytesSync(undefined, { timeout }), check),
    ),
  baseline: (baseline, name) => () => baseline.flood(name),
  rivals: (_, name) => (name === '1MiB' ? [{ name: 'memcpy', open: copying }] : []),
}

export const blockingPipeInto: Pattern = {
  ...blockingPipe,
  name: 'blocking-pipe-into',
  title: 'Throughput of a Pipe with blocking ends, into one buffer',
  description:
    'As blocking-pipe, but the parent calls recvBytesIntoSync() with the same buffer each time, as memcpy does here. ' +
    'Else each message of 1 MiB has memory of its own, which the kernel clears first.',
  payloads: ['1MiB'],
  subject: (transport, name) =>
    open(transport, name, 'produce', ({ here, check, payload }, count) => {
      const target = new Uint8Array(payload.bytes ?? 0)
      const receive = () => target.subarray(0, here.recvBytesIntoSync(target, 0, { timeout }))
      return streaming(count, receive, check)
    }),
}

export const blockingPingPong: Pattern = {
  name: 'blocking-ping-pong',
  title: 'Round trip over a Pipe with blocking ends',
  description: 'As ping-pong, with sendBytesSync() and recvBytesSync() on both sides, which spin while they wait.',
  metric: 'round-trip',
  unit: 'us',
  better: 'lower',
  inFlight: '1',
  payloads: ['64B'],
  latency: true,
  needs: ({ blocking }) => blocking !== undefined,
  subject: (transport, name) =>
    open(transport, name, 'echo', ({ here, make, check, module }, count) => {
      const latencies = new Float64Array(count)
      module.configure({ wait: 'spin' })
      try {
        let before = performance.now()
        for (let sequence = 0; sequence < count; sequence++) {
          here.sendBytesSync(make(sequence) as Uint8Array)
          check(here.recvBytesSync(undefined, { timeout }), sequence)
          const now = performance.now()
          latencies[sequence] = now - before
          before = now
        }
      } finally {
        module.configure({ wait: 'adapt' })
      }
      return timed(latencies)
    }),
  baseline: (baseline, name) => () => baseline.echo(name),
}

interface Ends extends ReturnType<typeof messagesOf> {
  readonly here: ReturnType<BlockingModule['Pipe']>[0]
  readonly module: BlockingModule
}

function open(
  { blocking, baseline }: LoadedTransport,
  name: PayloadName,
  role: 'produce' | 'echo',
  move: (ends: Ends, count: number) => ReturnType<typeof timed>,
): Open {
  return async () => {
    const module = blocking as BlockingModule
    const seats = baseline.apart ? findSeats() : null
    const [here, there] = module.Pipe()
    const [orders, theirs] = module.Pipe<number, never>()
    const child = startChild(module, blockingTarget, [there, theirs, name, role, seats?.child ?? null])
    const ends: Ends = { ...messagesOf(name), here, module }
    return orderedSession(child, orders, seats, count => move(ends, count), here)
  }
}

function streaming(count: number, receive: () => Uint8Array, check: Ends['check']) {
  check(receive(), 0)
  const first = performance.now()
  for (let sequence = 1; sequence < count; sequence++) check(receive(), sequence)
  return streamed(performance.now() - first, count)
}

/** Copies the bytes once, in one thread. No way of moving bytes between threads can be faster. */
async function copying(): ReturnType<Open> {
  const { make, payload } = messagesOf('1MiB')
  const target = new Uint8Array(payload.bytes ?? 0)
  return {
    async run(count) {
      const source = make(0) as Uint8Array
      const start = performance.now()
      for (let copied = 0; copied < count; copied++) target.set(source)
      return streamed(performance.now() - start, count + 1)
    },
    async close() {},
  }
}
