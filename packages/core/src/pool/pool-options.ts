import { availableParallelism } from 'node:os'
import { describeTarget } from '../process/describe-target.js'
import type { ProcessOptions } from '../process/process-options.js'
import type { Target } from '../process/target.js'
import { checkCount, checkKeys, checkMilliseconds } from './option-check.js'
import type { WorkerOptions } from './worker-handle.js'

export interface PoolOptions<I extends unknown[] = never[]> {
  /** Runs in each worker, replacements too, before its first task. If it fails, the pool is broken. */
  initializer?: Target<I> | undefined
  /** The initializer's arguments. Encoded for each worker when it starts, so no end of a Pipe can be among them. */
  initargs?: NoInfer<I> | undefined
  /** How many tasks a worker runs before a new one replaces it; a chunk of items is one task. No limit where absent. */
  maxTasksPerChild?: number | undefined
  /**
   * What becomes of the task that a worker was at when it was lost:
   *
   * - 'reject' (the default): its job rejects with MP_WORKER_LOST.
   * - 'retry': another worker gets it, until three workers were lost with it. So it may run more than once.
   * - 'break': the pool is broken.
   */
  onWorkerLost?: 'reject' | 'retry' | 'break' | undefined
  /**
   * How many workers are kept when there is nothing to do; `processes` where absent. They start at once; in a child they start with
   * the first job.
   */
  min?: number | undefined
  /** How many workers there are at most; `processes` where absent. More than `min` are started when tasks wait. */
  max?: number | undefined
  /** ms after which an idle worker above `min` ends; 10,000 where absent. */
  idleTimeout?: number | undefined
  /** Workers are called `<name>-PoolWorker-<n>`; `PoolWorker-<n>` where absent. */
  name?: string | undefined
  /** Options of each worker's Process. */
  env?: ProcessOptions['env']
  execArgv?: ProcessOptions['execArgv']
  stdio?: ProcessOptions['stdio']
}

/** ms */
const IDLE_TIMEOUT = 10_000

const OPTIONS = [
  'initializer',
  'initargs',
  'maxTasksPerChild',
  'onWorkerLost',
  'min',
  'max',
  'idleTimeout',
  'name',
  'env',
  'execArgv',
  'stdio',
]

/** The options of a pool, each with a value. */
export interface CheckedPoolOptions extends WorkerOptions {
  readonly min: number
  readonly max: number
  /** ms that a worker above `min` may be idle. */
  readonly idleTimeout: number
  /** Tasks after which a worker is replaced. */
  readonly maxTasks: number
  readonly onWorkerLost: 'reject' | 'retry' | 'break'
}

/** Throws a TypeError or a RangeError for what a Pool cannot be made of. */
export function checkPoolOptions(processes: number | undefined, options: PoolOptions): CheckedPoolOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('a Pool takes an object of options, such as { initializer, initargs }')
  }
  checkKeys('a Pool', options, OPTIONS)
  checkCount('processes', processes)
  const size = processes ?? availableParallelism()
  const { initializer, initargs = [], maxTasksPerChild, onWorkerLost = 'reject', name } = options
  if (initializer !== undefined) describeTarget(initializer)
  if (typeof initargs !== 'object' || initargs === null || !(Symbol.iterator in initargs)) {
    throw new TypeError('initargs must be an array: the arguments of the initializer')
  }
  if (maxTasksPerChild !== undefined && !(Number.isInteger(maxTasksPerChild) && maxTasksPerChild > 0)) {
    throw new RangeError(`maxTasksPerChild must be an integer from 1, not ${maxTasksPerChild}`)
  }
  if (!['reject', 'retry', 'break'].includes(onWorkerLost)) {
    throw new TypeError(`onWorkerLost must be 'reject', 'retry' or 'break', not ${String(onWorkerLost)}`)
  }
  if (name !== undefined && typeof name !== 'string') throw new TypeError(`name must be a string, not ${typeof name}`)
  const { min: least, max: most, idleTimeout = IDLE_TIMEOUT } = options
  checkCount('min', least, 0)
  checkCount('max', most)
  checkMilliseconds('idleTimeout', idleTimeout)
  const max = most ?? Math.max(size, least ?? 0)
  const min = least ?? Math.min(size, max)
  if (min > max) throw new RangeError(`min is ${min}, and more than max, ${max}`)
  const { env, execArgv, stdio } = options
  return {
    initializer: initializer as Target<never[]> | undefined,
    initargs: Array.from(initargs),
    process: { ...(env && { env }), ...(execArgv && { execArgv }), ...(stdio && { stdio }) },
    name,
    min,
    max,
    idleTimeout,
    maxTasks: maxTasksPerChild ?? Number.POSITIVE_INFINITY,
    onWorkerLost,
  }
}
