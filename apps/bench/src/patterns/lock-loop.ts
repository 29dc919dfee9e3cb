import { findSeats } from '../core.js'
import { hire } from '../hands.js'
import { pythonShape } from '../reference/python.js'
import { lockInLoop } from '../targets/lock-loop.js'
import { orderedSession } from './ordered-session.js'
import type { Pattern } from './pattern.js'

export const lockLoop: Pattern = {
  name: 'lock-loop',
  title: 'Lock that nobody else wants',
  description:
    'A child awaits lock.acquire() and guard.release() in a loop; the parent made the lock, and leaves it alone. ' +
    'Both calls are one operation. Raw Node has no locks: round trips of one message, as many as there is time for.',
  metric: 'throughput',
  unit: 'operations/s',
  better: 'higher',
  inFlight: '1',
  payloads: [],
  latency: false,
  hires: true,
  subject:
    ({ module, baseline }) =>
    async () => {
      const seats = baseline.apart ? findSeats() : null
      const lock = new module.Lock()
      const [orders, theirs] = module.Pipe<number, number>()
      const child = hire(module, lockInLoop, [lock, theirs, seats?.child ?? null])
      return orderedSession(child, orders, seats, async count => {
        const elapsed = await child.during(orders.recv())
        return { elapsed, moved: count, latencies: new Float64Array(0) }
      })
    },
  baseline: (baseline, name) => () => baseline.echo(name),
  python: pythonShape('lock-loop'),
}
