import { MpError } from '../errors.js'

export function malformed(what: string): MpError {
  return new MpError('MP_DECODE', `Cannot decode: ${what} is malformed`)
}
