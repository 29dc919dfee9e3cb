import type { Guard } from '@mp/core'
import { startChild } from '../children.js'
import { findSeats } from '../core.js'
import { CheckError } from '../payloads.js'
import { trips } from '../session.js'
import { relock } from '../targets/relock.js'
import { orderedSession } from './ordered-session.js'
import type { Pattern } from './pattern.js'

/** What is handed over, as if it were a message. */
const guards = {
  make: () => undefined,
  check(guard: unknown) {
    if ((guard as Guard | null)?.abandoned !== false) throw new CheckError('a lock was not handed over, but lost')
  },
}

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
  leftOut: 'always',
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
      const release = () => theirs.release()
      const acquire = () => child.during(ours.acquire())
      return orderedSession(child, orders, seats, count => trips(count, release, acquire, guards))
    },
  baseline: (baseline, name) => () => baseline.echo(name),
}
