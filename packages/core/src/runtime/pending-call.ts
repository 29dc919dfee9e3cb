import { setMaxListeners } from 'node:events'
import { hold, release } from './keep-alive.js'
import { checkTimeout, type WaitOptions } from './wait-options.js'

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
   * Sets the timeout and the signal. If one of them comes before the answer, `onCancel` runs first. Then, after a timeout,
   * `onTimeout` settles the call by its own rules (an error, null, false); after an abort, the call rejects with the
   * signal's reason.
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
      // Any number of calls may share one signal. Node would warn of eleven.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', limits.onAbort, { once: true })
    }
    return this
  }

  /** Takes the limits off: from here on only the answer settles the call. */
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

  /** Rejects, and runs `onCancel`, so that whoever would have answered forgets the call. */
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

/** Is told of each call of one handle that waits, so that the handle's `close` can reject it. */
export type Waits = (call: WaitingCall) => void

export interface WaitingCall {
  readonly promise: Promise<unknown>
  abandon(reason: unknown): void
}
