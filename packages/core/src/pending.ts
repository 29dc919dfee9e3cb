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
 * loop alive. `onCancel` runs when the timeout or the signal came first, before the promise settles.
 */
export class Pending<T> {
  readonly promise: Promise<T>
  settled = false
  #resolve!: (value: T | PromiseLike<T>) => void
  #reject!: (reason: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined
  #onCancel: (() => void) | undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    hold()
  }

  /** Arms the limits. `onTimeout` settles the call by its own rules (an error, null, false). */
  limit(options: WaitOptions | undefined, onTimeout: () => void, onCancel: () => void): this {
    this.#onCancel = onCancel
    const timeout = checkTimeout(options?.timeout)
    const signal = options?.signal
    if (timeout !== undefined) {
      this.#timer = setTimeout(() => {
        if (this.settled) return
        onCancel()
        onTimeout()
      }, timeout)
    }
    if (signal) {
      this.#signal = signal
      this.#onAbort = () => {
        if (this.settled) return
        onCancel()
        this.reject(signal.reason)
      }
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    return this
  }

  resolve(value: T): void {
    if (this.#settle()) this.#resolve(value)
  }

  reject(reason: unknown): void {
    if (this.#settle()) this.#reject(reason)
  }

  /** Rejects as the timeout would: whoever would have answered is told to forget the call. */
  abandon(reason: unknown): void {
    if (this.settled) return
    this.#onCancel?.()
    this.reject(reason)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    release()
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    if (this.#signal) this.#signal.removeEventListener('abort', this.#onAbort as () => void)
    return true
  }
}

/** Checks a timeout at the call: milliseconds that setTimeout takes, or undefined for none. */
export function checkTimeout(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null || timeout === Number.POSITIVE_INFINITY) return undefined
  if (typeof timeout !== 'number')
    throw new TypeError(`timeout must be a number of milliseconds, not ${typeof timeout}`)
  if (Number.isNaN(timeout)) throw new RangeError('timeout must be a number of milliseconds, not NaN')
  return Math.min(Math.max(timeout, 0), 0x7fff_ffff)
}
