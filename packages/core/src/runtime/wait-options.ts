/** The longest that a timer can take, ms. */
export const LONGEST_TIMER = 0x7fff_ffff

/** The options of every call that waits. */
export interface WaitOptions {
  /** Milliseconds; negative counts as 0. Absent, null or Infinity: no limit. */
  timeout?: number | null | undefined
  /** Aborting rejects the call with the signal's reason; nothing is lost or done twice. */
  signal?: AbortSignal | undefined
}

/**
 * Checks the options of a waiting call, at the call. Gives the timeout: milliseconds that setTimeout takes, or undefined for no
 * limit. Throws the reason of a signal that is aborted already.
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
export function checkTimeout(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null || timeout === Number.POSITIVE_INFINITY) return undefined
  if (typeof timeout !== 'number')
    throw new TypeError(`timeout must be a number of milliseconds, not ${typeof timeout}`)
  if (Number.isNaN(timeout)) throw new RangeError('timeout must be a number of milliseconds, not NaN')
  return Math.min(Math.max(timeout, 0), LONGEST_TIMER)
}
