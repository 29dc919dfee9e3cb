import type { Pool } from '@mp/core'
import { codeOf } from '../targets-soak.js'
import * as targets from '../targets-soak-others.js'
import { linesOf } from './lines.js'
import { type Stage, within } from './stage.js'

/** A job, and what must come of it: a value, or one of these words. */
interface Job {
  readonly what: string
  readonly promise: Promise<unknown>
  readonly expected: readonly unknown[]
}

/** Jobs of all kinds at a time, some of which end their worker, or are given up. Each settles as it should, and no task runs twice. */
export async function poolJobs(stage: Stage): Promise<void> {
  const { random, api } = stage
  const maxTasks = random.chance(0.3) ? random.whole(1, 5) : undefined
  const pool = new api.Pool(random.whole(1, 3), { stdio: 'ignore', ...(maxTasks && { maxTasksPerChild: maxTasks }) })
  const begun = stage.file()
  const jobs: Job[] = []
  for (let id = 0; id < 25; id++) {
    jobs.push(submit(stage, pool, begun, id))
    if (random.chance(0.3)) await stage.pause(10)
  }
  const terminated = random.chance(0.15)
  stage.event(terminated ? 'terminates the pool' : 'closes the pool')
  if (terminated) pool.terminate()
  else pool.close()
  const pending = new Map(jobs.map(job => [job, job.promise.then(came => ({ job, came }))]))
  while (pending.size > 0) {
    // Any of them: a pool whose workers die has to start one after the other.
    const waits = [...pending.keys()].map(({ what }) => what).join(', ')
    const next = within(Promise.race(pending.values()), `one of ${waits}`)
    const { job, came } = await stage.tally.timed('job', next)
    pending.delete(job)
    const allowed = terminated ? [...job.expected, 'MP_CLOSED'] : job.expected
    if (!allowed.includes(came)) stage.violation(`${job.what} gave ${came}, not ${allowed.join(' or ')}`)
  }
  stage.tally.count('jobs', jobs.length)
  await stage.tally.timed('end', within(pool.join(), 'the end of the pool'))
  const ids = linesOf(begun)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  if (twice.length > 0) stage.violation(`tasks ran twice: ${twice.join(' ')}`)
}

function submit(stage: Stage, pool: Pool, begun: string, id: number): Job {
  const { random, isolated, setting } = stage
  const isProcess = setting.transport.capabilities.isolation === 'process'
  const ends = isolated ? (isProcess ? ['exits', 'dies'] : ['exits']) : []
  const how = random.pick([
    'returns',
    'returns',
    'rests',
    'throws',
    'given up',
    'aborted',
    'map',
    ...ends,
    ...(isolated ? ['broken map'] : []),
  ])
  const job = (promise: Promise<unknown>, ...expected: unknown[]): Job => ({
    what: `job ${id} (${how})`,
    promise: promise.then(
      value => (Array.isArray(value) ? value.reduce((sum, each) => sum + each, 0) : value),
      (error: Error) => codeOf(error) ?? error.message,
    ),
    expected,
  })
  stage.event(`job ${id} ${how}`)
  const items = Array.from({ length: 20 }, (_, index) => index)
  switch (how) {
    case 'given up': {
      const hangs = isolated && random.chance(0.5) ? 'computes' : 'waits'
      return job(pool.apply(targets.work, [begun, id, hangs], { timeout: 30, grace: 20 }), 'MP_TIMEOUT')
    }
    case 'aborted': {
      const signal = AbortSignal.timeout(random.whole(0, 30))
      const promise = pool.apply(targets.work, [begun, id, 'rests'], { signal, grace: 20 })
      // The reason has a legacy code of its own.
      return job(promise, id * 2, 23, 'TimeoutError')
    }
    case 'map':
      return job(pool.map(targets.double, items, { chunksize: random.whole(1, 7) }), 380)
    case 'broken map':
      return job(pool.map(targets.doubleBut, items, { chunksize: random.whole(1, 7) }), 'MP_WORKER_LOST')
    case 'throws':
      return job(pool.apply(targets.work, [begun, id, how]), `task ${id}`)
    case 'exits':
    case 'dies':
      return job(pool.apply(targets.work, [begun, id, how]), 'MP_WORKER_LOST')
    default:
      return job(pool.apply(targets.work, [begun, id, how]), id * 2)
  }
}
