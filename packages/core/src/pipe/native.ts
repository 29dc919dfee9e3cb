import { decode, isBytes } from '../codec/codec.js'
import type { PackedHandle } from '../codec/handle.js'
import { isDetached } from '../codec/value-kinds.js'
import type { Context } from '../context/context.js'
import { ParcelReader, readMessage } from '../context/message-reader.js'
import { Envelope, encodeMessage, type HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { discard, discardParcels, type End, NativeEnd, type Parcel } from '../link/wire-end.js'
import { ByteBuffer } from '../runtime/byte-buffer.js'
import { roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { sendBatches } from '../runtime/unsent.js'
import type { NativePipe } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import type { Ticket } from '../transport/wire.js'
import {
  type Assembly,
  addPiece,
  beginAssembly,
  isWhole,
  leaveRoom,
  type PackedAssembly,
  packAssembly,
} from './assembly.js'
import { type BlockingPipeBackend, checkRoom, type Found, giveBytes, type Side, type Wanted } from './backend.js'
import { brokenPipe, MessageStays, noBytes, noRoom, notOpen } from './errors.js'
import { BYTES, PIECE, type Unsent, VALUE, writeRecords } from './record.js'
import { type Sender, SendLine } from './send-line.js'

const ACCEPTED = Promise.resolve()
/** Larger records are in the pipe's shared memory, and are copied before they are decoded. */
const LARGE = 4096
/** Bytes up to which the buffer of an encoded message is kept for the next one. */
const LARGEST_KEPT = 64 * 1024

/** What another context needs to open an end that arrives there. */
export interface PackedNative extends Side {
  readonly end: number
  /** A message that had left the pipe, in part or whole, and was not received. */
  readonly partial: PackedAssembly | null
}

/**
 * The end of a pipe of the medium's own: what is sent is in the other end's reach when the call returns. It moves with all
 * that is unread in it, so a move needs no word with the other end.
 */
export class NativePipeBackend implements BlockingPipeBackend {
  /** A native pipe is over because its other end was closed, or died: neither is told as an error. */
  readonly error = undefined
  readonly #context: Context
  readonly #transport: Transport
  readonly #side: Side
  /** Until the first use. */
  #end: End | undefined
  #pipe: NativePipe | undefined
  direct: NativePipe | undefined
  #left: 'closed' | 'moved' | undefined
  #assembly: Assembly | undefined
  /** The caller's memory, while a call blocks that wants the bytes there. */
  #room: Uint8Array | undefined
  /** Made when a message has to wait for the first time. */
  #line: SendLine | undefined
  /** This buffer and the envelope serve one message after the other. Both are undefined while a message is encoded. */
  #out: ByteBuffer | undefined = new ByteBuffer(1024)
  #envelope: Envelope | undefined
  readonly #reader: ParcelReader

  constructor(context: Context, transport: Transport, side: Side, end: End, assembly?: Assembly) {
    this.#context = context
    this.#transport = transport
    this.#side = side
    this.#end = end
    this.#assembly = assembly
    this.#reader = new ParcelReader(context, transport, undefined)
  }

  get blocking(): BlockingPipeBackend {
    return this
  }

  send(value: unknown, transfer: readonly object[] | undefined): Promise<void> {
    return accepted(this.#send(value, transfer))
  }

  sendBytes(bytes: Uint8Array): Promise<void> {
    return accepted(this.#write(this.#pipe ?? this.#open(), bytes, bytes.length, BYTES, undefined))
  }

  sendSync(value: unknown, transfer: readonly object[] | undefined, deadline: number): void {
    this.#lineOf(this.#pipe ?? this.#open()).waitForRoom(deadline)
    this.#waitFor(this.#send(value, transfer), deadline)
  }

  sendBytesSync(bytes: Uint8Array, deadline: number): void {
    const pipe = this.#pipe ?? this.#open()
    if (this.#line !== undefined && this.#line.length > 0) {
      return this.#waitFor(this.#write(pipe, bytes, bytes.length, BYTES, undefined), deadline)
    }
    sendBatches()
    if (bytes.length <= pipe.largest && pipe.write(bytes, 0, bytes.length, BYTES) === 'done') return
    this.#writeSync(pipe, bytes, deadline)
  }

  /** The assembly if that is whole, or else what is in the pipe. */
  find(): Found {
    const pipe = this.#pipe ?? this.#open()
    if (this.#assembly !== undefined && isWhole(this.#assembly)) return 'done'
    for (;;) {
      const found = pipe.read()
      if (found !== 'done' || pipe.tag === VALUE || pipe.tag === BYTES) return found
      if (this.#assemble(pipe)) return 'done'
    }
  }

  findSync(timeout: number | undefined, room: Uint8Array | undefined): Found {
    this.#room = room
    let found: Found = 'empty'
    try {
      found = this.find()
      if (found === 'empty') found = this.#waitForMessage(timeout)
    } finally {
      this.#room = undefined
      if (room && this.#assembly && found !== 'done') leaveRoom(this.#assembly, room)
    }
    return found
  }

  spin(): boolean {
    return (this.#pipe as NativePipe).spin('message')
  }

  take(wanted: Wanted): unknown {
    const pipe = this.#pipe as NativePipe
    const whole = this.#assembly
    let stays = false
    try {
      if (!whole) return this.#read(pipe.bytes, pipe.start, pipe.end, pipe.tag, undefined, wanted)
      return this.#read(whole.bytes, 0, whole.length, whole.kind, whole.parcels, wanted)
    } catch (error) {
      stays = error instanceof MessageStays
      throw error instanceof MessageStays ? error.reason : error
    } finally {
      if (whole && !stays) this.#assembled(pipe, undefined)
      else if (!stays) pipe.skip()
    }
  }

  watch(wake: () => boolean): void {
    ;(this.#pipe as NativePipe).watch('message', wake)
  }

  unwatch(): void {
    this.#pipe?.unwatch('message')
  }

  /** Closes, once the other end has made room for the sends that wait. */
  collected(): void {
    if (this.#left) return
    const last = this.#line?.last
    if (!last) return this.close()
    const again = () => this.collected()
    last.then(again, again)
  }

  close(): void {
    this.#line?.flush()
    this.#left = 'closed'
    this.direct = undefined
    discardParcels(this.#assembly?.parcels, this.#transport)
    this.#assembly = undefined
    if (this.#end) discard(this.#end, this.#transport)
    else this.#pipe?.close()
  }

  pack(packing: HandlePacking): PackedHandle {
    this.#line?.flush()
    packing.onCommit(() => {
      this.#left = 'moved'
      this.direct = undefined
      this.#end = undefined
      this.#assembly = undefined
    })
    const pipe = this.#pipe
    const end = pipe ? new NativeEnd(lazily(() => pipe.release())) : (this.#end as End)
    const state: PackedNative = {
      ...this.#side,
      end: packing.attachMoved(end),
      partial: this.#assembly ? packAssembly(this.#assembly, packing) : null,
    }
    return { kind: 'native-connection', state }
  }

  /** Sends one message. Gives what waits, or undefined where it has gone. */
  #send(value: unknown, transfer: readonly object[] | undefined): Sender | undefined {
    const pipe = this.#pipe ?? this.#open()
    if (transfer === undefined && isPlainBytes(value)) return this.#write(pipe, value, value.length, BYTES, undefined)
    const spare = transfer === undefined ? this.#envelope : undefined
    const envelope = spare ?? new Envelope(this.#transport, transfer, Number.POSITIVE_INFINITY)
    // Encoding may run user code that sends here: each encode has a buffer, and an envelope, of its own.
    const out = this.#out ?? new ByteBuffer(1024)
    this.#envelope = this.#out = undefined
    out.length = 0
    encodeMessage(value, out, envelope, undefined, undefined, this.#checkOpen)
    const waiting = this.#write(pipe, out.bytes, out.length, VALUE, envelope.unused ? undefined : envelope)
    if (out.bytes.length <= LARGEST_KEPT) this.#out = out
    if (envelope.unused) this.#envelope = envelope
    return waiting
  }

  /** The encode of a message may close this end, or send it elsewhere. */
  readonly #checkOpen = (): void => {
    if (this.#left) throw notOpen(this.#left, this.#transport.name)
  }

  #write(
    pipe: NativePipe,
    bytes: Uint8Array,
    end: number,
    kind: number,
    envelope: Envelope | undefined,
  ): Sender | undefined {
    const first = this.#line === undefined || this.#line.length === 0
    sendBatches()
    if (first && end <= pipe.largest && !envelope) {
      const outcome = pipe.write(bytes, 0, end, kind)
      if (outcome === 'done') return undefined
      if (outcome === 'gone') throw brokenPipe()
    }
    const unsent: Unsent = { bytes, end, kind, envelope, written: -1 }
    const outcome = first ? writeRecords(pipe, unsent, this.#transport, false) : 'full'
    if (outcome === 'done') return undefined
    if (outcome === 'gone') throw brokenPipe()
    return this.#lineOf(pipe).push(unsent)
  }

  #lineOf(pipe: NativePipe): SendLine {
    this.#line ??= new SendLine(pipe, this.#transport, this.#context.pipes)
    return this.#line
  }

  #waitFor(sender: Sender | undefined, deadline: number): void {
    if (sender) (this.#line as SendLine).waitFor(sender, deadline)
  }

  /** Blocks until all of it has gone; out of the caller's memory, which nobody changes meanwhile. */
  #writeSync(pipe: NativePipe, bytes: Uint8Array, deadline: number): void {
    const unsent: Unsent = { bytes, end: bytes.length, kind: BYTES, envelope: undefined, written: -1 }
    for (;;) {
      const outcome = writeRecords(pipe, unsent, this.#transport, false)
      if (outcome === 'done') return
      if (outcome === 'gone') throw brokenPipe()
      const left = deadline - performance.now()
      if (left <= 0 && unsent.written < 0) throw noRoom()
      pipe.wait('room', Math.max(left, 1))
    }
  }

  #waitForMessage(timeout: number | undefined): Found {
    const pipe = this.#pipe as NativePipe
    const deadline = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
    for (;;) {
      const left = deadline - performance.now()
      if (left <= 0) return 'empty'
      pipe.wait('message', left)
      const found = this.find()
      if (found !== 'empty') return found
    }
  }

  /**
   * Takes a record out of the pipe that is part of a message, or that something rides along with. Whether a message is whole
   * now.
   */
  #assemble(pipe: NativePipe): boolean {
    let assembly = this.#assembly
    if (pipe.tag === PIECE) addPiece(assembly as Assembly, pipe)
    else assembly = beginAssembly(pipe, this.#transport, this.#room)
    pipe.skip()
    this.#assembled(pipe, assembly)
    return isWhole(assembly as Assembly)
  }

  #assembled(pipe: NativePipe, assembly: Assembly | undefined): void {
    this.#assembly = assembly
    this.direct = assembly === undefined ? pipe : undefined
  }

  #read(
    bytes: Uint8Array,
    start: number,
    end: number,
    kind: number,
    parcels: readonly Parcel[] | undefined,
    wanted: Wanted,
  ): unknown {
    if (wanted === undefined) return this.#decode(bytes, start, end, kind, parcels)
    if (kind !== BYTES) {
      if (!isBytes(bytes, start)) throw new MessageStays(noBytes())
      return giveBytes(this.#decode(bytes, start, end, kind, parcels) as Uint8Array, wanted)
    }
    checkRoom(end - start, wanted)
    if (typeof wanted === 'number') return this.#assembly ? bytes : bytes.slice(start, end)
    // They were put together there already where the memory is the same.
    if (bytes.buffer !== wanted.buffer) wanted.set(bytes.subarray(start, end))
    return end - start
  }

  #decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    kind: number,
    parcels: readonly Parcel[] | undefined,
  ): unknown {
    if (kind === BYTES) return this.#assembly ? bytes : bytes.slice(start, end)
    if (parcels) return readMessage(this.#context, this.#transport, { bytes, start, end, parcels })
    if (end - start <= LARGE || this.#assembly) return decode(bytes, start, end, this.#reader)
    return decode(bytes.slice(start, end), 0, end - start, this.#reader)
  }

  #open(): NativePipe {
    const pipe = this.#transport.engines?.pipe?.open((this.#end as NativeEnd).ticket.value)
    if (!pipe) throw new MpError('MP_DECODE', `a native pipe came to ${this.#transport.name}, which has none`)
    this.#end = undefined
    this.#pipe = pipe
    this.#assembled(pipe, this.#assembly)
    return pipe
  }
}

/** The promise of a send: `waiting` is what it left in the line, if anything. */
function accepted(waiting: Sender | undefined): Promise<void> {
  if (waiting) return waiting.pending.promise
  return turnIsLong(roughNow()) ? turn() : ACCEPTED
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

/** What the codec would carry as bytes, and nothing but bytes. */
function isPlainBytes(value: unknown): value is Uint8Array {
  if (!(value instanceof Uint8Array)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Uint8Array.prototype && prototype !== Buffer.prototype) return false
  return value.buffer instanceof ArrayBuffer && !isDetached(value.buffer)
}
