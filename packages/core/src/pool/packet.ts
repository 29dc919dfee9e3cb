import { MpError } from '../errors.js'
import type { Message } from '../link/link.js'
import { type ByteBuffer, readU32, writeU32 } from '../runtime/byte-buffer.js'
import type { How } from './protocol.js'

/** Bytes before each task, or result, of a packet: the task's number, and the length of what follows. */
const HEAD = 8

/** Opens an entry of a packet. The caller appends the content, then calls {@link endEntry} with what this gives. */
export function beginEntry(out: ByteBuffer, task: number): number {
  const at = out.length
  out.reserve(HEAD)
  writeU32(out.bytes, at, task)
  out.length = at + HEAD
  return at
}

export function endEntry(out: ByteBuffer, at: number): void {
  writeU32(out.bytes, at + 4, out.length - at - HEAD)
}

/** Reads the entries of a packet, one after the other. The current one is `bytes[start, end)`, and belongs to the task `task`. */
export class Packet {
  readonly bytes: Uint8Array
  readonly parcels: Message['parcels']
  task = 0
  start = 0
  end: number
  #limit: number

  /** `skip`: where the first entry starts in the message. */
  constructor({ bytes, start, end, parcels }: Message, skip: number) {
    this.bytes = bytes
    this.parcels = parcels
    this.end = start + skip
    this.#limit = end
    if (this.end > end) throw malformed()
  }

  /** Whether `next` has reached the last one. */
  get empty(): boolean {
    return this.end === this.#limit
  }

  /** Whether `next` has reached any. */
  get begun(): boolean {
    return this.start > 0
  }

  /** Goes on to the next entry. False where there is none. Throws MP_DECODE where it is cut short. */
  next(): boolean {
    if (this.empty) return false
    const at = this.end
    this.task = readU32(this.bytes, at)
    this.start = at + HEAD
    this.end = this.start + readU32(this.bytes, at + 4)
    if (this.end > this.#limit) throw malformed()
    return true
  }

  /** Forgets the entries that `next` has not reached. */
  clear(): void {
    this.#limit = this.end
  }

  /** The numbers of the tasks that `next` has not reached. */
  *rest(): IterableIterator<number> {
    for (let at = this.end; at < this.#limit; at += HEAD + readU32(this.bytes, at + 4)) yield readU32(this.bytes, at)
  }
}

/** Tasks of one function that came in one message. */
export class TaskPacket extends Packet {
  readonly callee: number
  readonly how: How
  /** The tasks are of one job, and nobody hears of it before all of it is through. So results may wait for each other. */
  quiet: boolean

  constructor(message: Message) {
    super(message, 5)
    const { bytes, start } = message
    this.callee = readU32(bytes, start)
    this.how = ((bytes[start + 4] as number) & ~QUIET) as How
    this.quiet = ((bytes[start + 4] as number) & QUIET) !== 0
  }
}

/** Flag beside a {@link How}. */
export const QUIET = 0x80

function malformed(): MpError {
  return new MpError('MP_DECODE', 'a packet of tasks, or of results, is cut short')
}
