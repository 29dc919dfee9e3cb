import { MpError } from '../errors.js'
import type { Transport } from '../transport/transport.js'
import type { SemaphoreBackend } from './backend.js'
import {
  type AcquireOptions,
  type Guard,
  Guard as GuardClass,
  Lock,
  leave,
  released,
  type UnboundedAcquireOptions,
} from './lock.js'

/** Of an acquisition that goes on. */
export interface Reentry {
  /** The guard that an earlier `acquire` gave: enters again, at once. */
  guard?: Guard | undefined
}

/**
 * A Lock that its holder can enter again. Holder is whoever has the guard, since many calls of one thread run side by side
 * here: `acquire({ guard })` enters again, and it is free when it was released as often as it was entered.
 */
export class RLock extends Lock {
  /** @internal Users call the RLock of their transport's package. */
  constructor(transport: Transport, backend: SemaphoreBackend) {
    super(transport, backend, 'RLock')
  }

  override acquire(options?: UnboundedAcquireOptions & Reentry): Promise<Guard>
  override acquire(options: AcquireOptions & Reentry): Promise<Guard | false>
  override async acquire(options?: AcquireOptions & Reentry): Promise<Guard | false> {
    const guard = options?.guard
    if (guard === undefined) return super.acquire(options as AcquireOptions)
    return this.#enterAgain(guard)
  }

  /** As `acquire`, but blocks this thread. @internal */
  override acquireSync(options?: AcquireOptions & Reentry): Guard | false {
    const guard = options?.guard
    return guard === undefined ? super.acquireSync(options) : this.#enterAgain(guard)
  }

  /** Leaves it once. MP_INVALID_STATE where this context does not hold it. */
  override async release(): Promise<void> {
    this.checkOpen()
    const own = this.backend.holds.first()
    if (!own) throw released()
    leave(this.backend, own)
  }

  #enterAgain(guard: Guard): Guard {
    this.checkOpen()
    if (!(guard instanceof GuardClass)) throw new TypeError('guard must be what an earlier acquire gave')
    const hold = guard.holdOf(this.backend)
    if (!hold) throw new MpError('MP_INVALID_STATE', 'this guard was released, or belongs to another lock')
    hold.depth++
    return new GuardClass(this.backend, hold)
  }
}
