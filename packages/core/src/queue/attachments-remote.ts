import { HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { discard, type End, open, type Parcel } from '../link/wire-end.js'
import { appendText } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import type { Collect } from './attachments.js'
import type { AttachmentsHome } from './attachments-home.js'
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

  collect(key: string, collect: Collect): void {
    if (this.#home.closed) return collect(undefined)
    this.#home.call({
      type: protocol.COLLECT,
      text: key,
      answered: ({ type, parcels }) => collect(type === protocol.COLLECTED ? (parcels ?? []) : undefined),
      lost: () => collect(undefined),
    })
    this.#home.link.flush()
  }

  /** Blocks until home has said something, for `timeoutMs` at most. */
  receiveSync(timeoutMs: number): boolean {
    return this.#home.link.receiveSync(timeoutMs)
  }

  /** Tells the home, also a new one, who this holder is. Home must notice when a depositor dies. */
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

  /** A call is never cancelled here, so nothing comes unasked. */
  unasked(): void {}

  lostError(cause?: Error): MpError {
    return new MpError('MP_SHUT_DOWN', 'the context that made this queue is gone', cause ? { cause } : undefined)
  }
}

/** How a native queue reaches its home, which keeps the attachments of items and knows who holds the queue. */
export interface AttachmentsAccess {
  /** Called before anybody can see an item that has a key. From then on home notices if the depositor dies. */
  open(): void
  deposit(key: string, parcels: readonly Parcel[]): void
  collect(key: string, collect: Collect): void
  /** Reads what home, or the holders, have said. Blocks for about a millisecond at most. */
  receiveSync(): void
  /** Another holder joins. Gives the index of its end. */
  share(packing: HandlePacking): number
  close(): void
}

/** Used in the home itself. */
export class HomeAttachments implements AttachmentsAccess {
  readonly #home: AttachmentsHome

  constructor(home: AttachmentsHome) {
    this.#home = home
    home.use()
  }

  open(): void {}

  deposit(key: string, parcels: readonly Parcel[]): void {
    this.#home.deposits.add(key, parcels)
  }

  collect(key: string, collect: Collect): void {
    this.#home.collect(key, collect)
  }

  receiveSync(): void {
    this.#home.receiveSync()
    Atomics.wait(never, 0, 0, 1)
  }

  share(packing: HandlePacking): number {
    return packing.attachEnd(this.#home.share())
  }

  close(): void {
    this.#home.unuse()
  }
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Used outside of the home. Opens its wire when it first needs it, because most queues carry only plain values. */
export class HolderAttachments implements AttachmentsAccess {
  readonly #context: Context
  readonly #transport: Transport
  readonly #id: string
  #end: End | undefined
  #remote: RemoteAttachments | undefined

  constructor(context: Context, transport: Transport, id: string, end: End) {
    this.#context = context
    this.#transport = transport
    this.#id = id
    this.#end = end
  }

  open(): void {
    this.#opened()
  }

  deposit(key: string, parcels: readonly Parcel[]): void {
    this.#opened().deposit(key, parcels)
  }

  collect(key: string, collect: Collect): void {
    this.#opened().collect(key, collect)
  }

  receiveSync(): void {
    this.#opened().receiveSync(1)
  }

  share(packing: HandlePacking): number {
    return this.#opened().share(packing)
  }

  close(): void {
    if (this.#end) discard(this.#end, this.#transport)
    this.#end = undefined
    this.#remote?.close()
  }

  #opened(): RemoteAttachments {
    if (this.#remote) return this.#remote
    const wire = open(this.#end as End, this.#transport)
    this.#end = undefined
    this.#remote = new RemoteAttachments(this.#context, this.#transport, this.#id, wire)
    return this.#remote
  }
}
