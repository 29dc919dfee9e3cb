import { startChild } from '../children.js'
import { findSeats, sit, standUp } from '../core.js'
import { CheckError } from '../payloads.js'
import { timed } from '../session.js'
import { relock } from '../targets/relock.js'
import type { Pattern } from './pattern.js'

export const lockHandOver: Pattern = {
  name: 'lock-hand-over',
  title: 'Hand-over of a Lock',
  description:
    'The parent releases a lock that the child waits for, and waits for one that the child then releases: there and back. ' +
    'Raw Node has no locks: a message there and back.',
  metric: 'round-trip',
  unit: 'us',
  better: 'lower',
  inFlight: '1',
  payloads: [],
  latency: true,
  allowance: 1000,
  subject:
    ({ module, baseline }) =>
    async () => {
      const seats = baseline.apart ? findSeats() : null
      const [ours, theirs] = [new module.Lock(), new module.Lock()]
      await ours.acquire()
      await theirs.acquire()
      const [orders, there] = module.Pipe<number, never>()
      const child = startChild(module, relock, [there, theirs, ours, seats?.child ?? null])
      return {
        ...(seats && { ready: sit }),
        async run(count) {
          await child.during(orders.send(count))
          const latencies = new Float64Array(count)
          let before = performance.now()
          for (let done = 0; done < count; done++) {
            await theirs.release()
            const guard = await child.during(ours.acquire())
            if (!guard || guard.abandoned) throw new CheckError('a lock was not handed over, but lost')
            const now = performance.now()
            latencies[done] = now - before
            before = now
          }
          return timed(latencies)
        },
        async close() {
          standUp()
          await orders.send(0)
          await child.ended()
          await orders.close()
        },
      }
    },
  baseline: (baseline, name) => () => baseline.echo(name),
}
