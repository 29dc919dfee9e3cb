import { AsyncLocalStorage } from 'node:async_hooks'
import { MpError } from '../errors.js'
import { Pending } from '../runtime/pending-call.js'
import { DEFAULT_GRACE, type JobOptions, type MapOptions } from './job-options.js'
import type { Scheduler } from './scheduler.js'
import type { Job, Task } from './task.js'

/** A job whose outcome is one promise. */
abstract class PromisedJob<T> implements Job {
  over = false
  queued = 0
  readonly quiet: boolean = false
  readonly pending = new Pending<T>()
  protected readonly scheduler: Scheduler

  constructor(scheduler: Scheduler, what: string, options: JobOptions | undefined) {
    this.scheduler = scheduler
    scheduler.open(this)
    if (!options) return
    const { signal, timeout } = options
    const late = () => new MpError('MP_TIMEOUT', `${what} was not done within ${timeout} ms`)
    let reason: unknown
    this.pending.limit(
      options,
      () => this.pending.reject(reason),
      () => {
        reason = signal?.aborted ? signal.reason : late()
        scheduler.cancel(this, reason, options.grace ?? DEFAULT_GRACE)
      },
    )
  }

  abstract fulfilled(index: number, result: unknown): void
  abstract allFulfilled(first: number, results: readonly unknown[]): void
  abstract rejected(index: number, error: unknown): void
  abstract settled(task: Task): void

  fail(error: unknown): void {
    if (this.over) return
    this.scheduler.over(this)
    this.pending.reject(error)
  }

  protected succeed(value: T): void {
    this.scheduler.over(this)
    this.pending.resolve(value)
  }
}

/** One call. */
export class Call extends PromisedJob<unknown> {
  fulfilled(_index: number, result: unknown): void {
    this.succeed(result)
  }

  allFulfilled(_first: number, [result]: readonly unknown[]): void {
    this.succeed(result)
  }

  rejected(_index: number, error: unknown): void {
    this.fail(error)
  }

  settled(): void {}
}

/** Calls with all items of an input that is at hand. */
export class MapJob extends PromisedJob<unknown[]> {
  override readonly quiet: boolean
  readonly #results: unknown[]
  readonly #options: MapOptions
  readonly #inCallersContext: ((call: () => void) => void) | undefined
  #left: number
  #failure: { readonly error: unknown } | undefined

  constructor(scheduler: Scheduler, length: number, options: MapOptions) {
    super(scheduler, 'the map', options)
    this.#results = new Array(length)
    this.#left = length
    this.#options = options
    this.quiet = !options.onProgress
    if (options.onProgress) this.#inCallersContext = AsyncLocalStorage.snapshot()
    if (length === 0) this.succeed([])
  }

  fulfilled(index: number, result: unknown): void {
    this.#results[index] = result
  }

  allFulfilled(first: number, results: readonly unknown[]): void {
    for (let i = 0; i < results.length; i++) this.#results[first + i] = results[i]
  }

  rejected(_index: number, error: unknown): void {
    this.#failure ??= { error }
    if (this.#options.failFast) this.#stop(error)
  }

  settled({ count }: Task): void {
    if (this.over) return
    this.#left -= count
    try {
      this.#inCallersContext?.(() => {
        this.#options.onProgress?.({ done: this.#results.length - this.#left, total: this.#results.length })
      })
    } catch (error) {
      return this.#stop(error)
    }
    if (this.#left > 0) return
    if (this.#failure) this.fail(this.#failure.error)
    else this.succeed(this.#results)
  }

  /** Tasks that run are told, and may take their time to end. */
  #stop(error: unknown): void {
    this.scheduler.cancel(this, error, Number.POSITIVE_INFINITY)
    this.pending.reject(error)
  }
}
