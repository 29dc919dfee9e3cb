import { HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Message } from '../link/link.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { lostHome, type PackedSemaphore, type SemaphoreBackend, type Wish } from './backend.js'
import { type Grant, Holds } from './grants.js'
import * as protocol from './protocol.js'

/** A semaphore whose home is another context, over a link to there. */
export class RemoteSemaphore implements SemaphoreBackend, HomeLinkUser {
  readonly id: string
  readonly holds = new Holds()
  readonly #home: HomeLink

  constructor(context: Context, transport: Transport, id: string, wire: Wire) {
    this.id = id
    this.#home = new HomeLink(context, transport, wire, this)
  }

  use(): this {
    this.#home.open()
    return this
  }

  acquire(wish: Wish, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<Grant | undefined> {
    this.#home.checkOpen()
    const pending = new Pending<Grant | undefined>()
    const call = this.#home.call({
      type: protocol.ACQUIRE,
      values: [wish === 'see' ? 1 : 0, nowait ? 1 : 0],
      answered: message => {
        if (message.type !== protocol.GRANTED) return pending.resolve(undefined)
        const grant = grantIn(message)
        pending.resolve(wish === 'hold' ? this.holds.add(grant) : grant)
      },
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        nowait ? { signal: options?.signal } : options,
        () => pending.resolve(undefined),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  release({ number }: Grant): void {
    this.#home.checkOpen()
    this.holds.delete(number)
    this.#home.tell(protocol.RELEASE, number, 0)
  }

  consume({ number }: Grant): void {
    this.holds.delete(number)
    this.#home.tell(protocol.CONSUME, number)
  }

  async post(count: number, exact: boolean): Promise<boolean> {
    const { type } = await this.#ask(protocol.POST, count, exact ? 1 : 0)
    return type === protocol.POSTED
  }

  async value(): Promise<number> {
    const { bytes, start } = await this.#ask(protocol.VALUE)
    return readU32(bytes, start)
  }

  settled(): Promise<void> {
    return this.#home.settled()
  }

  close(): void {
    this.#home.close()
    if (this.#home.closed) this.holds.clear()
  }

  pack(packing: HandlePacking): PackedSemaphore {
    return { id: this.id, end: this.#home.share(packing) }
  }

  unasked({ type, bytes, start }: Message): void {
    switch (type) {
      case protocol.GRANTED: {
        // Its call gave up: the permit goes to the next who waits.
        const { number, abandoned } = grantIn({ bytes, start: start + 4 })
        if (number > 0) this.#home.tell(protocol.RELEASE, number, abandoned ? 1 : 0)
        return
      }
      case protocol.REVOKED:
        return this.holds.delete(readU32(bytes, start))
      case protocol.REFUSED:
      case protocol.POSTED:
      case protocol.VALUE_IS:
        return
      default:
        throw new MpError('MP_DECODE', `a semaphore's home sends no message of type ${type}`)
    }
  }

  lostError(cause?: Error): MpError {
    return lostHome(cause)
  }

  #ask(type: number, ...values: number[]): Promise<Message> {
    this.#home.checkOpen()
    const pending = new Pending<Message>()
    this.#home.call({
      type,
      values,
      answered: message => pending.resolve(message),
      lost: error => pending.reject(error),
    })
    return pending.promise
  }
}

function grantIn({ bytes, start }: Pick<Message, 'bytes' | 'start'>): Grant {
  return { number: readU32(bytes, start), abandoned: readU32(bytes, start + 4) === 1 }
}
