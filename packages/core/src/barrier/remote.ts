import { HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import type { Context } from '../context/context.js'
import { readMessage } from '../context/message-reader.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Message } from '../link/link.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import { lostHome } from '../semaphore/backend.js'
import * as protocol from '../semaphore/protocol.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { type BarrierBackend, type BarrierState, brokenBarrier } from './backend.js'

/** A barrier whose home is elsewhere, used over a link. */
export class RemoteBarrier implements BarrierBackend, HomeLinkUser {
  readonly id: string
  readonly parties: number
  readonly #context: Context
  readonly #transport: Transport
  readonly #home: HomeLink

  constructor(context: Context, transport: Transport, id: string, parties: number, wire: Wire) {
    this.id = id
    this.parties = parties
    this.#context = context
    this.#transport = transport
    this.#home = new HomeLink(context, transport, wire, this)
  }

  use(): this {
    this.#home.open()
    return this
  }

  arrive(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<number> {
    this.#home.checkOpen()
    const pending = new Pending<number>()
    const call = this.#home.call({
      type: protocol.ARRIVE,
      values: [nowait ? 1 : 0],
      answered: message => {
        if (message.type === protocol.PASSED) pending.resolve(readU32(message.bytes, message.start))
        else pending.reject(this.#broken(message))
      },
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        nowait ? { signal: options?.signal } : options,
        () => pending.reject(brokenBarrier()),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  async abort(): Promise<void> {
    await this.#ask(protocol.ABORT)
  }

  async reset(): Promise<void> {
    await this.#ask(protocol.RESET)
  }

  async state(): Promise<BarrierState> {
    const { bytes, start } = await this.#ask(protocol.STATE)
    return { waiting: readU32(bytes, start), broken: readU32(bytes, start + 4) === 1 }
  }

  settled(): Promise<void> {
    return this.#home.settled()
  }

  close(): void {
    this.#home.close()
  }

  collected(): void {
    this.#home.collected()
  }

  share(packing: HandlePacking): number {
    return this.#home.share(packing)
  }

  unasked({ type }: Message): void {
    if (type >= protocol.PASSED && type <= protocol.STATE_IS) return
    throw new MpError('MP_DECODE', `a barrier's home sends no message of type ${type}`)
  }

  lostError(cause?: Error): MpError {
    return lostHome(cause)
  }

  #broken(message: Message): MpError {
    if (message.start === message.end) return brokenBarrier()
    return brokenBarrier(readMessage(this.#context, this.#transport, message))
  }

  #ask(type: number): Promise<Message> {
    this.#home.checkOpen()
    const pending = new Pending<Message>()
    this.#home.call({
      type,
      answered: message => pending.resolve(message),
      lost: error => pending.reject(error),
    })
    return pending.promise
  }
}
