import { MpError } from '../errors.js'
import { Pending } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Scheduler } from './scheduler.js'
import type { Job, Task } from './task.js'

/** How a job may be ended before it is done, beside its signal and its timeout. */
export interface JobOptions extends WaitOptions {
  /**
   * ms that a running task has, once its job was aborted or timed out, to notice (`currentTask().signal`) and return; then
   * its worker is killed and replaced. 1000 where absent; Infinity: never.
   */
  grace?: number | undefined
}

export interface Progress {
  /** Items that are done, failed ones too. */
  readonly done: number
  /** Undefined while the input has not been read to its end. */
  readonly total: number | undefined
}

const GRACE = 1000

/** What is common to jobs that one promise stands for. */
abstract class PromisedJob<T> implements Job {
  over = false
  queued = 0
  readonly quiet: boolean = false
  readonly pending = new Pending<T>()
  protected readonly crew: Scheduler

  constructor(crew: Scheduler, what: string, options: JobOptions | undefined) {
    this.crew = crew
    crew.open(this)
    if (!options) return
    const { signal, timeout } = options
    const late = () => new MpError('MP_TIMEOUT', `${what} was not done within ${timeout} ms`)
    let reason: unknown
    this.pending.limit(
      options,
      () => this.pending.reject(reason),
      () => {
        reason = signal?.aborted ? signal.reason : late()
        crew.cancel(this, reason, options.grace ?? GRACE)
      },
    )
  }

  abstract fulfilled(index: number, result: unknown): void
  abstract allFulfilled(first: number, results: readonly unknown[]): void
  abstract rejected(index: number, error: unknown): void
  abstract settled(task: Task): void

  fail(error: unknown): void {
    if (this.over) return
    this.crew.over(this)
    this.pending.reject(error)
  }

  protected succeed(value: T): void {
    this.crew.over(this)
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

export interface MapOptions extends JobOptions {
  /** Items that travel together, and count as one task. `ceil(length / (4 * workers))` where absent, and 1 for an async input. */
  chunksize?: number | undefined
  /** Called after each chunk. What it throws rejects the map. */
  onProgress?: ((progress: Progress) => void) | undefined
  /** Rejects as soon as a call fails, and drops what has not begun. Where absent or false it rejects when all calls are through. */
  failFast?: boolean | undefined
}

/** All items of an input that is at hand. */
export class MapJob extends PromisedJob<unknown[]> {
  override readonly quiet: boolean
  readonly #results: unknown[]
  readonly #options: MapOptions
  #left: number
  #failure: { readonly error: unknown } | undefined

  constructor(crew: Scheduler, length: number, options: MapOptions) {
    super(crew, 'the map', options)
    this.#results = new Array(length)
    this.#left = length
    this.#options = options
    this.quiet = !options.onProgress
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
      this.#options.onProgress?.({ done: this.#results.length - this.#left, total: this.#results.length })
    } catch (error) {
      return this.#stop(error)
    }
    if (this.#left > 0) return
    if (this.#failure) this.fail(this.#failure.error)
    else this.succeed(this.#results)
  }

  /** What runs is told, and may end in its own time. */
  #stop(error: unknown): void {
    this.crew.cancel(this, error, Number.POSITIVE_INFINITY)
    this.pending.reject(error)
  }
}
