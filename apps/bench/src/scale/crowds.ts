import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { startChild } from '../children.js'
import { arrive, holdQueues, nothing } from '../targets/scale.js'
import type { TransportModule } from '../transports.js'

/** Workers of the large Pool, if the machine has memory for them. */
const WORKERS = 200
/** Bytes that a worker needs at most. */
const WORKER_BYTES = 60 * 1024 * 1024
const QUEUES = 100
const HOLDERS = 10
/** ms of the measurement of what idle contexts use. */
const IDLE = 3000
/** ms: the unit in which Linux counts the time of a process. */
const TICK = 10
const PAGE = 4096

export interface CrowdCost {
  /** Seconds until all were there. */
  readonly start: number
  /** Bytes of memory, of all processes together. Undefined where the operating system does not tell. */
  readonly bytes: number | undefined
  /** Share of one core that the program and its children use while they have nothing to do. */
  readonly idle: number | undefined
}

/** A Pool of many workers, all of which are up. `settling`: ms of nothing before the measurement. */
export async function workerCost(
  { Pool, Queue }: TransportModule,
  settling: number,
): Promise<CrowdCost & { count: number }> {
  const count = Math.max(1, Math.min(WORKERS, Math.floor(freemem() / 2 / WORKER_BYTES)))
  const before = usage([process.pid])
  const arrivals = new Queue<number>()
  const start = performance.now()
  await using pool = new Pool(count, { initializer: arrive, initargs: [arrivals] })
  // Workers start when there is work.
  const work = pool.map(nothing, Array.from({ length: 2 * count }), { chunksize: 1 })
  const pids = new Set([process.pid])
  for (let i = 0; i < count; i++) pids.add(await arrivals.get())
  const took = performance.now() - start
  await work
  return { count, start: took / 1000, ...(await costOf(pids, before, settling)) }
}

/** Queues of this program, which each of some children holds and has used. `settling` as above. */
export async function queueCost({ Pipe, Process, Queue }: TransportModule, settling: number): Promise<CrowdCost> {
  const before = usage([process.pid])
  const start = performance.now()
  const queues = Array.from({ length: QUEUES }, () => new Queue<number>())
  const pids = new Set([process.pid])
  const holders = Array.from({ length: HOLDERS }, () => {
    const [orders, theirs] = Pipe<never, number>()
    return { orders, child: startChild({ Process }, holdQueues, [theirs, queues]) }
  })
  for (const queue of queues) for (let i = 0; i < HOLDERS; i++) await queue.put(i)
  for (const { orders, child } of holders) pids.add(await child.during(orders.recv()))
  const took = performance.now() - start
  const cost = await costOf(pids, before, settling)
  for (const { orders, child } of holders) {
    await orders.close()
    await child.ended()
  }
  return { start: took / 1000, ...cost }
}

async function costOf(
  pids: ReadonlySet<number>,
  before: Usage | undefined,
  settling: number,
): Promise<Pick<CrowdCost, 'bytes' | 'idle'>> {
  await delay(settling)
  const first = usage(pids)
  await delay(IDLE)
  const last = usage(pids)
  if (!before || !first || !last) return { bytes: undefined, idle: undefined }
  return { bytes: last.resident - before.resident, idle: (last.ms - first.ms) / IDLE }
}

interface Usage {
  /** Of processor time. */
  readonly ms: number
  /** Bytes. */
  readonly resident: number
}

/** What processes have used, all their threads included. Undefined where there is no /proc. */
function usage(pids: Iterable<number>): Usage | undefined {
  let ms = 0
  let resident = 0
  try {
    for (const pid of pids) {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      ms += (Number(fields[11]) + Number(fields[12])) * TICK
      resident += Number(fields[21]) * PAGE
    }
  } catch {
    return undefined
  }
  return { ms, resident }
}
