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

/** Options of a call that enters an RLock again. */
export interface Reentry {
  /** The guard that an earlier `acquire` gave. With it the call enters again, at once. */
  guard?: Guard | undefined
}

/**
 * A Lock that its holder can enter again. Many calls of one thread run side by side, so the holder is not the thread, but
 * whoever has the guard: `acquire({ guard })` enters again. The lock is free when it was released as often as it was entered.
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

  /** Leaves the lock once. Rejects with MP_INVALID_STATE if this context does not hold it. */
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
