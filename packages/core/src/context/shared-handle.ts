import { type Handle, PACK, type PackedHandle, refuseSerialisation } from '../codec/handle.js'
import { MpError } from '../errors.js'
import { type Collectable, unwatchHandle, watchHandle } from '../runtime/collection.js'
import type { WaitingCall, Waits } from '../runtime/pending-call.js'
import type { Transport } from '../transport/transport.js'
import type { HandlePacking } from './message-writer.js'
import { checkTravels } from './network-transport.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

interface SharedBackend extends Collectable {
  close(): void
}

/** What Lock, Semaphore, Event, Condition and Barrier have in common: they travel, and they close. */
export class SharedHandle implements Handle {
  readonly #transport: Transport
  readonly #what: string
  readonly #backend: SharedBackend
  #closed = false
  readonly #waiting = new Set<WaitingCall>()
  readonly #waits: Waits = call => {
    this.#waiting.add(call)
    const forget = () => void this.#waiting.delete(call)
    call.promise.then(forget, forget)
  }

  /** @internal `what` names the class to users, and the opener of what arrives elsewhere. */
  constructor(transport: Transport, what: string, backend: SharedBackend) {
    this.#transport = transport
    this.#what = what
    this.#backend = backend
    refuseSerialisation(this, what)
    watchHandle(this, backend)
  }

  /** @internal Notes a call that waits, so that `close` can reject it. */
  protected get waits(): Waits {
    return this.#waits
  }

  /** @internal */
  get transport(): Transport {
    return this.#transport
  }

  /**
   * Ends the use of the object in this context; others go on. Pending calls here reject with MP_CLOSED. What this context holds
   * is given back, as if the context had ended.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    unwatchHandle(this)
    for (const call of this.#waiting) call.abandon(this.#closedError())
    this.#backend.close()
  }

  [INSPECT](): string {
    return this.#closed ? `${this.#what}(closed)` : this.#what
  }

  /** @internal */
  [PACK](packing: HandlePacking): PackedHandle {
    this.checkOpen()
    checkTravels(this.#what, this.#transport, packing.transport)
    return { kind: this.#what, state: this.pack(packing) }
  }

  /** @internal */
  protected pack(_packing: HandlePacking): unknown {
    throw new TypeError(`${this.#what} does not travel`)
  }

  /** @internal Of a handle whose medium has no calls that block. */
  protected cannotBlock(): MpError {
    return new MpError('MP_NOT_SUPPORTED', `${this.#what} has no blocking calls on ${this.#transport.name}`)
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#closed) throw this.#closedError()
  }

  #closedError(): MpError {
    return new MpError('MP_CLOSED', `this ${this.#what} is closed in this context (${this.#transport.name})`)
  }
}
