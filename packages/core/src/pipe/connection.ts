import { encode, isBytes } from '../codec/codec.js'
import { type Handle, PACK, type PackedHandle, refuseSerialisation } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { type HandleOpener, MessageReader } from '../context/message-reader.js'
import { Envelopes, type HandlePacking } from '../context/message-writer.js'
import { checkTravels } from '../context/network-transport.js'
import { hasCode, MpError } from '../errors.js'
import { Link, type LinkUser, type Message } from '../link/link.js'
import { discard, discardParcels, type End, open, pair } from '../link/wire-end.js'
import { appendBytes } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import { caughtUp, roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { WaitList } from '../runtime/wait-list.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'

/** One value, encoded. */
const VALUE = 16

export interface SendOptions {
  /** ArrayBuffers, and where the transport carries them ports, that leave this context at the call instead of being copied. */
  transfer?: readonly object[] | undefined
}

/** A recv that waits, and what it makes of the message. */
class Receiver extends Pending<unknown> {
  readonly take: (message: Message) => unknown

  constructor(take: (message: Message) => unknown) {
    super()
    this.take = take
  }
}

/** Which of a pipe's two ends it is, and what it may do. */
export interface Side {
  readonly first: boolean
  readonly readable: boolean
  readonly writable: boolean
}

/** What another context needs to open an end that arrives there. */
interface PackedConnection extends Side {
  readonly end: number
  /** The end of a wire that brings what the mover had received and not read; it comes before all else. */
  readonly backlog: number | null
}

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * One end of a Pipe. Sent to another context it *moves*: this object is then closed, and end of file stays reliable.
 *
 * Messages keep their boundaries and their order. Everything sent before the other end closed, or died, can still be read.
 */
export class Connection<S = unknown, R = S> implements AsyncIterable<R>, Handle {
  /** Whether this end may receive. */
  readonly readable: boolean
  /** Whether this end may send. */
  readonly writable: boolean
  readonly #first: boolean
  readonly #context: Context
  readonly #transport: Transport
  /** Until the first use. An end that was never used moves on without a trace. */
  #end: End | undefined
  #link: Link | undefined
  #state: 'open' | 'closed' | 'moved' = 'open'
  readonly #inbox = new Deque<Message>()
  readonly #receivers = new WaitList<Receiver>()
  readonly #pollers = new Set<Pending<boolean>>()
  /** The other end is gone: what is in the inbox is all that will come. */
  #over: { error: Error | undefined } | undefined
  /** What arrives on the main link while the backlog of a moved end is still coming. */
  #held: (() => void)[] | undefined
  #backlogEnd: End | undefined
  #backlogEnded: Promise<void> | undefined
  #endBacklog: (() => void) | undefined
  readonly #envelopes: Envelopes
  readonly #reader: MessageReader

  /** @internal Users call Pipe(). */
  constructor(context: Context, transport: Transport, side: Side, end: End, backlog?: End) {
    this.#context = context
    this.#transport = transport
    this.#end = end
    this.#backlogEnd = backlog
    this.#envelopes = new Envelopes(transport)
    this.#reader = new MessageReader(context, transport)
    this.#first = side.first
    this.readable = side.readable
    this.writable = side.writable
    refuseSerialisation(this, 'Connection')
  }

  get closed(): boolean {
    return this.#state !== 'open'
  }

  /**
   * Sends a value as it is now; later changes are not seen. Resolves when it is on its way: at 4 MiB unread, or where the
   * medium takes no more, it waits for the reader. Rejects with MP_BROKEN_PIPE when the other end is gone, MP_ENCODE (nothing sent) when `value` cannot travel.
   */
  send(value: S, options?: SendOptions): Promise<void> {
    return this.#send(value, options?.transfer)
  }

  /** Sends `size` bytes of `data` from `offset`; the other end gets them as one Uint8Array. */
  sendBytes(data: ArrayBufferView | ArrayBufferLike, offset = 0, size?: number): Promise<void> {
    let bytes: Uint8Array
    try {
      bytes = bytesOf(data, offset, size)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#send(bytes, undefined)
  }

  /** The next message. Rejects with MP_EOF once the other end is gone and everything it sent was read. */
  recv(options?: WaitOptions): Promise<R> {
    return this.#recv(options, this.#decode) as Promise<R>
  }

  /**
   * The next message, which must be bytes. One that is not (MP_DECODE), or is longer than `maxLength`
   * (MP_BUFFER_TOO_SHORT), stays to be received.
   */
  recvBytes(maxLength = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<Uint8Array> {
    if (typeof maxLength !== 'number' || !(maxLength >= 0)) {
      return Promise.reject(badLength(maxLength))
    }
    return this.#recv(options, each => this.#decodeBytes(each, maxLength)) as Promise<Uint8Array>
  }

  /** As `recvBytes`, into `target` from byte `offset` on; the rest of it stays. Resolves with the number of bytes. */
  recvBytesInto(target: ArrayBufferView | ArrayBuffer, offset = 0, options?: WaitOptions): Promise<number> {
    let room: Uint8Array
    try {
      room = bytesOf(target, offset)
    } catch (error) {
      return Promise.reject(error)
    }
    const take = (each: Message) => {
      const bytes = this.#decodeBytes(each, room.length)
      room.set(bytes)
      return bytes.length
    }
    return this.#recv(options, take) as Promise<number>
  }

  /**
   * Whether `recv` would not wait: a message is here, or the end of file. `timeout` in ms: 0 or negative looks once, null
   * waits for ever.
   */
  async poll(timeout: number | null = 0, options?: { signal?: AbortSignal }): Promise<boolean> {
    const limit = checkWait({ ...options, timeout })
    this.#check('readable')
    if (this.#ready()) return true
    if (limit === 0) {
      // What has already been sent may not have been seen here; and the first use opens the wire.
      await caughtUp()
      this.#check('readable')
      return this.#ready()
    }
    const pending = new Pending<boolean>()
    const forget = () => void this.#pollers.delete(pending)
    this.#pollers.add(pending)
    pending.limit({ timeout: limit, signal: options?.signal }, () => pending.resolve(false), forget)
    return pending.promise
  }

  /** Closes this end: what was sent arrives, then the other end reads MP_EOF. Pending calls here reject with MP_CLOSED. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    for (const { parcels } of this.#inbox) discardParcels(parcels, this.#transport)
    this.#inbox.clear()
    const gone = this.#closedError()
    for (const receiver of this.#receivers) receiver.reject(gone)
    this.#receivers.clear()
    for (const poller of this.#pollers) poller.reject(gone)
    this.#pollers.clear()
    if (this.#backlogEnd) discard(this.#backlogEnd, this.#transport)
    if (this.#end) discard(this.#end, this.#transport)
    else if (this.#link) {
      this.#link.close()
      this.#context.links.delete(this.#link)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    for (;;) {
      let value: R
      try {
        value = await this.recv()
      } catch (error) {
        if (hasCode(error, 'MP_EOF')) return
        throw error
      }
      yield value
    }
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  [INSPECT](): string {
    return `Connection(${[this.#state, this.readable && 'readable', this.writable && 'writable'].filter(Boolean).join(', ')})`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal Moves this end into a message. */
  [PACK](packing: HandlePacking): PackedHandle {
    if (this.#state !== 'open') throw this.#closedError()
    if (this.#receivers.length > 0 || this.#pollers.size > 0) {
      throw new MpError('MP_NOT_SHAREABLE', 'a Connection with a pending recv or poll cannot be sent')
    }
    checkTravels('Connection', this.#transport, packing.transport)
    const { readable, writable } = this
    const first = this.#first
    // From here on nobody else can have it, also not another part of the same message; it comes back if that does not go.
    this.#state = 'moved'
    packing.onRollback(() => {
      this.#state = 'open'
    })
    let state: PackedConnection
    if (this.#link || this.#backlogEnd) {
      const [forOther, forTaker] = pair(this.#transport)
      const [forBacklog, backlog] = pair(this.#transport)
      packing.onCommit(() => this.#hand(forOther, forBacklog))
      state = { first, readable, writable, end: packing.attachEnd(forTaker), backlog: packing.attachEnd(backlog) }
    } else {
      const end = this.#end as End
      const index = packing.attachMoved(end)
      packing.onCommit(() => {
        this.#end = undefined
      })
      state = { first, readable, writable, end: index, backlog: null }
    }
    return { kind: 'connection', state }
  }

  /**
   * An end that was in use: the other end goes over to a new wire, to the taker. What it had sent this way before, and
   * nobody has read, goes to the taker on a second wire, first.
   */
  #hand(forOther: End, forBacklog: End): void {
    const link = this.#open()
    const unread = new Link(open(forBacklog, this.#transport), this.#transport, {
      message() {},
      closed() {},
      lost: brokenPipe,
    })
    this.#context.links.add(unread)
    const forward = ({ link: from, bytes, start, end, parcels, cost }: Message) => {
      unread.control(VALUE, out => appendBytes(out, bytes, start, end), parcels)
      from.credit(cost)
    }
    for (const each of this.#inbox) forward(each)
    this.#inbox.clear()
    this.#forward = forward
    // An end that was handed on before has a backlog of its own, which must have come, too.
    const done = Promise.all([link.move(forOther), this.#backlogEnded]).then(() => {
      unread.close()
      this.#context.links.delete(unread)
      this.#context.links.delete(link)
    })
    this.#context.finishing(done, link)
  }

  /** Where messages go that arrive after the end has moved. */
  #forward: ((message: Message) => void) | undefined

  #send(value: unknown, transfer: readonly object[] | undefined): Promise<void> {
    try {
      this.#check('writable')
      const link = this.#open()
      if (this.#over) throw this.#brokenPipe()
      const envelope = this.#envelopes.take(checkTransfer(transfer))
      const out = link.begin(VALUE, true)
      try {
        encode(value, out, envelope)
        envelope.seal()
      } catch (error) {
        link.abandon(out)
        envelope.rollback()
        throw error
      }
      const accepted = link.commit(out, envelope.parcels)
      this.#envelopes.commit(envelope)
      return accepted
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #recv(options: WaitOptions | undefined, take: (message: Message) => unknown): Promise<unknown> {
    try {
      this.#check('readable')
      const limit = checkWait(options)
      this.#open()
      if (this.#inbox.length > 0) {
        const value = this.#take(take)
        return turnIsLong(roughNow()) ? turn().then(() => value) : Promise.resolve(value)
      }
      if (this.#over) throw this.#endOfFile()
      const receiver = new Receiver(take)
      this.#receivers.push(receiver)
      if (limit !== undefined || options?.signal) {
        const forget = () => void this.#receivers.delete(receiver)
        receiver.limit(options, () => receiver.reject(late(limit)), forget)
      }
      return receiver.promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Takes the first message out of the inbox. */
  #take(take: (message: Message) => unknown): unknown {
    const first = this.#inbox.shift() as Message
    try {
      const value = take(first)
      first.link.credit(first.cost)
      return value
    } catch (error) {
      if (error instanceof MessageStays) {
        this.#inbox.unshift(first)
        throw error.reason
      }
      first.link.credit(first.cost)
      throw error
    }
  }

  readonly #decode = (message: Message): unknown => {
    return this.#reader.read(message)
  }

  #decodeBytes(message: Message, maxLength: number): Uint8Array {
    if (!isBytes(message.bytes, message.start)) {
      throw new MessageStays(noBytes())
    }
    const bytes = this.#decode(message) as Uint8Array
    if (bytes.length <= maxLength) return bytes
    throw new MessageStays(tooLong(bytes.length, maxLength))
  }

  #arrived(message: Message): void {
    if (this.#state === 'closed') return discardParcels(message.parcels, this.#transport)
    if (this.#forward) return this.#forward(message)
    this.#inbox.push(message)
    if (this.#pollers.size > 0) {
      for (const poller of this.#pollers) poller.resolve(true)
      this.#pollers.clear()
    }
    while (this.#receivers.length > 0 && this.#inbox.length > 0) {
      const receiver = this.#receivers.shift() as Receiver
      try {
        receiver.resolve(this.#take(receiver.take))
      } catch (error) {
        receiver.reject(error)
      }
    }
  }

  #ended(error: Error | undefined): void {
    this.#over = { error }
    if (this.#link) this.#context.links.delete(this.#link)
    for (const poller of this.#pollers) poller.resolve(true)
    this.#pollers.clear()
    for (let next = this.#receivers.shift(); next; next = this.#receivers.shift()) next.reject(this.#endOfFile())
  }

  #open(): Link {
    if (this.#link) return this.#link
    const wire = open(this.#end as End, this.#transport)
    this.#end = undefined
    this.#link = this.#listen(wire, false)
    this.#link.keepFirst()
    if (this.#backlogEnd) {
      this.#held = []
      this.#backlogEnded = new Promise(resolve => {
        this.#endBacklog = resolve
      })
      this.#listen(open(this.#backlogEnd, this.#transport), true)
      this.#backlogEnd = undefined
    }
    return this.#link
  }

  #listen(wire: ReturnType<typeof open>, backlog: boolean): Link {
    const user: LinkUser = {
      message: message => {
        if (message.type !== VALUE) throw new MpError('MP_DECODE', `a pipe carries no message of type ${message.type}`)
        if (this.#held && !backlog) this.#held.push(() => this.#arrived(message))
        else this.#arrived(message)
      },
      closed: error => {
        this.#context.links.delete(link)
        if (backlog) {
          const held = this.#held ?? []
          this.#held = undefined
          for (const each of held) each()
          this.#endBacklog?.()
        } else if (this.#held) this.#held.push(() => this.#ended(error))
        else this.#ended(error)
      },
      lost: () => this.#brokenPipe(),
      first: this.#first,
    }
    const link = new Link(wire, this.#transport, user)
    this.#context.links.add(link)
    return link
  }

  #ready(): boolean {
    this.#open()
    return this.#inbox.length > 0 || this.#over !== undefined
  }

  #check(direction: 'readable' | 'writable'): void {
    if (this.#state !== 'open') throw this.#closedError()
    if (!this[direction]) throw wrongWay(direction === 'readable' ? 'write' : 'read')
  }

  #closedError(): MpError {
    const how = this.#state === 'moved' ? 'was sent to another context, which holds it now' : 'is closed'
    return new MpError('MP_CLOSED', `this Connection ${how} (${this.#transport.name})`)
  }

  #endOfFile(): Error {
    const cause = this.#over?.error
    if (cause instanceof MpError) return cause
    return new MpError(
      'MP_EOF',
      `the other end of the pipe is gone (${this.#transport.name})`,
      cause ? { cause } : undefined,
    )
  }

  #brokenPipe(): MpError {
    if (this.#state !== 'open') return this.#closedError()
    return brokenPipe(this.#over?.error)
  }
}

/** Makes an end that arrived in a message usable in `context`. */
export const openConnection: HandleOpener = (context, transport, state, endOf) => {
  const packed: PackedConnection = state
  const backlog = packed.backlog === null ? undefined : endOf(packed.backlog)
  return new Connection(context, transport, packed, endOf(packed.end), backlog)
}

/** A message that the caller cannot take, and another call can. */
export class MessageStays {
  readonly reason: MpError

  constructor(reason: MpError) {
    this.reason = reason
  }
}

export function wrongWay(only: 'read' | 'write'): MpError {
  return new MpError('MP_INVALID_STATE', `this end of the pipe is ${only}-only`)
}

export function late(limit: number | undefined): MpError {
  return new MpError('MP_TIMEOUT', `nothing was received within ${limit} ms`)
}

export function badLength(maxLength: unknown): RangeError {
  return new RangeError(`maxLength must be a number of bytes, not ${maxLength}`)
}

export function noBytes(): MpError {
  return new MpError('MP_DECODE', 'the next message is no bytes; take it with recv()')
}

export function tooLong(length: number, maxLength: number): MpError {
  return new MpError('MP_BUFFER_TOO_SHORT', `the next message has ${length} bytes, and there is room for ${maxLength}`)
}

export function brokenPipe(cause?: Error): MpError {
  return new MpError(
    'MP_BROKEN_PIPE',
    'the other end of the pipe is gone: nobody can receive this',
    cause ? { cause } : undefined,
  )
}

/** A view of `size` bytes from byte `offset`; RangeError where there are fewer. */
export function bytesOf(data: ArrayBufferView | ArrayBufferLike, offset: number, size?: number): Uint8Array {
  let all: Uint8Array
  if (ArrayBuffer.isView(data)) all = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  else if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) all = new Uint8Array(data as ArrayBuffer)
  else throw new TypeError('data must be a typed array, a DataView or an ArrayBuffer')
  if (!Number.isInteger(offset) || offset < 0 || offset > all.length) {
    throw new RangeError(`offset must be an integer from 0 to ${all.length}, not ${offset}`)
  }
  const length = size ?? all.length - offset
  if (!Number.isInteger(length) || length < 0 || offset + length > all.length) {
    throw new RangeError(`size must be an integer from 0 to ${all.length - offset}, not ${size}`)
  }
  return all.subarray(offset, offset + length)
}

export function checkTransfer(transfer: unknown): readonly object[] | undefined {
  if (transfer === undefined) return undefined
  if (!Array.isArray(transfer)) throw new TypeError('transfer must be an array of objects')
  return transfer
}
