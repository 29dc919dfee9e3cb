import { type Handle, PACK, refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import type { Target } from '../process/target.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import { makeCall, makeChunks } from './encode-task.js'
import {
  type CloseOptions,
  checkCall,
  checkClose,
  checkImap,
  checkItems,
  checkMap,
  checkPoolWait,
  type ImapOptions,
  type JobOptions,
  type MapOptions,
} from './job-options.js'
import { Call, MapJob } from './jobs.js'
import { checkPoolOptions, type PoolOptions } from './pool-options.js'
import type { PoolStats } from './pool-stats.js'
import * as protocol from './protocol.js'
import { Results } from './results.js'
import { Scheduler } from './scheduler.js'
import type { Callee, Job } from './task.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

const dropped = new FinalizationRegistry<Scheduler>(scheduler => {
  if (!scheduler.isOpen) return
  process.emitWarning('a Pool was dropped without close(): it closes now', 'ResourceWarning')
  scheduler.close(false)
})

/**
 * Workers that call functions. A worker is a daemon Process, and runs one task at a time.
 *
 * - Functions are exported ones, like the targets of a Process. Arguments, items and results travel like the arguments of one.
 * - `apply` and `map` take arguments and items as they are at the call.
 * - A job settles whatever happens to its worker.
 * - The pool keeps a program alive only while the program waits for a job.
 */
export class Pool implements Handle {
  readonly #scheduler: Scheduler
  readonly #transport: Transport

  /** @internal Users call the Pool of their transport's package. */
  constructor(context: Context, transport: Transport, processes?: number, options: PoolOptions<never[]> = {}) {
    const checked = checkPoolOptions(processes, options)
    this.#transport = transport
    refuseSerialisation(this, 'Pool')
    this.#scheduler = new Scheduler(context, transport, checked)
    dropped.register(this, this.#scheduler, this.#scheduler)
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  /**
   * Calls the function in a worker. Gives what it returned, or rejects with what it threw. Also rejects with MP_WORKER_LOST (the
   * worker ended meanwhile; `exitCode` says how), MP_ENCODE (an argument or the result cannot travel), MP_TIMEOUT, MP_CLOSED,
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
    checkCall(options)
    const scheduler = this.#scheduler
    const callee = this.#callee(target)
    const job = new Call(scheduler, callee.name, options)
    return this.#submit(job, () => scheduler.submit(makeCall(scheduler, job, callee, Array.from(args)))) as Promise<
      Awaited<R>
    >
  }

  /**
   * Calls the function with each item. The results are in the order of the items. When calls fail, rejects with the first failure,
   * after all calls are through. The items are read at the call; those of an async input are read as workers need them.
   */
  map<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return this.#map(target as Target<never[]>, protocol.EACH, items, options) as Promise<Awaited<R>[]>
  }

  /** Like `map`, but each item is the array of arguments of one call. */
  starmap<A extends unknown[], R>(
    target: Target<A, R>,
    items: Iterable<A> | AsyncIterable<A>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return this.#map(target as Target<never[]>, protocol.EACH_SPREAD, items, options) as Promise<Awaited<R>[]>
  }

  /** A lazy `map`: gives results one at a time, in the order of the items, and reads items as results are taken. */
  imap<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions,
  ): Results<Awaited<R>> {
    return this.#imap(target as Target<never[]>, items, true, options)
  }

  /** Like `imap`, but the results are in the order in which they come. */
  imapUnordered<T, R>(
    target: Target<[item: T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions,
  ): Results<Awaited<R>> {
    return this.#imap(target as Target<never[]>, items, false, options)
  }

  /** What the pool has and does at the moment. */
  stats(): PoolStats {
    return this.#scheduler.stats
  }

  /** Takes no more jobs. Those that were submitted are completed, or with `cancelQueued` only those that have begun. */
  close(options?: CloseOptions): void {
    checkClose(options)
    dropped.unregister(this.#scheduler)
    this.#scheduler.close(options?.cancelQueued ?? false)
  }

  /** Ends the workers, whatever they do. Pending jobs reject with MP_CLOSED. */
  terminate(): void {
    dropped.unregister(this.#scheduler)
    this.#scheduler.terminate()
  }

  /**
   * Waits until all workers have ended. Rejects with MP_TIMEOUT when `timeout` ms pass first, and with MP_INVALID_STATE before
   * `close` or `terminate`.
   */
  async join(options?: WaitOptions): Promise<void> {
    checkPoolWait('join()', options)
    return this.#scheduler.join(options)
  }

  /** Closes the pool and joins it. What was submitted is completed. */
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
    checkMap(options)
    const scheduler = this.#scheduler
    const callee = this.#callee(target)
    if (Symbol.asyncIterator in items) return mapAsync(scheduler, callee, how, items, options)
    const all = Array.isArray(items) ? items : Array.from(items)
    const job = new MapJob(scheduler, all.length, options)
    const chunksize = options.chunksize ?? Math.max(1, Math.ceil(all.length / (4 * scheduler.size)))
    return this.#submit(job, () => scheduler.submitAll(makeChunks(scheduler, job, callee, how, all, chunksize)))
  }

  #imap<R>(
    target: Target<never[]>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    ordered: boolean,
    options: ImapOptions = {},
  ): Results<R> {
    checkItems(items)
    checkImap(options)
    return new Results<R>(this.#scheduler, this.#callee(target), protocol.EACH, items, ordered, options)
  }

  #callee(target: unknown): Callee {
    this.#scheduler.checkOpen()
    return this.#scheduler.callee(target as Target<never[]>)
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
  scheduler: Scheduler,
  callee: Callee,
  how: protocol.How,
  items: AsyncIterable<unknown>,
  options: MapOptions,
): Promise<unknown[]> {
  const values: unknown[] = []
  let failure: { error: unknown } | undefined
  let done = 0
  await using results = new Results(scheduler, callee, how, items, false, options)
  for (let outcome = await results.take(); outcome; outcome = await results.take()) {
    if ('error' in outcome) failure ??= outcome
    else values[outcome.index] = outcome.value
    if (failure && options.failFast) break
    options.onProgress?.({ done: ++done, total: undefined })
  }
  if (failure) throw failure.error
  return values
}
