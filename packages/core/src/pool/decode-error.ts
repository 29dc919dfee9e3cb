import { MpError } from '../errors.js'

/** Makes an MpError of what the `decode` of a registered type threw. `what` has failed. */
export function asDecodeError(error: unknown, what: string): MpError {
  if (error instanceof MpError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new MpError('MP_DECODE', `${what}: ${why}`, { cause: error })
}
