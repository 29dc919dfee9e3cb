import { decode, encode, isBytes } from '../codec/codec.js'
import { PACK, type PackedHandle } from '../codec/handle.js'
import { isDetached } from '../codec/value-kinds.js'
import type { Context } from '../context/context.js'
import { type HandleOpener, ParcelReader, readMessage } from '../context/message-reader.js'
import { Envelope, type HandlePacking } from '../context/message-writer.js'
import { checkTravels } from '../context/network-transport.js'
import { MpError } from '../errors.js'
import { checkLength } from '../link/frame.js'
import { packParcels, unpackParcels } from '../link/parcel-table.js'
import { discard, discardParcels, type End, LiveObject, NativeEnd, type Parcel } from '../link/wire-end.js'
import { allocate, appendBytes, appendU32, ByteBuffer, readU32 } from '../runtime/byte-buffer.js'
import { Pending } from '../runtime/pending-call.js'
import { roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { sendBatches } from '../runtime/unsent.js'
import { WaitList } from '../runtime/wait-list.js'
import { checkWait, deadlineOf, type WaitOptions } from '../runtime/wait-options.js'
import { IN_PLACE, type NativePipe } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import type { Ticket } from '../transport/wire.js'
import {
  badLength,
  brokenPipe,
  bytesOf,
  Connection,
  checkTransfer,
  late,
  MessageStays,
  noBytes,
  type SendOptions,
  type Side,
  tooLong,
  wrongWay,
} from './connection.js'

/**
 * What a record of a native pipe holds. Either a whole message: an encoded VALUE, or the BYTES of a Uint8Array; with PARCELS,
 * behind it the table of what rides along, and the table's length in 4 bytes. Or a part of one that is larger than a record: its START (u32 length | u8 kind),
 * beside which the parcels ride, then PIECEs up to that length.
 */
const VALUE = 0
const BYTES = IN_PLACE
const PARCELS = 2
const START = 4
const PIECE = 5

const ACCEPTED = Promise.resolve()
/** From so many bytes on a record is read in place. */
const LARGE = 4096

interface Unsent {
  readonly bytes: Uint8Array
  readonly end: number
  readonly kind: number
  readonly envelope: Envelope | undefined
  /** Bytes of it that were written; -1: not even its start. */
  written: number
}

/** A message that waits for room. */
interface Sender extends Unsent {
  readonly pending: Pending<void>
  /** What it was rejected with. */
  error: MpError | undefined
}

/** A message that has left the pipe: a large one, as far as it has come, or one with which something rides along. */
interface Assembly {
  /** In `#room`, where it fits: what large messages cost most is memory that was never touched before. */
  bytes: Uint8Array
  readonly kind: number
  readonly parcels: readonly Parcel[] | undefined
  length: number
}

/** What a call makes of the message: `bytes[start, end)`, as `kind` says. */
type Take = (
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  parcels: readonly Parcel[] | undefined,
) => unknown

interface Receiver {
  readonly pending: Pending<unknown>
  readonly take: Take
}

/** What another context needs to open an end that arrives there. */
interface PackedNative extends Side {
  readonly end: number
  /** A message that had left the pipe, in part or whole, and was not received. */
  readonly partial: PackedPartial | null
}

interface PackedPartial {
  readonly bytes: Uint8Array
  readonly total: number
  readonly kind: number
  readonly parcels: readonly number[] | null
}

/**
 * The end of a pipe of the medium's own: what is sent is in the other's reach when the call returns. It moves with all that is
 * unread in it, so that a move needs no word with the other end. Invariant: senders and room never both exist, nor do
 * receivers and an unread message, but for the turn in which one comes.
 */
export class NativeConnection<S = unknown, R = S> extends Connection<S, R> {
  readonly #context: Context
  readonly #side: Side
  /** Until the first use. */
  #end: End | undefined
  #pipe: NativePipe | undefined
  #state: 'open' | 'closed' | 'moved' = 'open'
  readonly #senders = new WaitList<Sender>()
  readonly #receivers = new WaitList<Receiver>()
  readonly #pollers = new Set<Pending<boolean>>()
  #assembly: Assembly | undefined
  /** The caller's memory, while a call blocks that wants the bytes there. */
  #room: Uint8Array | undefined
  #out: ByteBuffer | undefined = new ByteBuffer(1024)
  #envelope: Envelope | undefined
  readonly #reader: ParcelReader

  /** @internal */
  constructor(context: Context, transport: Transport, side: Side, end: End, assembly?: Assembly) {
    super(context, transport, side, end)
    this.#context = context
    this.#side = side
    this.#end = end
    this.#assembly = assembly
    this.#reader = new ParcelReader(context, transport, undefined)
  }

  override get closed(): boolean {
    return this.#state !== 'open'
  }

  override send(value: S, options?: SendOptions): Promise<void> {
    try {
      return this.#promise(this.#send(value, options?.transfer))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  override sendBytes(data: ArrayBufferView | ArrayBufferLike, offset = 0, size?: number): Promise<void> {
    try {
      const bytes = plainBytes(data, offset, size)
      const pipe = this.#writable()
      return this.#promise(this.#write(pipe, bytes, bytes.length, BYTES, undefined))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  override recv(options?: WaitOptions): Promise<R> {
    return this.#recv(options, this.#decode) as Promise<R>
  }

  override recvBytes(maxLength = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<Uint8Array> {
    if (typeof maxLength !== 'number' || !(maxLength >= 0)) return Promise.reject(badLength(maxLength))
    return this.#recv(options, this.#takeBytes(maxLength)) as Promise<Uint8Array>
  }

  override recvBytesInto(target: ArrayBufferView | ArrayBuffer, offset = 0, options?: WaitOptions): Promise<number> {
    let room: Uint8Array
    try {
      room = bytesOf(target, offset)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#recv(options, this.#takeInto(room)) as Promise<number>
  }

  override async poll(timeout: number | null = 0, options?: { signal?: AbortSignal }): Promise<boolean> {
    const limit = checkWait({ ...options, timeout })
    const pipe = this.#readable()
    if (this.#find(pipe) !== 'empty') return true
    if (limit === 0) {
      // What another thread has sent is here. That it is gone may need a turn of the event loop to be seen.
      await turn()
      await turn()
      return this.#find(this.#readable()) !== 'empty'
    }
    const pending = new Pending<boolean>()
    const forget = () => void this.#pollers.delete(pending)
    this.#pollers.add(pending)
    pending.limit({ timeout: limit, signal: options?.signal }, () => pending.resolve(false), forget)
    pipe.watch('message', this.#pumpReceivers)
    return pending.promise
  }

  override async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.flush()
    this.#state = 'closed'
    const gone = this.#closedError()
    for (const { pending } of this.#receivers) pending.reject(gone)
    this.#receivers.clear()
    for (const poller of this.#pollers) poller.reject(gone)
    this.#pollers.clear()
    discardParcels(this.#assembly?.parcels, this.transport)
    this.#assembly = undefined
    if (this.#end) discard(this.#end, this.transport)
    else this.#pipe?.close()
  }

  /** As `send`, but blocks this thread while there is no room. @internal */
  sendSync(value: S, options?: SendOptions & WaitOptions): void {
    const deadline = deadlineOf(options)
    this.#waitForRoom(this.#writable(), deadline)
    this.#sync(this.#send(value, options?.transfer), deadline)
  }

  /** As `sendBytes`, but blocks this thread while there is no room. @internal */
  sendBytesSync(data: ArrayBufferView | ArrayBufferLike, offset = 0, size?: number, options?: WaitOptions): void {
    const deadline = deadlineOf(options)
    const bytes = plainBytes(data, offset, size)
    const pipe = this.#writable()
    if (this.#senders.length > 0) {
      this.#waitForRoom(pipe, deadline)
      return this.#sync(this.#write(pipe, bytes, bytes.length, BYTES, undefined), deadline)
    }
    sendBatches()
    if (bytes.length <= pipe.largest && pipe.write(bytes, 0, bytes.length, BYTES) === 'done') return
    this.#writeSync(pipe, bytes, deadline)
  }

  /** As `recv`, but blocks this thread. @internal */
  recvSync(options?: WaitOptions): R {
    return this.#recvSync(options, this.#decode) as R
  }

  /** As `recvBytes`, but blocks this thread. @internal */
  recvBytesSync(maxLength = Number.POSITIVE_INFINITY, options?: WaitOptions): Uint8Array {
    // The usual case, without a call that is not inlined: 10 ns of 83.
    const pipe = this.#pipe
    const direct = pipe !== undefined && this.#assembly === undefined && this.#state === 'open' && this.readable
    if (maxLength === Number.POSITIVE_INFINITY) {
      const bytes = direct ? pipe.takeCopy(BYTES) : undefined
      return bytes ?? (this.#recvSync(options, this.#takeAnyBytes) as Uint8Array)
    }
    if (typeof maxLength !== 'number' || !(maxLength >= 0)) throw badLength(maxLength)
    return this.#recvSync(options, this.#takeBytes(maxLength)) as Uint8Array
  }

  /** As `recvBytesInto`, but blocks this thread. @internal */
  recvBytesIntoSync(target: ArrayBufferView | ArrayBuffer, offset = 0, options?: WaitOptions): number {
    const room = bytesOf(target, offset)
    this.#room = room
    try {
      return this.#recvSync(options, this.#takeInto(room)) as number
    } finally {
      this.#room = undefined
      // It is not whole, or did not fit in: it goes on in memory of its own.
      const part = this.#assembly
      if (part && part.bytes.buffer === room.buffer) part.bytes = ownCopy(part)
    }
  }

  /** @internal Sends what waits for room, beyond the limit: this context ends, or this end does. */
  flush(): void {
    const pipe = this.#pipe
    for (const next of this.#senders) if (pipe) this.#settle(next, this.#writeWaiting(pipe, next, true))
    this.#context.pipes.delete(this)
  }

  /** @internal Moves this end into a message. */
  override [PACK](packing: HandlePacking): PackedHandle {
    if (this.#state !== 'open') throw this.#closedError()
    if (this.#receivers.length > 0 || this.#pollers.size > 0) {
      throw new MpError('MP_NOT_SHAREABLE', 'a Connection with a pending recv or poll cannot be sent')
    }
    checkTravels('Connection', this.transport, packing.transport)
    this.flush()
    this.#state = 'moved'
    packing.onRollback(() => {
      this.#state = 'open'
    })
    packing.onCommit(() => {
      this.#end = undefined
      this.#assembly = undefined
    })
    const pipe = this.#pipe
    const end = pipe ? new NativeEnd(lazily(() => pipe.release())) : (this.#end as End)
    const { first, readable, writable } = this.#side
    const state: PackedNative = {
      first,
      readable,
      writable,
      end: packing.attachMoved(end),
      partial: this.#assembly ? packPartial(this.#assembly, packing) : null,
    }
    return { kind: 'native-connection', state }
  }

  /** One message, whole or as what is left of it waits for room. Undefined: it has gone. */
  #send(value: unknown, transfer: readonly object[] | undefined): Sender | undefined {
    const pipe = this.#writable()
    if (transfer === undefined && isPlainBytes(value)) return this.#write(pipe, value, value.length, BYTES, undefined)
    const spare = transfer === undefined ? this.#envelope : undefined
    const envelope = spare ?? new Envelope(this.transport, checkTransfer(transfer), Number.POSITIVE_INFINITY)
    // Encoding may run user code that sends here: each encode has a buffer, and an envelope, of its own.
    const out = this.#out ?? new ByteBuffer(1024)
    this.#envelope = this.#out = undefined
    out.length = 0
    try {
      encode(value, out, envelope)
      checkLength(out.length, this.transport)
      envelope.seal()
    } catch (error) {
      envelope.rollback()
      throw error
    }
    const waiting = this.#write(pipe, out.bytes, out.length, VALUE, envelope.unused ? undefined : envelope)
    if (out.bytes.length <= 64 * 1024) this.#out = out
    if (envelope.unused) this.#envelope = envelope
    return waiting
  }

  #write(
    pipe: NativePipe,
    bytes: Uint8Array,
    end: number,
    kind: number,
    envelope: Envelope | undefined,
  ): Sender | undefined {
    const first = this.#senders.length === 0
    sendBatches()
    if (first && end <= pipe.largest && !envelope) {
      const outcome = pipe.write(bytes, 0, end, kind)
      if (outcome === 'done') return undefined
      if (outcome === 'gone') throw this.#brokenPipe()
    }
    const begun = { bytes, end, kind, envelope, written: -1 }
    const outcome = first ? this.#writeWaiting(pipe, begun, false) : 'full'
    if (outcome === 'done') return undefined
    if (outcome === 'gone') throw this.#brokenPipe()
    // The caller's memory, or the next message's: a copy of what is left.
    const left = bytes.slice(Math.max(begun.written, 0), end)
    const written = begun.written < 0 ? -1 : 0
    const sender: Sender = {
      bytes: left,
      end: left.length,
      kind,
      envelope,
      written,
      pending: new Pending<void>(),
      error: undefined,
    }
    this.#senders.push(sender)
    this.#context.pipes.add(this)
    pipe.watch('room', this.#pumpSenders)
    return sender
  }

  /** Writes as much of it as there is room for. */
  #writeWaiting(pipe: NativePipe, sender: Unsent, beyond: boolean): 'done' | 'full' | 'gone' {
    const { bytes, end, kind, envelope } = sender
    if (sender.written < 0) {
      const { room } = pipe
      if (room === 'gone') envelope?.rollback()
      if (room === 'gone' || (room === 'full' && !beyond)) return room
      // With something riding along the start is a record of its own, of any size.
      const large = end > pipe.largest
      const head = new ByteBuffer(large ? 64 : end + 256)
      if (large) {
        appendU32(head, end)
        appendU32(head, kind)
      } else appendBytes(head, bytes, 0, end)
      const attachments: object[] = []
      const { parcels } = envelope ?? {}
      if (parcels) {
        const at = head.length
        packParcels(parcels, head, attachments, this.transport, undefined)
        appendU32(head, head.length - at)
      }
      envelope?.commit()
      const tag = (large ? START : kind) | (parcels ? PARCELS : 0)
      const outcome = pipe.write(head.bytes, 0, head.length, tag, parcels && attachments, beyond)
      if (outcome !== 'done' || !large) return outcome
      sender.written = 0
    }
    while (sender.written < end) {
      const piece = Math.min(pipe.piece, end - sender.written)
      const outcome = pipe.write(bytes, sender.written, sender.written + piece, PIECE, undefined, beyond)
      if (outcome !== 'done') return outcome
      sender.written += piece
    }
    return 'done'
  }

  #promise(waiting: Sender | undefined): Promise<void> {
    if (waiting) return waiting.pending.promise
    return turnIsLong(roughNow()) ? turn() : ACCEPTED
  }

  readonly #pumpSenders = (): boolean => {
    const pipe = this.#pipe as NativePipe
    const useful = this.#senders.length > 0
    for (const next of this.#senders) {
      const outcome = this.#writeWaiting(pipe, next, false)
      if (outcome === 'full') {
        pipe.watch('room', this.#pumpSenders)
        return useful
      }
      this.#settle(next, outcome)
    }
    this.#context.pipes.delete(this)
    return useful
  }

  #settle(sender: Sender, outcome: 'done' | 'full' | 'gone'): void {
    this.#senders.delete(sender)
    if (outcome === 'done') return sender.pending.resolve()
    sender.error = this.#brokenPipe()
    sender.pending.reject(sender.error)
  }

  /** Blocks until the next message can go, so that mostly none need be kept here. */
  #waitForRoom(pipe: NativePipe, deadline: number): void {
    while (pipe.room === 'full' && this.#senders.length === 0) {
      const left = deadline - performance.now()
      if (left <= 0) throw noRoom()
      pipe.wait('room', left)
    }
  }

  /** Blocks until what was sent has gone. What has begun to go cannot be taken back: then the limit does not hold. */
  #sync(waiting: Sender | undefined, deadline: number): void {
    if (!waiting) return
    waiting.pending.promise.catch(() => {})
    for (;;) {
      this.#pumpSenders()
      if (waiting.error) throw waiting.error
      if (waiting.pending.settled) return
      const left = deadline - performance.now()
      if (left <= 0 && waiting.written < 0) {
        this.#senders.delete(waiting)
        waiting.envelope?.rollback()
        waiting.pending.resolve()
        throw noRoom()
      }
      ;(this.#pipe as NativePipe).wait('room', Math.max(left, 1))
    }
  }

  /** Blocks until all of it has gone; out of the caller's memory, which nobody changes meanwhile. */
  #writeSync(pipe: NativePipe, bytes: Uint8Array, deadline: number): void {
    const unsent: Unsent = { bytes, end: bytes.length, kind: BYTES, envelope: undefined, written: -1 }
    for (;;) {
      const outcome = this.#writeWaiting(pipe, unsent, false)
      if (outcome === 'done') return
      if (outcome === 'gone') throw this.#brokenPipe()
      const left = deadline - performance.now()
      if (left <= 0 && unsent.written < 0) throw noRoom()
      pipe.wait('room', Math.max(left, 1))
    }
  }

  #recv(options: WaitOptions | undefined, take: Take): Promise<unknown> {
    try {
      const pipe = this.#readable()
      const limit = checkWait(options)
      if (this.#receivers.length === 0) {
        let found = this.#find(pipe)
        if (found === 'empty' && pipe.spin('message')) found = this.#find(pipe)
        if (found === 'done') {
          const value = this.#take(pipe, take)
          return turnIsLong(roughNow()) ? turn().then(() => value) : Promise.resolve(value)
        }
        if (found === 'over') throw this.#endOfFile()
      }
      const pending = new Pending<unknown>()
      const receiver: Receiver = { pending, take }
      this.#receivers.push(receiver)
      if (limit !== undefined || options?.signal) {
        const forget = () => void this.#receivers.delete(receiver)
        pending.limit(options, () => pending.reject(late(limit)), forget)
      }
      pipe.watch('message', this.#pumpReceivers)
      return pending.promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #recvSync(options: WaitOptions | undefined, take: Take): unknown {
    const pipe = this.#readable()
    let found = this.#find(pipe)
    if (found === 'empty') {
      const deadline = deadlineOf(options)
      for (; found === 'empty'; found = this.#find(pipe)) {
        const left = deadline - performance.now()
        if (left <= 0) throw late(options?.timeout ?? 0)
        pipe.wait('message', left)
      }
    }
    if (found === 'over') throw this.#endOfFile()
    return this.#take(pipe, take)
  }

  readonly #pumpReceivers = (): boolean => {
    const pipe = this.#pipe as NativePipe
    const useful = this.#receivers.length > 0 || this.#pollers.size > 0
    if (this.#pollers.size > 0 && this.#find(pipe) !== 'empty') {
      for (const poller of this.#pollers) poller.resolve(true)
      this.#pollers.clear()
    }
    for (const receiver of this.#receivers) {
      const found = this.#find(pipe)
      if (found === 'empty') break
      this.#receivers.delete(receiver)
      try {
        if (found === 'over') throw this.#endOfFile()
        receiver.pending.resolve(this.#take(pipe, receiver.take))
      } catch (error) {
        receiver.pending.reject(error)
      }
    }
    if (this.#state === 'open' && (this.#receivers.length > 0 || this.#pollers.size > 0)) {
      pipe.watch('message', this.#pumpReceivers)
    }
    return useful
  }

  /** Whether a whole message is there: the assembly, or else in the pipe. */
  #find(pipe: NativePipe): 'done' | 'empty' | 'over' {
    const { bytes, length } = this.#assembly ?? {}
    if (bytes && length === bytes.length) return 'done'
    for (;;) {
      const found = pipe.read()
      if (found !== 'done' || pipe.tag === VALUE || pipe.tag === BYTES) return found
      if (this.#assemble(pipe)) return 'done'
    }
  }

  /** Takes a record out of the pipe that is no whole message, or that something rides along with. Whether one is whole now. */
  #assemble(pipe: NativePipe): boolean {
    const { bytes, start, end, tag } = pipe
    if (tag === PIECE) {
      const whole = this.#assembly as Assembly
      whole.bytes.set(bytes.subarray(start, end), whole.length)
      whole.length += end - start
      pipe.skip()
      return whole.length === whole.bytes.length
    }
    let tableStart = end
    let parcels: Parcel[] | undefined
    if (tag & PARCELS) {
      const tableEnd = end - 4
      tableStart = tableEnd - readU32(bytes, tableEnd)
      // The reader of tables reads ordinary memory.
      const table = bytes.slice(tableStart, tableEnd)
      parcels = unpackParcels(table, 0, table.length, pipe.attachments(), this.transport, undefined)
    }
    const kind = tag & ~PARCELS
    if (kind === START) {
      const total = readU32(bytes, start)
      const kind = readU32(bytes, start + 4)
      const room = kind === BYTES && !parcels && this.#room
      const into = room && total <= room.length ? room.subarray(0, total) : allocate(total)
      this.#assembly = { bytes: into, kind, parcels, length: 0 }
    } else {
      const whole = bytes.slice(start, tableStart)
      this.#assembly = { bytes: whole, kind, parcels, length: whole.length }
    }
    pipe.skip()
    return kind !== START
  }

  /** Takes the message that was found. */
  #take(pipe: NativePipe, take: Take): unknown {
    const whole = this.#assembly
    let stays = false
    try {
      if (!whole) return take(pipe.bytes, pipe.start, pipe.end, pipe.tag, undefined)
      return take(whole.bytes, 0, whole.length, whole.kind, whole.parcels)
    } catch (error) {
      stays = error instanceof MessageStays
      throw error instanceof MessageStays ? error.reason : error
    } finally {
      if (whole && !stays) this.#assembly = undefined
      else if (!stays) pipe.skip()
    }
  }

  readonly #decode: Take = (bytes, start, end, kind, parcels) => {
    if (kind === BYTES) return this.#assembly ? bytes : bytes.slice(start, end)
    if (parcels) return readMessage(this.#context, this.transport, { bytes, start, end, parcels })
    if (end - start <= LARGE || this.#assembly) return decode(bytes, start, end, this.#reader)
    return decode(bytes.slice(start, end), 0, end - start, this.#reader)
  }

  readonly #takeAnyBytes: Take = (bytes, start, end, kind, parcels) => {
    if (kind !== BYTES && !isBytes(bytes, start)) throw new MessageStays(noBytes())
    return this.#decode(bytes, start, end, kind, parcels)
  }

  /** Takes bytes, of `maxLength` at most; what is of no use stays. */
  #takeBytes(maxLength: number): Take {
    return (bytes, start, end, kind, parcels) => {
      const value = this.#takeAnyBytes(bytes, start, end, kind, parcels) as Uint8Array
      if (value.length <= maxLength) return value
      throw new MessageStays(tooLong(value.length, maxLength))
    }
  }

  /** Copies bytes to the caller's memory, where they may be already. Gives their number. */
  #takeInto(room: Uint8Array): Take {
    return (bytes, start, end, kind, parcels) => {
      if (kind === BYTES && end - start > room.length) throw new MessageStays(tooLong(end - start, room.length))
      if (kind === BYTES) {
        if (bytes.buffer !== room.buffer) room.set(bytes.subarray(start, end))
        return end - start
      }
      const value = this.#takeAnyBytes(bytes, start, end, kind, parcels) as Uint8Array
      if (value.length > room.length) throw new MessageStays(tooLong(value.length, room.length))
      room.set(value)
      return value.length
    }
  }

  #writable(): NativePipe {
    if (this.#state !== 'open') throw this.#closedError()
    if (!this.writable) throw wrongWay('read')
    return this.#pipe ?? this.#open()
  }

  #readable(): NativePipe {
    if (this.#state !== 'open') throw this.#closedError()
    if (!this.readable) throw wrongWay('write')
    return this.#pipe ?? this.#open()
  }

  #open(): NativePipe {
    const pipe = this.transport.engines?.pipe?.open((this.#end as NativeEnd).ticket.value)
    if (!pipe) throw new MpError('MP_DECODE', `a native pipe came to ${this.transport.name}, which has none`)
    this.#end = undefined
    this.#pipe = pipe
    return pipe
  }

  #closedError(): MpError {
    const how = this.#state === 'moved' ? 'was sent to another context, which holds it now' : 'is closed'
    return new MpError('MP_CLOSED', `this Connection ${how} (${this.transport.name})`)
  }

  #endOfFile(): MpError {
    return new MpError('MP_EOF', `the other end of the pipe is gone (${this.transport.name})`)
  }

  #brokenPipe(): MpError {
    return this.#state === 'open' ? brokenPipe() : this.#closedError()
  }
}

/** Makes an end that arrived in a message usable in `context`. */
export const openNativeConnection: HandleOpener = (context, transport, state, endOf) => {
  const packed: PackedNative = state
  const { partial } = packed
  let assembly: Assembly | undefined
  if (partial) {
    const bytes = new Uint8Array(partial.total)
    bytes.set(partial.bytes)
    assembly = { bytes, kind: partial.kind, parcels: partial.parcels?.map(endOf), length: partial.bytes.length }
  }
  return new NativeConnection(context, transport, packed, endOf(packed.end), assembly)
}

function packPartial({ bytes, kind, parcels, length }: Assembly, packing: HandlePacking): PackedPartial {
  const indexes = parcels?.map(each =>
    each instanceof LiveObject ? packing.attach(each.object) : packing.attachMoved(each),
  )
  return { bytes: bytes.slice(0, length), total: bytes.length, kind, parcels: indexes ?? null }
}

/** What has come of it, in memory of that length. */
function ownCopy({ bytes, length }: Assembly): Uint8Array {
  const copy = allocate(bytes.length)
  copy.set(bytes.subarray(0, length))
  return copy
}

/** A ticket that is made when it is needed: until then the end is still its owner's. */
function lazily(make: () => Ticket): Ticket {
  let made: Ticket | undefined
  const ticket = () => {
    made ??= make()
    return made
  }
  return {
    get value() {
      return ticket().value
    },
    get transfer() {
      return ticket().transfer ?? []
    },
  }
}

/** The bytes themselves where they are all of a Uint8Array: no view is made of it. */
function plainBytes(data: ArrayBufferView | ArrayBufferLike, offset: number, size: number | undefined): Uint8Array {
  if (offset === 0 && size === undefined && data instanceof Uint8Array) return data
  return bytesOf(data, offset, size)
}

/** What the codec would carry as bytes, and nothing but bytes. */
function isPlainBytes(value: unknown): value is Uint8Array {
  if (!(value instanceof Uint8Array)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Uint8Array.prototype && prototype !== Buffer.prototype) return false
  return value.buffer instanceof ArrayBuffer && !isDetached(value.buffer)
}

function noRoom(): MpError {
  return new MpError('MP_TIMEOUT', 'the other end of the pipe made no room in time')
}
