/** Every code that an {@link MpError} can carry. The codes are part of the API (semver); the messages are not. */
export type MpErrorCode =
  | 'MP_EMPTY'
  | 'MP_FULL'
  | 'MP_EOF'
  | 'MP_BROKEN_PIPE'
  | 'MP_CLOSED'
  | 'MP_SHUT_DOWN'
  | 'MP_TIMEOUT'
  | 'MP_INVALID_STATE'
  | 'MP_NOT_SHAREABLE'
  | 'MP_NOT_SUPPORTED'
  | 'MP_BAD_TARGET'
  | 'MP_SPAWN_FAILED'
  | 'MP_ENCODE'
  | 'MP_DECODE'
  | 'MP_FRAME_TOO_LARGE'
  | 'MP_BUFFER_TOO_SHORT'
  | 'MP_WORKER_LOST'
  | 'MP_BROKEN_POOL'
  | 'MP_BROKEN_BARRIER'
  | 'MP_AUTH'
  | 'MP_BUSY'
  | 'MP_REMOTE'

/**
 * The one error class of `@mp/*`. Branch on `code`, never on the message.
 *
 * `cause` holds what led here, where something did. An error that a target threw and whose class this context does not
 * know arrives as an `MpError` with the code `MP_REMOTE`, and with the name, message, own fields, cause and stack it had.
 */
export class MpError extends Error {
  override name = 'MpError'
  readonly code: MpErrorCode
  /** Of MP_WORKER_LOST in a Pool: the exit code of the worker, as `Process.exitCode` has it. */
  declare exitCode?: number

  constructor(code: MpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whether `error` is an {@link MpError} with this code. */
export function hasCode(error: unknown, code: MpErrorCode): error is MpError {
  return error instanceof MpError && error.code === code
}
