import type { Context } from '../context/context.js'
import { MessageReader } from '../context/message-reader.js'
import { MpError } from '../errors.js'
import type { Message } from '../link/link.js'
import { discardParcels } from '../link/wire-end.js'
import { readU32 } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import { asDecodeError } from './decode-error.js'
import type { Packet } from './packet.js'
import * as protocol from './protocol.js'
import { rejectAll, type Task } from './task.js'

/** Reads what a worker says of its tasks, and tells it to their jobs. What nobody waits for any more is discarded. */
export class ResultReceiver {
  readonly #transport: Transport
  readonly #reader: MessageReader

  constructor(context: Context, transport: Transport) {
    this.#transport = transport
    this.#reader = new MessageReader(context, transport)
  }

  /** Takes a message of one task: FAILED, FULFILLED, REJECTED, SETTLED. Throws MP_DECODE for any other. */
  message(task: Task, message: Message): void {
    const { job, first } = task
    if (job.over) return discardParcels(message.parcels, this.#transport)
    switch (message.type) {
      case protocol.FAILED: {
        const read = this.#tryRead(message, 4)
        return rejectAll(task, 'error' in read ? read.error : read.value)
      }
      case protocol.FULFILLED:
      case protocol.REJECTED: {
        const place = readU32(message.bytes, message.start + 4)
        if (place >= task.count) throw malformed()
        const index = first + place
        const read = this.#tryRead(message, 8)
        if (!('error' in read) && message.type === protocol.FULFILLED) return job.fulfilled(index, read.value)
        task.failed = true
        return job.rejected(index, 'error' in read ? read.error : read.value)
      }
      case protocol.SETTLED:
        return
      default:
        throw new MpError('MP_DECODE', `a worker sends no message of type ${message.type}`)
    }
  }

  /** Takes the current entry of a packet of results. */
  entry(task: Task, packet: Packet): void {
    const { job, how, first } = task
    if (job.over) return discardParcels(packet.parcels, this.#transport)
    let value: unknown
    try {
      value = this.#reader.read(packet)
    } catch (error) {
      return rejectAll(task, asDecodeError(error, 'the result could not be read'))
    }
    if (how === protocol.ONE || how === protocol.ITEM) return job.fulfilled(first, value)
    if (!Array.isArray(value) || value.length !== task.count) throw malformed()
    job.allFulfilled(first, value)
  }

  /** Decodes the body of a message, after `skip` bytes. */
  read({ bytes, start, end, parcels }: Message, skip: number): unknown {
    return this.#reader.read({ bytes, start: start + skip, end, parcels })
  }

  /** What a registered type's `decode` throws is the failure of that job, and of no other. */
  #tryRead(message: Message, skip: number): { value: unknown } | { error: unknown } {
    try {
      return { value: this.read(message, skip) }
    } catch (error) {
      return { error: asDecodeError(error, 'the result could not be read') }
    }
  }
}

export function malformed(): MpError {
  return new MpError('MP_DECODE', 'a worker speaks of items that its task does not have')
}
