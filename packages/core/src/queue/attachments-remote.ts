import { HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Parcel } from '../link/wire-end.js'
import { appendText } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import type { Collect } from './attachments.js'
import * as protocol from './attachments-protocol.js'

/** A holder's way to the {@link AttachmentsHome} of a native queue. */
export class RemoteAttachments implements HomeLinkUser {
  readonly id: string
  readonly #context: Context
  readonly #home: HomeLink

  constructor(context: Context, transport: Transport, id: string, wire: Wire) {
    this.id = id
    this.#context = context
    this.#home = new HomeLink(context, transport, wire, this)
    this.#home.open()
    this.moved()
  }

  deposit(key: string, parcels: readonly Parcel[]): void {
    const { link } = this.#home
    link.control(protocol.DEPOSIT, out => appendText(out, key), parcels)
    link.flush()
  }

  claim(key: string, collect: Collect): void {
    if (this.#home.closed) return collect(undefined)
    this.#home.call({
      type: protocol.CLAIM,
      text: key,
      answered: ({ type, parcels }) => collect(type === protocol.COLLECT ? (parcels ?? []) : undefined),
      lost: () => collect(undefined),
    })
    this.#home.link.flush()
  }

  /** Blocks until home has said something, for `timeoutMs` at most. */
  receiveSync(timeoutMs: number): boolean {
    return this.#home.link.receiveSync(timeoutMs)
  }

  /** Says who it is: a home must be able to tell that a depositor has died. */
  moved(): void {
    const { link } = this.#home
    link.control(protocol.NAME, out => appendText(out, this.#context.identity.id))
    link.flush()
  }

  share(packing: HandlePacking): number {
    return this.#home.share(packing)
  }

  close(): void {
    this.#home.close()
  }

  settled(): Promise<void> {
    return this.#home.settled()
  }

  /** What comes for a claim that is no more waited for: nothing can be. */
  unasked(): void {}

  lostError(cause?: Error): MpError {
    return new MpError('MP_SHUT_DOWN', 'the context that made this queue is gone', cause ? { cause } : undefined)
  }
}
