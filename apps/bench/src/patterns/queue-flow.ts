import { findSeats, sit, standUp } from '../core.js'
import { hire } from '../hands.js'
import { messagesOf } from '../payloads.js'
import { type Open, streamed } from '../session.js'
import { elapsedOf, type Tally } from '../tally.js'
import { finishShare, putShare, takeShare } from '../targets/queue-ends.js'
import type { LoadedTransport } from '../transports.js'
import { duringAll, jointSession, type OrderedChild } from './ordered-session.js'

interface Flow {
  /** Children that put. 0: the parent puts. */
  readonly producers: number
  /** Children that take. */
  readonly consumers: number
  /** Items that the queue holds at most. Absent: as many as there are. */
  readonly maxsize?: number
  /** Consumers report each item as done, and the parent joins the queue after each batch. */
  readonly joinable?: boolean
}

/** Small objects go through one queue, whose home is the parent, to children. */
export function queueFlow({ module, baseline }: LoadedTransport, flow: Flow): Open {
  const { producers, consumers, maxsize, joinable = false } = flow
  const numberings = Math.max(1, producers)
  return async () => {
    // Two ends take a core each. Where there are more, the scheduler decides.
    const seats = baseline.apart && producers <= 1 && consumers === 1 ? findSeats() : null
    const tasks = joinable ? new module.JoinableQueue<unknown>(maxsize) : null
    const queue = tasks ?? new module.Queue<unknown>(maxsize)

    const takers = Array.from({ length: consumers }, () => {
      const [orders, theirs] = module.Pipe<number, Tally>()
      const core = seats?.child ?? null
      const child = tasks
        ? hire(module, finishShare, [tasks, theirs, numberings, core])
        : hire(module, takeShare, [queue, theirs, numberings, core])
      return { child, orders, sharers: consumers }
    })
    const putters = Array.from({ length: producers }, (_, producer) => {
      const [orders, theirs] = module.Pipe<number, never>()
      const child = hire(module, putShare, [queue, theirs, producer, producers, seats?.parent ?? null])
      return { child, orders, sharers: producers }
    })
    const children: readonly OrderedChild[] = [...takers, ...putters]

    const { make } = messagesOf('small')
    const putAll = async (count: number) => {
      for (let sequence = 0; sequence < count; sequence++) await queue.put(make(sequence))
    }
    const move = async (count: number) => {
      const told = Promise.all(takers.map(({ orders }) => orders.recv()))
      const [tallies] = await duringAll(children, Promise.all([told, producers === 0 && putAll(count)]))
      await tasks?.join({ timeout: joinLimit })
      return streamed(elapsedOf(tallies, count), count)
    }
    // The parent is an end itself, or leaves the cores to the children.
    return jointSession(children, seats && (producers === 0 ? sit : standUp), move, queue)
  }
}

/** ms. Whatever was taken has been reported as done before, so the parent has to wait for the last report only. */
const joinLimit = 5000
