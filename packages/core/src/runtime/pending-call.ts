import { setMaxListeners } from 'node:events'
import { hold, release } from './keep-alive.js'

/** What every waiting call takes. */
export interface WaitOptions {
  /** Milliseconds; negative counts as 0. Absent, null or Infinity: no limit. */
  timeout?: number | null | undefined
  /** Aborting rejects the call with the signal's reason; nothing is lost or done twice. */
  signal?: AbortSignal | undefined
}

/**
 * One waiting call: a promise that settles once, by its answer, its timeout or its signal. Until then it keeps the event
 * loop alive.
 */
export class Pending<T> {
  readonly promise: Promise<T>
  settled = false
  #resolve!: (value: T | PromiseLike<T>) => void
  #reject!: (reason: unknown) => void
  #limits: Limits | undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    hold()
  }

  /**
   * Arms the limits. When one of them comes first `onCancel` runs; then `onTimeout` settles the call by its own rules (an
   * error, null, false), or it rejects with the signal's reason.
   */
  limit(options: WaitOptions | undefined, onTimeout: () => void, onCancel: () => void): this {
    const timeout = checkTimeout(options?.timeout)
    const signal = options?.signal ?? undefined
    const limits: Limits = { onCancel, timer: undefined, signal, onAbort: undefined }
    this.#limits = limits
    if (timeout !== undefined) {
      limits.timer = setTimeout(() => {
        if (this.settled) return
        onCancel()
        onTimeout()
      }, timeout)
    }
    if (signal) {
      limits.onAbort = () => this.abandon(signal.reason)
      // Any number of calls may share one signal; Node warns of eleven.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', limits.onAbort, { once: true })
    }
    return this
  }

  /** From here on nothing but its answer settles it. */
  unlimit(): void {
    if (this.#limits) disarm(this.#limits)
    this.#limits = undefined
  }

  resolve(value: T): void {
    if (this.#settle()) this.#resolve(value)
  }

  reject(reason: unknown): void {
    if (this.#settle()) this.#reject(reason)
  }

  /** Rejects, and whoever would have answered is told to forget the call. */
  abandon(reason: unknown): void {
    if (this.settled) return
    this.#limits?.onCancel()
    this.reject(reason)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    release()
    if (this.#limits) disarm(this.#limits)
    return true
  }
}

function disarm({ timer, signal, onAbort }: Limits): void {
  clearTimeout(timer)
  if (onAbort) signal?.removeEventListener('abort', onAbort)
}

interface Limits {
  readonly onCancel: () => void
  timer: NodeJS.Timeout | undefined
  readonly signal: AbortSignal | undefined
  onAbort: (() => void) | undefined
}

/**
 * Checks the options of a waiting call, at the call. Gives the timeout: milliseconds that setTimeout takes, or undefined for
 * none. Throws the reason of a signal that is aborted already.
 */
export function checkWait(options: WaitOptions | undefined): number | undefined {
  if (options === undefined) return undefined
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, such as { timeout: 1000 }, not ${typeof options}`)
  }
  const { signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal')
  const timeout = checkTimeout(options.timeout)
  signal?.throwIfAborted()
  return timeout
}

/** Until when a blocking call may wait, as performance.now() counts; Infinity without a limit. */
export function deadlineOf(options: WaitOptions | undefined): number {
  const timeout = checkWait(options)
  return timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
}

/** Milliseconds that setTimeout takes, or undefined for no limit. */
function checkTimeout(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null || timeout === Number.POSITIVE_INFINITY) return undefined
  if (typeof timeout !== 'number')
    throw new TypeError(`timeout must be a number of milliseconds, not ${typeof timeout}`)
  if (Number.isNaN(timeout)) throw new RangeError('timeout must be a number of milliseconds, not NaN')
  return Math.min(Math.max(timeout, 0), 0x7fff_ffff)
}
