import { appendBytes, appendText, appendU32, ByteBuffer, readU32 } from '../byte-buffer.js'
import { encode } from '../codec.js'
import type { Context } from '../context.js'
import { type Parcel, pair } from '../end.js'
import { Envelope, type HandlePacking } from '../envelope.js'
import { MpError } from '../errors.js'
import { checkLength } from '../frame.js'
import type { PackedHandle } from '../handle.js'
import { Link, type Message } from '../link.js'
import { Pending, type WaitOptions } from '../pending.js'
import type { PackedQueue } from '../queue.js'
import type { Transport, Wire } from '../spi.js'
import { readMessage } from '../unpacking.js'
import { type Counts, empty, full, type QueueBackend, shutDown, type Waits } from './backend.js'
import * as protocol from './protocol.js'

interface Call {
  readonly type: number
  /** Of a claim. */
  readonly key?: string
  readonly nowait: boolean
  granted?(): void
  refused?(reason: number): void
  item?(message: Message): void
  counts?(counts: Counts): void
  collect?(parcels: readonly Parcel[] | undefined): void
  lost(error: MpError): void
}

/** A queue whose home is another context, over a link to there. One per context and queue, so that one producer has one order. */
export class QueueClient implements QueueBackend {
  readonly id: string
  readonly maxsize: number
  readonly #context: Context
  readonly #transport: Transport
  readonly #link: Link
  readonly #calls = new Map<number, Call>()
  #nextCall = 1
  /** The numbers of items that are on their way back to home. */
  #returning: number[] = []
  #shutDown = false
  /** Queue objects of this context that use it. */
  #users = 0

