import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { discard, type End, open, type Parcel } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import type { Collect } from './attachments.js'
import type { AttachmentsHome } from './attachments-home.js'
import { RemoteAttachments } from './attachments-remote.js'

/** The way of a native queue to its home, which keeps what rides beside items, and knows who holds the queue. */
export interface Desk {
  /** Before an item with a key can be seen: home must be able to tell that its depositor has died. */
  open(): void
  deposit(key: string, parcels: readonly Parcel[]): void
  claim(key: string, collect: Collect): void
  /** Hears what home, or the holders, have said; blocks for a millisecond at most. */
  receiveSync(): void
  /** Another holder joins. Gives the index of its end. */
  share(packing: HandlePacking): number
  close(): void
}

/** In the home itself. */
export class HomeDesk implements Desk {
  readonly #home: AttachmentsHome

  constructor(home: AttachmentsHome) {
    this.#home = home
  }

  open(): void {}

  deposit(key: string, parcels: readonly Parcel[]): void {
    this.#home.deposits.add(key, parcels)
  }

  claim(key: string, collect: Collect): void {
    this.#home.claim(key, collect)
  }

  receiveSync(): void {
    this.#home.receiveSync()
    Atomics.wait(never, 0, 0, 1)
  }

  share(packing: HandlePacking): number {
    return packing.attachEnd(this.#home.share())
  }

  close(): void {}
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Elsewhere. Its wire is opened when it is first needed: most queues carry plain values alone. */
export class HolderDesk implements Desk {
  readonly #context: Context
  readonly #transport: Transport
  readonly #id: string
  #end: End | undefined
  #client: RemoteAttachments | undefined

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

  claim(key: string, collect: Collect): void {
    this.#opened().claim(key, collect)
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
    this.#client?.close()
  }

  #opened(): RemoteAttachments {
    if (this.#client) return this.#client
    const wire = open(this.#end as End, this.#transport)
    this.#end = undefined
    this.#client = new RemoteAttachments(this.#context, this.#transport, this.#id, wire)
    return this.#client
  }
}
