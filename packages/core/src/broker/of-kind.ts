import { MpError } from '../errors.js'

/**
 * What a context already has by the id of a handle that has come in a message. Throws MP_DECODE if that is of another kind than the
 * handle: only a context that breaks the protocol sends such a message.
 */
export function ofKind<T>(found: unknown, kind: abstract new (...args: never[]) => T): T | undefined {
  if (found === undefined || found instanceof kind) return found
  throw new MpError('MP_DECODE', 'a handle came with the id of an object of another kind')
}
