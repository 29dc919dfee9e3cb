import { type HomeCall, HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import * as protocol from '../broker/protocol.js'
import { encode } from '../codec/codec.js'
import type { PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MessageReader } from '../context/message-reader.js'
import { Envelope, Envelopes, type HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { checkLength } from '../link/frame.js'
import type { Message } from '../link/link.js'
import type { Parcel } from '../link/wire-end.js'
import { appendBytes, ByteBuffer, readU32 } from '../runtime/byte-buffer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { type Counts, empty, full, type PackedQueue, type QueueBackend, shutDown, tasksLeft } from './backend.js'

interface QueueCall extends HomeCall {
  /** Of a get. */
  item?(message: Message): void
}

const WAITS = [0]
const NOWAIT = [1]

/** A queue whose home is another context, over a link to there. One per context and queue, so that one producer has one order. */
export class RemoteQueue implements QueueBackend, HomeLinkUser {
  readonly id: string
  readonly maxsize: number
  readonly #transport: Transport
  readonly #home: HomeLink<QueueCall>
  readonly #envelopes: Envelopes
  readonly #reader: MessageReader
  /** The numbers of items that are on their way back to home. */
  #returning: number[] = []
  #shutDown: boolean

  constructor(context: Context, transport: Transport, { id, maxsize, shutDown }: PackedQueue, wire: Wire) {
    this.#transport = transport
    this.#envelopes = new Envelopes(transport)
    this.#reader = new MessageReader(context, transport)
    this.id = id
    this.maxsize = maxsize
    this.#shutDown = shutDown
    this.#home = new HomeLink(context, transport, wire, this)
  }

  use(): this {
    this.#home.open()
    return this
  }

  put(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    if (this.#shutDown) throw shutDown()
    this.#home.checkOpen()
    return this.maxsize > 0 ? this.#putBounded(value, options, nowait, waits) : this.#putUnbounded(value, options)
  }

  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown> {
    this.#home.checkOpen()
    const pending = new Pending<unknown>()
    const call = this.#home.call({
      type: protocol.GET,
      values: nowait ? NOWAIT : WAITS,
      item: message => {
        try {
          pending.resolve(this.#reader.read(message))
        } catch (error) {
          pending.reject(error)
        }
      },
      answered: message => pending.reject(whyRefused(message)),
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(empty()),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  counts(options: WaitOptions | undefined, waits: Waits): Promise<Counts> {
    this.#home.checkOpen()
    const pending = new Pending<Counts>()
    const call = this.#home.call({
      type: protocol.QUERY,
      answered: ({ bytes, start }) => {
        pending.resolve({ size: readU32(bytes, start), full: readU32(bytes, start + 4) === 1 })
      },
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(new MpError('MP_TIMEOUT', "the queue's home did not answer in time")),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  readable(now: boolean, options: WaitOptions | undefined, waits: Waits): Promise<boolean> {
    // A get would reject at once, and so not wait.
    if (this.#home.closed) return Promise.resolve(true)
    const pending = new Pending<boolean>()
    const call = this.#home.call({
      type: protocol.WATCH,
      values: now ? NOWAIT : WAITS,
      answered: ({ type }) => pending.resolve(type === protocol.DONE),
      lost: () => pending.resolve(true),
    })
    waits(
      pending.limit(
        options,
        () => pending.resolve(false),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  taskDone(): Promise<boolean> {
    this.#home.checkOpen()
    const pending = new Pending<boolean>()
    this.#home.call({
      type: protocol.TASK_DONE,
      answered: ({ type }) => pending.resolve(type === protocol.DONE),
      lost: error => pending.reject(error),
    })
    return pending.promise
  }

  tasksDone(options: WaitOptions | undefined, waits: Waits): Promise<void> {
    this.#home.checkOpen()
    const pending = new Pending<void>()
    const call = this.#home.call({
      type: protocol.AWAIT_TASKS,
      answered: () => pending.resolve(),
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(tasksLeft()),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  /** Everything that this context put has reached home, or home is gone. */
  settled(): Promise<void> {
    return this.#home.settled()
  }

  shutDown(immediate: boolean): void {
    this.#shutDown = true
    this.#home.tell(protocol.SHUT_DOWN, immediate ? 1 : 0)
  }

  close(): void {
    this.#home.close()
  }

  pack(packing: HandlePacking): PackedHandle {
    const end = this.#home.share(packing)
    return { kind: 'queue', state: { id: this.id, maxsize: this.maxsize, shutDown: this.#shutDown, end } }
  }

  moved(): void {
    this.#returning = []
  }

  unasked(message: Message): void {
    const { type } = message
    switch (type) {
      case protocol.ITEM:
        return this.#receive(message)
      case protocol.UNGOT:
        this.#returning.shift()
        return
      case protocol.WAS_SHUT_DOWN:
        this.#shutDown = true
        return
      case protocol.GRANTED:
        // For a put that gave up.
        return this.#home.tell(protocol.UNRESERVE)
      default:
        if (protocol.isAnswer(type)) return
        throw new MpError('MP_DECODE', `a queue's home sends no message of type ${type}`)
    }
  }

  lostError(cause?: Error): MpError {
    return new MpError(
      'MP_SHUT_DOWN',
      "the context that held this queue's items is gone",
      cause ? { cause } : undefined,
    )
  }

  /** Waits only where this context is far ahead of what home has read; a put that gives up then has sent nothing. */
  #putUnbounded(value: unknown, options: WaitOptions | undefined): Promise<void> {
    const { link } = this.#home
    const envelope = this.#envelopes.take()
    const out = link.begin(protocol.PUT, true)
    try {
      encode(value, out, envelope)
    } catch (error) {
      link.abandon(out)
      envelope.rollback()
      throw error
    }
    if (options === undefined || link.writable) {
      const accepted = link.commit(out, envelope.parcels)
      this.#envelopes.commit(envelope)
      return accepted
    }
    const sent = link.commit(out, envelope.parcels, (pending, withdraw) => {
      const giveUp = () => {
        withdraw()
        envelope.rollback()
      }
      pending.limit(options, () => pending.reject(full()), giveUp)
    })
    return sent.then(() => envelope.commit())
  }

  /** The item stays here until home grants a slot, so that a put that gives up has sent nothing. */
  #putBounded(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    const envelope = new Envelope(this.#transport)
    const body = new ByteBuffer(256)
    try {
      encode(value, body, envelope)
      checkLength(body.length, this.#transport)
    } catch (error) {
      envelope.rollback()
      throw error
    }
    const pending = new Pending<void>()
    const refuse = (error: MpError) => {
      envelope.rollback()
      pending.reject(error)
    }
    const call = this.#home.call({
      type: protocol.RESERVE,
      values: nowait ? NOWAIT : WAITS,
      answered: message => {
        if (message.type === protocol.REFUSED) return refuse(wasShutDown(message) ? shutDown() : full())
        this.#send(protocol.FILL, body.bytes, 0, body.length, envelope.parcels)
        envelope.commit()
        pending.resolve()
      },
      lost: refuse,
    })
    const forget = () => {
      this.#home.cancel(call)
      envelope.rollback()
    }
    waits(pending.limit(options, () => pending.reject(full()), forget))
    return pending.promise
  }

  /**
   * Items go to the calls in the order of both, whichever call each one answers: so what comes for a call that gave up is not
   * overtaken by what the next call was already given. What nobody waits for goes back; and until home has it, what home had
   * sent behind it goes back, too.
   */
  #receive(message: Message): void {
    const { bytes, start, end, parcels } = message
    const { calls } = this.#home
    const number = readU32(bytes, start)
    const place = readU32(bytes, start + 4)
    const waits = calls.has(number)
    const [taker, call] = this.#oldestGet() ?? []
    if (taker === undefined || !call?.item || this.#returning.some(earlier => ((earlier - place) | 0) < 0)) {
      this.#returning.push(place)
      this.#send(protocol.UNGET, bytes, start + 4, end, parcels)
      if (waits) this.#home.ask(number)
      return
    }
    if (waits) calls.delete(taker)
    else this.#home.cancel(taker)
    call.item({ ...message, start: start + 8 })
  }

  #oldestGet(): [number, QueueCall] | undefined {
    for (const entry of this.#home.calls) if (entry[1].item) return entry
    return undefined
  }

  #send(type: number, bytes: Uint8Array, start: number, end: number, parcels: readonly Parcel[] | undefined): void {
    this.#home.link.control(type, out => appendBytes(out, bytes, start, end), parcels)
  }
}

/** Of a REFUSED. */
function wasShutDown({ bytes, start }: Message): boolean {
  return readU32(bytes, start) === protocol.REASON_SHUT_DOWN
}

/** Of a get that was refused. */
function whyRefused({ bytes, start }: Message): MpError {
  const reason = readU32(bytes, start)
  if (reason === protocol.REASON_SHUT_DOWN) return shutDown()
  if (reason !== protocol.REASON_NOT_SHAREABLE) return empty()
  return new MpError('MP_NOT_SHAREABLE', 'the next item holds a handle: it stays for a getter of its own program')
}
