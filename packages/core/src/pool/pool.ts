import { availableParallelism } from 'node:os'
import { type Handle, PACK, refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import type { ProcessOptions } from '../process/process-options.js'
import { describeTarget, type Target } from '../process/target.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import { makeCall, makeChunks } from './encode-task.js'
import { Call, type JobOptions, MapJob, type MapOptions } from './jobs.js'
import * as protocol from './protocol.js'
import { type ImapOptions, Results } from './results.js'
import { type CrewOptions, type PoolStats, Scheduler } from './scheduler.js'
import type { Callee, Job } from './task.js'

export interface PoolOptions<I extends unknown[] = never[]> {
  /** Runs in each worker before its first task, also in replacements. If it fails, the pool is broken. */
  initializer?: Target<I> | undefined
  /** The initializer's arguments. Encoded for each worker when it starts, so no end of a Pipe can be among them. */
  initargs?: NoInfer<I> | undefined
  /** Tasks after which a worker is replaced by a new one; a chunk of items is one task. No limit where absent. */
  maxTasksPerChild?: number | undefined
  /**
   * What becomes of the task that a worker was at when it was lost. 'reject' (the default): its job rejects with MP_WORKER_LOST.
   * 'retry': it is given to another worker, until it has taken three with it; so it may run more than once. 'break': the pool
   * is broken.
   */
  onWorkerLost?: 'reject' | 'retry' | 'break' | undefined
  /** Workers that are kept when there is nothing to do; `processes` where absent. */
  min?: number | undefined
  /** Workers that there are at most; `processes` where absent. More than `min` are started when tasks wait. */
  max?: number | undefined
  /** ms after which an idle worker above `min` ends; 10,000 where absent. */
  idleTimeout?: number | undefined
  /** Before the names of the workers, which are `PoolWorker-<n>`. */
  name?: string | undefined
  /** As a Process has them, for each worker. */
  env?: ProcessOptions['env']
  execArgv?: ProcessOptions['execArgv']
  stdio?: ProcessOptions['stdio']
}

const IDLE_TIMEOUT = 10_000

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

const dropped = new FinalizationRegistry<Scheduler>(crew => {
  if (!crew.running) return
  process.emitWarning('a Pool was dropped without close(): it closes now', 'ResourceWarning')
  crew.close(false)
})

/**
 * Workers that call functions: daemon Processes, each at one task at a time.
 *
 * Functions are exported ones, as targets of a Process are. Arguments, items and results travel as arguments of a Process
 * do; those of `apply` and `map` are taken as they are at the call. A job settles whatever becomes of its worker. A program
 * that waits for no job is not kept alive.
 */
export class Pool implements Handle {
  readonly #crew: Scheduler
  readonly #transport: Transport

  /** @internal Users call the Pool of their transport's package. */
  constructor(context: Context, transport: Transport, processes?: number, options: PoolOptions<never[]> = {}) {
    const checked = checkOptions(processes, options)
    this.#transport = transport
    refuseSerialisation(this, 'Pool')
    this.#crew = new Scheduler(context, transport, checked)
    dropped.register(this, this.#crew, this.#crew)
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  /**
   * Calls the function in a worker, and gives what it returned, or rejects with what it threw. MP_WORKER_LOST when the worker
   * ended meanwhile (`exitCode` says how), MP_ENCODE when an argument or the result cannot travel, MP_TIMEOUT, MP_CLOSED,
   * MP_BROKEN_POOL.
   */
  async apply<A extends unknown[], R>(
    target: Target<A, R>,
    ...rest: [] extends A ? [args?: A, options?: JobOptions] : [args: A, options?: JobOptions]
  ): Promise<Awaited<R>> {
    const [args = [], options] = rest as [args?: readonly unknown[], options?: JobOptions]
    if (typeof args !== 'object' || args === null || !(Symbol.iterator in args)) {
      throw new TypeError('args must be an array: the arguments of the target')
    }
    checkJob(options)
    const crew = this.#crew
    const callee = this.#callee(target)
    const job = new Call(crew, callee.name, options)
    return this.#submit(job, () => crew.submit(makeCall(crew, job, callee, Array.from(args)))) as Promise<Awaited<R>>
  }

  /**
   * Calls the function with each item; the results are in the order of the items. When calls fail it rejects with the first
   * failure, after all are through. The items are taken at the call; those of an async input as workers need them.
   */
  map<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return this.#map(target as Target<never[]>, protocol.EACH, items, options) as Promise<Awaited<R>[]>
  }

  /** As `map`, where each item is the array of the arguments of one call. */
  starmap<A extends unknown[], R>(
    target: Target<A, R>,
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return this.#map(target as Target<never[]>, protocol.EACH_SPREAD, items, options) as Promise<Awaited<R>[]>
  }

  /** As `map`, lazily: results one at a time, in the order of the items, which are read as results are taken. */
  imap<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions,
  ): Results<Awaited<R>> {
    return this.#imap(target as Target<never[]>, items, true, options)
  }

  /** As `imap`, with the results in the order in which they come. */
  imapUnordered<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions,
  ): Results<Awaited<R>> {
    return this.#imap(target as Target<never[]>, items, false, options)
  }

  /** What it has and does at the moment. */
  stats(): PoolStats {
    return this.#crew.stats
  }

  /** Takes no more jobs. Those that were submitted are completed; with `cancelQueued`, only those that have begun. */
  close(options?: { cancelQueued?: boolean | undefined }): void {
    dropped.unregister(this.#crew)
    this.#crew.close(options?.cancelQueued ?? false)
  }

  /** Ends the workers, whatever they are at. Pending jobs reject with MP_CLOSED. */
  terminate(): void {
    dropped.unregister(this.#crew)
    this.#crew.terminate()
  }

  /** Waits until all workers have ended (MP_TIMEOUT when `timeout` ms pass first). MP_INVALID_STATE before `close` or `terminate`. */
  async join(options?: WaitOptions): Promise<void> {
    checkWait(options)
    return this.#crew.join(options)
  }

  /** Closes and joins: what was submitted is completed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.join()
  }

  /** @internal Refuses to travel. */
  [PACK](): never {
    throw new MpError('MP_NOT_SHAREABLE', 'a Pool stays in the context that made it')
  }

  [INSPECT](): string {
    const { workers, queued, running } = this.stats()
    return `Pool(${workers} workers, ${queued} queued, ${running} running)`
  }

  async #map(
    target: Target<never[]>,
    how: protocol.How,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions = {},
  ): Promise<unknown[]> {
    checkItems(items)
    checkJob(options)
    checkMap(options)
    const crew = this.#crew
    const callee = this.#callee(target)
    if (Symbol.asyncIterator in items) return mapAsync(crew, callee, how, items, options)
    const all = Array.isArray(items) ? items : Array.from(items)
    const job = new MapJob(crew, all.length, options)
    const chunksize = options.chunksize ?? Math.max(1, Math.ceil(all.length / (4 * crew.size)))
    return this.#submit(job, () => crew.submitAll(makeChunks(crew, job, callee, how, all, chunksize)))
  }

  #imap<R>(
    target: Target<never[]>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    ordered: boolean,
    options: ImapOptions = {},
  ): Results<R> {
    checkItems(items)
    checkJob(options)
    checkCount('chunksize', options.chunksize)
    checkCount('buffersize', options.buffersize)
    return new Results<R>(this.#crew, this.#callee(target), protocol.EACH, items, ordered, options)
  }

  #callee(target: unknown): Callee {
    this.#crew.checkOpen()
    return this.#crew.callee(target as Target<never[]>)
  }

  #submit<T>(job: Job & { pending: { promise: Promise<T> } }, submit: () => void): Promise<T> {
    try {
      submit()
    } catch (error) {
      job.fail(error)
    }
    return job.pending.promise
  }
}

