import { type Handle, PACK, type PackedHandle, refuseSerialisation } from '../codec/handle.js'
import type { HandlePacking } from '../context/message-writer.js'
import { checkTravels } from '../context/network-transport.js'
import { hasCode, MpError } from '../errors.js'
import { unwatchHandle, watchHandle } from '../runtime/collection.js'
import { Pending } from '../runtime/pending-call.js'
import { caughtUp, rejection, roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { WaitList } from '../runtime/wait-list.js'
import { checkWait, deadlineOf, type WaitOptions } from '../runtime/wait-options.js'
import { IN_PLACE } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import { bytesOf, bytesToSend, checkMaxLength, checkTransfer, type SendOptions } from './arguments.js'
import type { BlockingPipeBackend, PipeBackend, Side, Wanted } from './backend.js'
import { cannotBlock, cannotMoveYet, endOfFile, late, notOpen, wrongWay } from './errors.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** A recv that waits. */
class Receiver extends Pending<unknown> {
  readonly wanted: Wanted

  constructor(wanted: Wanted) {
    super()
    this.wanted = wanted
  }
}

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
  readonly #transport: Transport
  readonly #backend: PipeBackend
  /** The backend, where it can block. */
  readonly #blocking: BlockingPipeBackend | undefined
  #state: 'open' | 'closed' | 'moved' = 'open'
  /** Calls that wait. They and a message exist together only from the message's arrival until `#wake`. */
  readonly #receivers = new WaitList<Receiver>()
  readonly #pollers = new Set<Pending<boolean>>()
  /** A call has rejected with what broke the stream. */
  #toldBreak = false

  /** @internal Users call Pipe(). */
  constructor(transport: Transport, side: Side, backend: PipeBackend) {
    this.#transport = transport
    this.#backend = backend
    this.#blocking = backend.blocking
    this.readable = side.readable
    this.writable = side.writable
    refuseSerialisation(this, 'Connection')
    watchHandle(this, backend)
  }

  get closed(): boolean {
    return this.#state !== 'open'
  }

  /**
   * Sends a value as it is now; later changes are not seen. Resolves when it is on its way: at 4 MiB unread, or where the
   * medium takes no more, it waits for the reader. Rejects with MP_BROKEN_PIPE when the other end is gone, MP_ENCODE (nothing sent) when `value` cannot travel.
   */
  send(value: S, options?: SendOptions): Promise<void> {
    try {
      this.#check('writable')
      return this.#backend.send(value, checkTransfer(options?.transfer))
    } catch (error) {
      return rejection(error)
    }
  }

  /** Sends `size` bytes of `data` from `offset`; the other end gets them as one Uint8Array. */
  sendBytes(data: ArrayBufferView | ArrayBufferLike, offset = 0, size?: number): Promise<void> {
    try {
      const bytes = bytesToSend(data, offset, size)
      this.#check('writable')
      return this.#backend.sendBytes(bytes)
    } catch (error) {
      return rejection(error)
    }
  }

  /**
   * The next message. Rejects with MP_EOF once the other end is gone and everything it sent was read.
   *
   * MP_DECODE is about one message: go on. After bytes that are no messages at all nothing more can come: one call rejects
   * with MP_DECODE, and all later ones with MP_EOF, whose `cause` is that error.
   */
  recv(options?: WaitOptions): Promise<R> {
    return this.#recv(options, undefined) as Promise<R>
  }

  /**
   * The next message, which must be bytes. One that is not (MP_DECODE), or is longer than `maxLength`
   * (MP_BUFFER_TOO_SHORT), stays to be received.
   */
  recvBytes(maxLength = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<Uint8Array> {
    try {
      checkMaxLength(maxLength)
    } catch (error) {
      return rejection(error)
    }
    return this.#recv(options, maxLength) as Promise<Uint8Array>
  }

  /** As `recvBytes`, into `target` from byte `offset` on; the rest of it stays. Resolves with the number of bytes. */
  recvBytesInto(target: ArrayBufferView | ArrayBuffer, offset = 0, options?: WaitOptions): Promise<number> {
    let room: Uint8Array
    try {
      room = bytesOf(target, offset)
    } catch (error) {
      return rejection(error)
    }
    return this.#recv(options, room) as Promise<number>
  }

  /**
   * Whether `recv` would not wait: a message is here, or the end of file. `timeout` in ms: 0 or negative looks once, null
   * waits for ever.
   */
  async poll(timeout: number | null = 0, options?: { signal?: AbortSignal }): Promise<boolean> {
    const limit = checkWait({ ...options, timeout })
    this.#check('readable')
    if (this.#backend.find() !== 'empty') return true
    if (limit === 0) {
      // What has been sent already, or the other end's close, may take two turns to be seen here.
      await caughtUp()
      this.#check('readable')
      return this.#backend.find() !== 'empty'
    }
    const pending = new Pending<boolean>()
    const forget = () => {
      this.#pollers.delete(pending)
      this.#unwatchUnlessAwaited()
    }
    this.#pollers.add(pending)
    pending.limit({ timeout: limit, signal: options?.signal }, () => pending.resolve(false), forget)
    this.#backend.watch(this.#wake)
    return pending.promise
  }

  /** Closes this end: what was sent arrives, then the other end reads MP_EOF. Pending calls here reject with MP_CLOSED. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    unwatchHandle(this)
    const gone = this.#notOpen('closed')
    for (const receiver of this.#receivers) receiver.reject(gone)
    this.#receivers.clear()
    for (const poller of this.#pollers) poller.reject(gone)
    this.#pollers.clear()
    this.#backend.close()
  }

  /** As `send`, but blocks this thread while there is no room. MP_NOT_SUPPORTED where the medium cannot block. @internal */
  sendSync(value: S, options?: SendOptions & WaitOptions): void {
    const deadline = deadlineOf(options)
    const transfer = checkTransfer(options?.transfer)
    this.#blockingIn('writable').sendSync(value, transfer, deadline)
  }

  /** As `sendBytes`, but blocks this thread while there is no room. @internal */
  sendBytesSync(data: ArrayBufferView | ArrayBufferLike, offset = 0, size?: number, options?: WaitOptions): void {
    // Without options no call is made for them: 4 ns of 65.
    const deadline = options === undefined ? Number.POSITIVE_INFINITY : deadlineOf(options)
    const bytes = bytesToSend(data, offset, size)
    this.#blockingIn('writable').sendBytesSync(bytes, deadline)
  }

  /** As `recv`, but blocks this thread. @internal */
  recvSync(options?: WaitOptions): R {
    return this.#recvSync(options, undefined) as R
  }

  /** As `recvBytes`, but blocks this thread. @internal */
  recvBytesSync(maxLength = Number.POSITIVE_INFINITY, options?: WaitOptions): Uint8Array {
    // The usual case goes to the native pipe: a call that is not inlined costs 10 ns of 83.
    const direct = this.#blocking?.direct
    if (direct !== undefined && maxLength === Number.POSITIVE_INFINITY && this.#state === 'open' && this.readable) {
      const bytes = direct.takeCopy(IN_PLACE)
      if (bytes !== undefined) return bytes
    }
    return this.#recvSync(options, checkMaxLength(maxLength)) as Uint8Array
  }

  /** As `recvBytesInto`, but blocks this thread. @internal */
  recvBytesIntoSync(target: ArrayBufferView | ArrayBuffer, offset = 0, options?: WaitOptions): number {
    return this.#recvSync(options, bytesOf(target, offset)) as number
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
    if (this.#state !== 'open') throw this.#notOpen(this.#state)
    if (this.#receivers.length > 0 || this.#pollers.size > 0) throw cannotMoveYet()
    checkTravels('Connection', this.#transport, packing.transport)
    const packed = this.#backend.pack(packing)
    // From here on nobody else can have it, also not another part of the same message. It comes back if that does not go.
    this.#state = 'moved'
    packing.onRollback(() => {
      this.#state = 'open'
    })
    return packed
  }

  #recv(options: WaitOptions | undefined, wanted: Wanted): Promise<unknown> {
    try {
      this.#check('readable')
      const limit = checkWait(options)
      const backend = this.#backend
      // Before anything is taken, so that it cannot come after what calls that wait are given meanwhile.
      const long = this.#receivers.length === 0 && turnIsLong(roughNow())
      if (this.#receivers.length === 0 && !long) {
        let found = backend.find()
        if (found === 'empty' && backend.spin()) found = backend.find()
        if (found === 'done') return Promise.resolve(backend.take(wanted))
        if (found === 'over') throw this.#endOfFile()
      }
      const receiver = new Receiver(wanted)
      this.#receivers.push(receiver)
      if (limit !== undefined || options?.signal) {
        const forget = () => {
          this.#receivers.delete(receiver)
          this.#unwatchUnlessAwaited()
        }
        receiver.limit(options, () => receiver.reject(late(limit)), forget)
      }
      if (long) void turn().then(this.#wake)
      else backend.watch(this.#wake)
      return receiver.promise
    } catch (error) {
      return rejection(error)
    }
  }

  #recvSync(options: WaitOptions | undefined, wanted: Wanted): unknown {
    const limit = checkWait(options)
    const backend = this.#blockingIn('readable')
    const found = backend.findSync(limit, wanted instanceof Uint8Array ? wanted : undefined)
    if (found === 'done') return backend.take(wanted)
    throw found === 'over' ? this.#endOfFile() : late(limit)
  }

  /** Serves the calls that wait. Whether there were any. */
  readonly #wake = (): boolean => {
    const backend = this.#backend
    const useful = this.#waits
    if (this.#pollers.size > 0 && backend.find() !== 'empty') {
      for (const poller of this.#pollers) poller.resolve(true)
      this.#pollers.clear()
    }
    for (const receiver of this.#receivers) {
      const found = backend.find()
      if (found === 'empty') break
      this.#receivers.delete(receiver)
      try {
        if (found === 'over') throw this.#endOfFile()
        receiver.resolve(backend.take(receiver.wanted))
      } catch (error) {
        receiver.reject(error)
      }
    }
    if (this.#waits) backend.watch(this.#wake)
    return useful
  }

  /** The last call that waited has given up. The backend must not keep this object for it. */
  #unwatchUnlessAwaited(): void {
    if (!this.#waits) this.#backend.unwatch()
  }

  get #waits(): boolean {
    return this.#receivers.length > 0 || this.#pollers.size > 0
  }

  #check(direction: 'readable' | 'writable'): void {
    if (this.#state !== 'open') throw this.#notOpen(this.#state)
    const allowed = direction === 'readable' ? this.readable : this.writable
    if (!allowed) throw wrongWay(direction)
  }

  #blockingIn(direction: 'readable' | 'writable'): BlockingPipeBackend {
    this.#check(direction)
    if (this.#blocking === undefined) throw cannotBlock(this.#transport.name)
    return this.#blocking
  }

  #notOpen(state: 'closed' | 'moved'): MpError {
    return notOpen(state, this.#transport.name)
  }

  /** What a call gets that wants a message where none will come. A loop that skips MP_DECODE must come to an end. */
  #endOfFile(): MpError {
    const { error } = this.#backend
    if (!(error instanceof MpError) || this.#toldBreak) return endOfFile(this.#transport.name, error)
    this.#toldBreak = error.code === 'MP_DECODE'
    return error
  }
}
