import { MpError } from '../errors.js'
import type { Transport } from '../transport/transport.js'
import { type SemaphoreBackend, UNLIMITED } from './backend.js'
import { Acquirable, leave } from './lock.js'

/**
 * A counter. `acquire` takes one from it, and waits while it is 0. `release` adds to it. What a context holds when it ends or is
 * killed is given back.
 */
export class Semaphore extends Acquirable {
  /** @internal Users call the Semaphore of their transport's package. */
  constructor(transport: Transport, backend: SemaphoreBackend, what = 'Semaphore') {
    super(transport, what, backend)
  }

  /**
   * Gives back what this context has acquired, then what others have acquired, then adds to the counter: `n` in all. If a
   * BoundedSemaphore would exceed its first value, it rejects with MP_INVALID_STATE, and nothing has changed.
   */
  async release(n = 1): Promise<void> {
    this.checkOpen()
    checkCount(n, 1, 'n')
    const own = n === 1 ? this.backend.holds.first() : undefined
    if (own) leave(this.backend, own)
    else if (!(await this.backend.post(n, true))) {
      throw new MpError('MP_INVALID_STATE', 'a semaphore was released too many times')
    }
  }

  /** How many could be acquired now. This is a hint, because others may act before you do. */
  async getValue(): Promise<number> {
    this.checkOpen()
    return this.backend.value()
  }
}

/** A Semaphore that is never released more often than it was acquired. */
export class BoundedSemaphore extends Semaphore {
  /** @internal Users call the BoundedSemaphore of their transport's package. */
  constructor(transport: Transport, backend: SemaphoreBackend) {
    super(transport, backend, 'BoundedSemaphore')
  }
}

/** Gives `count`. Throws unless it is an integer from `least` on. */
export function checkCount(count: number, least: number, name: string): number {
  if (typeof count !== 'number') throw new TypeError(`${name} must be a number, not ${typeof count}`)
  if (Number.isInteger(count) && count >= least && count <= UNLIMITED) return count
  throw new RangeError(`${name} must be an integer from ${least} on, not ${count}`)
}
