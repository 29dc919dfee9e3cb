import { MpError } from '../errors.js'

/** Thrown within a backend's `take`, for a message that this call cannot take and another call can: it stays in the pipe. */
export class MessageStays {
  readonly reason: MpError

  constructor(reason: MpError) {
    this.reason = reason
  }
}

export function notOpen(state: 'closed' | 'moved', transportName: string): MpError {
  const how = state === 'moved' ? 'was sent to another context, which holds it now' : 'is closed'
  return new MpError('MP_CLOSED', `this Connection ${how} (${transportName})`)
}

export function wrongWay(direction: 'readable' | 'writable'): MpError {
  const only = direction === 'readable' ? 'write' : 'read'
  return new MpError('MP_INVALID_STATE', `this end of the pipe is ${only}-only`)
}

export function cannotBlock(transportName: string): MpError {
  return new MpError('MP_NOT_SUPPORTED', `a Connection of ${transportName} has no blocking calls`)
}

export function cannotMoveYet(): MpError {
  return new MpError('MP_NOT_SHAREABLE', 'a Connection with a pending recv or poll cannot be sent')
}

/** A recv that ran out of time. */
export function late(limit: number | undefined): MpError {
  return new MpError('MP_TIMEOUT', `nothing was received within ${limit} ms`)
}

/** A blocking send that ran out of time. */
export function noRoom(): MpError {
  return new MpError('MP_TIMEOUT', 'the other end of the pipe made no room in time')
}

export function noBytes(): MpError {
  return new MpError('MP_DECODE', 'the next message is no bytes; take it with recv()')
}

export function tooLong(length: number, maxLength: number): MpError {
  return new MpError('MP_BUFFER_TOO_SHORT', `the next message has ${length} bytes, and there is room for ${maxLength}`)
}

export function endOfFile(transportName: string, cause?: Error): MpError {
  return new MpError('MP_EOF', `the other end of the pipe is gone (${transportName})`, cause ? { cause } : undefined)
}

export function brokenPipe(cause?: Error): MpError {
  return new MpError(
    'MP_BROKEN_PIPE',
    'the other end of the pipe is gone: nobody can receive this',
    cause ? { cause } : undefined,
  )
}