async function mapAsync(
  crew: Scheduler,
  callee: Callee,
  how: protocol.How,
  items: AsyncIterable<unknown>,
  options: MapOptions,
): Promise<unknown[]> {
  const values: unknown[] = []
  let failure: { error: unknown } | undefined
  let done = 0
  await using results = new Results(crew, callee, how, items, false, options)
  for (let outcome = await results.take(); outcome; outcome = await results.take()) {
    if ('error' in outcome) failure ??= outcome
    else values[outcome.index] = outcome.value
    if (failure && options.failFast) break
    options.onProgress?.({ done: ++done, total: undefined })
  }
  if (failure) throw failure.error
  return values
}

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

function checkOptions(processes: number | undefined, options: PoolOptions): CrewOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('a Pool takes an object of options, such as { initializer, initargs }')
  }
  const unknown = Object.keys(options).find(key => !OPTIONS.includes(key))
  if (unknown !== undefined) throw new TypeError(`a Pool has no option '${unknown}', only ${OPTIONS.join(', ')}`)
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

function checkJob(options: JobOptions | undefined): void {
  checkWait(options)
  if (options?.grace !== undefined) checkMilliseconds('grace', options.grace)
}

function checkMap({ chunksize, onProgress, failFast }: MapOptions): void {
  checkCount('chunksize', chunksize)
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new TypeError(`onProgress must be a function, not ${typeof onProgress}`)
  }
  if (failFast !== undefined && typeof failFast !== 'boolean') {
    throw new TypeError(`failFast must be a boolean, not ${typeof failFast}`)
  }
}

function checkCount(name: string, count: unknown, least = 1): void {
  if (count === undefined) return
  if (typeof count !== 'number') throw new TypeError(`${name} must be a number, not ${typeof count}`)
  if (!Number.isInteger(count) || count < least)
    throw new RangeError(`${name} must be an integer from ${least}, not ${count}`)
}

function checkMilliseconds(name: string, ms: unknown): void {
  if (typeof ms !== 'number') throw new TypeError(`${name} must be a number of milliseconds, not ${typeof ms}`)
  if (!(ms >= 0)) throw new RangeError(`${name} must be a number of milliseconds from 0, not ${ms}`)
}

function checkItems(items: unknown): void {
  const object = Object(items) as object
  if (items === null || items === undefined || !(Symbol.iterator in object || Symbol.asyncIterator in object)) {
    throw new TypeError('items must be iterable, or async iterable')
  }
}