  constructor(context: Context, transport: Transport, { id, maxsize, shutDown }: PackedQueue, wire: Wire) {
    this.#context = context
    this.#transport = transport
    this.id = id
    this.maxsize = maxsize
    this.#shutDown = shutDown
    this.#link = new Link(wire, transport, {
      message: message => this.#hear(message),
      moved: () => this.#callAgain(),
      closed: error => this.#lost(error),
      lost: () => this.#lostError(),
    })
    context.clients.set(id, this)
    context.links.add(this.#link)
    this.#hello()
    this.#link.listenFirst()
  }

  #hello(): void {
    this.#link.control(protocol.HELLO, out => appendText(out, this.#context.identity.id))
    this.#link.flush()
  }

  /** What rides beside an item of a native queue goes home. */
  deposit(key: string, parcels: readonly Parcel[]): void {
    this.#link.control(protocol.DEPOSIT, out => appendText(out, key), parcels)
    this.#link.flush()
  }

  /** Asks for what rides beside an item; undefined where that is gone. */
  claim(key: string, collect: (parcels: readonly Parcel[] | undefined) => void): void {
    if (this.#link.closed) return collect(undefined)
    this.#call({ type: protocol.CLAIM, nowait: false, key, collect, lost: () => collect(undefined) })
    this.#link.flush()
  }

  /** Blocks until home has said something, for `timeoutMs` at most. */
  receiveSync(timeoutMs: number): boolean {
    return this.#link.receiveSync(timeoutMs)
  }

  get alive(): boolean {
    return !this.#link.closed
  }

  use(): this {
    this.#users++
    return this
  }

  put(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    if (this.#shutDown) throw shutDown()
    if (this.#link.closed) throw this.#lostError()
    return this.maxsize > 0 ? this.#putBounded(value, options, nowait, waits) : this.#putUnbounded(value)
  }

  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown> {
    if (this.#link.closed) throw this.#lostError()
    const pending = new Pending<unknown>()
    const call = this.#call({
      type: protocol.GET,
      nowait,
      item: message => {
        try {
          pending.resolve(this.#decode(message))
        } catch (error) {
          pending.reject(error)
        }
      },
      refused: reason => pending.reject(reason === protocol.REASON_SHUT_DOWN ? shutDown() : empty()),
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(empty()),
        () => this.#cancel(call),
      ),
    )
    return pending.promise
  }

  counts(options: WaitOptions | undefined, waits: Waits): Promise<Counts> {
    if (this.#link.closed) throw this.#lostError()
    const pending = new Pending<Counts>()
    const call = this.#call({
      type: protocol.QUERY,
      nowait: false,
      counts: counts => pending.resolve(counts),
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(new MpError('MP_TIMEOUT', "the queue's home did not answer in time")),
        () => this.#cancel(call),
      ),
    )
    return pending.promise
  }

  /** Everything that this context put has reached home, or home is gone. */
  async settled(): Promise<void> {
    if (!this.#link.closed) await this.counts(undefined, () => {}).catch(() => {})
  }

  shutDown(immediate: boolean): void {
    this.#shutDown = true
    this.#link.control(protocol.SHUT_DOWN, out => appendU32(out, immediate ? 1 : 0))
  }

  close(): void {
    if (--this.#users === 0) this.#link.close()
    if (this.#link.closed) this.#forgetLink()
  }

  pack(packing: HandlePacking): PackedHandle {
    if (this.#link.closed) throw this.#lostError()
    const { id, maxsize } = this
    return {
      kind: 'queue',
      state: { id, maxsize, shutDown: this.#shutDown, end: this.join(packing), memory: null },
    }
  }

  /** Another holder joins, with whatever is packed. Gives the index of its end. */
  join(packing: HandlePacking): number {
    const [forHome, forTaker] = pair(this.#transport)
    // On the link that the puts of this context went over: home knows them before the new holder can ask.
    packing.onCommit(() => this.#link.control(protocol.JOIN, undefined, [forHome]))
    return packing.attachEnd(forTaker)
  }

  #putUnbounded(value: unknown): Promise<void> {
    const link = this.#link
    const envelope = new Envelope(this.#transport)
    const out = link.begin(protocol.PUT, true)
    try {
      encode(value, out, envelope)
    } catch (error) {
      link.abandon(out)
      envelope.rollback()
      throw error
    }
    const accepted = link.commit(out, envelope.parcels)
    envelope.commit()
    return accepted
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
    const call = this.#call({
      type: protocol.RESERVE,
      nowait,
      granted: () => {
        this.#send(protocol.FILL, body.bytes, 0, body.length, envelope.parcels)
        envelope.commit()
        pending.resolve()
      },
      refused: reason => refuse(reason === protocol.REASON_SHUT_DOWN ? shutDown() : full()),
      lost: refuse,
    })
    const forget = () => {
      this.#cancel(call)
      envelope.rollback()
    }
    waits(pending.limit(options, () => pending.reject(full()), forget))
    return pending.promise
  }

  #call(call: Call): number {
    const number = this.#nextCall
    this.#nextCall = (this.#nextCall + 1) >>> 0
    this.#calls.set(number, call)
    this.#ask(number, call)
    return number
  }

  #ask(number: number, { type, nowait, key }: Call): void {
    this.#link.control(type, out => {
      appendU32(out, number)
      if (key === undefined) appendU32(out, nowait ? 1 : 0)
      else appendText(out, key)
    })
  }

  /** The queue has a new home, which knows nothing of the calls that the old one did not answer. */
  #callAgain(): void {
    this.#hello()
    this.#returning = []
    for (const [number, call] of this.#calls) this.#ask(number, call)
  }

  /** The caller gave up. An answer that is already on its way is given back when it comes. */
  #cancel(call: number): void {
    this.#calls.delete(call)
    this.#link.control(protocol.CANCEL, out => appendU32(out, call))
  }

  #hear(message: Message): void {
    const { type, bytes, start } = message
    if (type === protocol.WAS_SHUT_DOWN) {
      this.#shutDown = true
      return
    }
    if (type === protocol.UNGOT) {
      this.#returning.shift()
      return
    }
    const number = readU32(bytes, start)
    if (type === protocol.ITEM) return this.#receive(number, message)
    const call = this.#calls.get(number)
    this.#calls.delete(number)
    switch (type) {
      case protocol.GRANTED:
        return call?.granted ? call.granted() : this.#link.control(protocol.UNRESERVE)
      case protocol.REFUSED:
        return call?.refused?.(readU32(bytes, start + 4))
      case protocol.COUNTS:
        return call?.counts?.({ size: readU32(bytes, start + 4), full: readU32(bytes, start + 8) === 1 })
      case protocol.COLLECT:
        return call?.collect?.(message.parcels ?? [])
      case protocol.GONE:
        return call?.collect?.(undefined)
      default:
        throw new MpError('MP_DECODE', `a queue's home sends no message of type ${type}`)
    }
  }

  /**
   * Items go to the calls in the order of both, whichever call each one answers: so what comes for a call that gave up is not
   * overtaken by what the next call was already given. What nobody waits for goes back; and until home has it, what home had
   * sent behind it goes back, too.
   */
  #receive(number: number, message: Message): void {
    const { bytes, start, end, parcels } = message
    const place = readU32(bytes, start + 4)
    const waits = this.#calls.has(number)
    const [taker, call] = this.#oldestGet() ?? []
    if (taker === undefined || !call?.item || this.#returning.some(earlier => ((earlier - place) | 0) < 0)) {
      this.#returning.push(place)
      this.#send(protocol.UNGET, bytes, start + 4, end, parcels)
      if (waits) this.#ask(number, this.#calls.get(number) as Call)
      return
    }
    this.#calls.delete(taker)
    if (!waits) this.#link.control(protocol.CANCEL, out => appendU32(out, taker))
    call.item({ ...message, start: start + 8 })
  }

  #oldestGet(): [number, Call] | undefined {
    for (const entry of this.#calls) if (entry[1].item) return entry
    return undefined
  }

  #send(type: number, bytes: Uint8Array, start: number, end: number, parcels: readonly Parcel[] | undefined): void {
    this.#link.control(type, out => appendBytes(out, bytes, start, end), parcels)
  }

  #decode(message: Message): unknown {
    return readMessage(this.#context, this.#transport, message)
  }

  #lost(cause: Error | undefined): void {
    this.#forgetLink()
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const call of calls) call.lost(this.#lostError(cause))
  }

  #forgetLink(): void {
    this.#context.links.delete(this.#link)
    if (this.#context.clients.get(this.id) === this) this.#context.clients.delete(this.id)
  }

  #lostError(cause?: Error): MpError {
    return new MpError(
      'MP_SHUT_DOWN',
      "the context that held this queue's items is gone",
      cause ? { cause } : undefined,
    )
  }
}
