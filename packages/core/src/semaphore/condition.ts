import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { MpError } from '../errors.js'
import type { WaitingCall } from '../runtime/pending-call.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import { type SemaphoreBackend, UNLIMITED } from './backend.js'
import type { Grant, Hold } from './grants.js'
import type { AcquireOptions, Guard, Lock, UnboundedAcquireOptions } from './lock.js'
import type { Reentry, RLock } from './rlock.js'
import { checkCount } from './semaphore.js'

/**
 * A lock, and a line of calls that have given the lock back and wait until another holder of the lock notifies them.
 *
 * The line is a semaphore of limit 0. A permit of it is a notification, and none is kept if nobody waits. A call is in line
 * before it gives the lock back, so no holder of the lock can notify too early. It holds the notification until it has the lock
 * again. So if its context dies before that, the notification goes to the next call.
 */
export class Condition extends SharedHandle {
  readonly #lock: Lock
  readonly #line: SemaphoreBackend
  readonly #ownsLock: boolean

  /** @internal Users call the Condition of their transport's package. */
  constructor(transport: Transport, lock: Lock, line: SemaphoreBackend, ownsLock: boolean) {
    super(transport, 'Condition', line)
    this.#ownsLock = ownsLock
    this.#lock = lock
    this.#line = line
  }

  /** Acquires the lock. */
  acquire(options?: UnboundedAcquireOptions & Reentry): Promise<Guard>
  acquire(options: AcquireOptions & Reentry): Promise<Guard | false>
  async acquire(options?: AcquireOptions & Reentry): Promise<Guard | false> {
    this.checkOpen()
    return (this.#lock as RLock).acquire(options as AcquireOptions)
  }

  /** Releases the lock. */
  async release(): Promise<void> {
    this.checkOpen()
    await this.#lock.release()
  }

  /**
   * Gives the lock back, waits until it is notified, and takes the lock again. The guard stays valid, and an RLock is entered as
   * often as before.
   *
   * - Gives true if it was notified, false if `timeout` ms passed first. To take the lock again may last longer than that.
   * - Rejects with MP_INVALID_STATE if this context does not hold the lock.
   * - After an abort it rejects once it holds the lock again.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.checkOpen()
    checkWait(options)
    const hold = this.#held('wait')
    let call: WaitingCall | undefined
    const waits = (each: WaitingCall) => {
      call = each
      this.waits(each)
    }
    const woken = this.#line.acquire('hold', options, false, waits).then(
      (grant): Outcome => ({ grant }),
      (error): Outcome => ({ error }),
    )
    const early = await Promise.race([woken, this.#line.settled()])
    if (!early) this.#giveBack(hold, call)
    const { grant, error } = early ?? (await woken)
    if (!early) await this.#takeAgain(hold, grant)
    if (grant) this.#line.consume(grant)
    if (error !== undefined) throw error
    return grant !== undefined
  }

  /**
   * Waits until `predicate` gives something truthy, and gives that. After `timeout` ms it gives what `predicate` gave last. The
   * lock is held whenever `predicate` is called.
   */
  async waitFor<V>(predicate: () => V | PromiseLike<V>, options?: WaitOptions): Promise<V> {
    this.checkOpen()
    const limit = checkWait(options)
    const end = limit === undefined ? undefined : performance.now() + limit
    this.#held('waitFor')
    for (;;) {
      const value = await predicate()
      if (value) return value
      const timeout = end === undefined ? undefined : end - performance.now()
      if (timeout !== undefined && timeout <= 0) return value
      await this.wait({ timeout, signal: options?.signal })
    }
  }

  /** Wakes `n` of the waiting calls, the oldest first. Rejects with MP_INVALID_STATE if this context does not hold the lock. */
  async notify(n = 1): Promise<void> {
    this.checkOpen()
    checkCount(n, 1, 'n')
    this.#held('notify')
    await this.#line.post(n, false)
  }

  /** Wakes all waiting calls. */
  notifyAll(): Promise<void> {
    return this.notify(UNLIMITED)
  }

  /** Closes this handle, and its lock if that was made for the Condition. */
  override async close(): Promise<void> {
    await super.close()
    if (this.#ownsLock) await this.#lock.close()
  }

  /** @internal */
  protected override pack(packing: HandlePacking): unknown {
    return { lock: this.#lock, line: this.#line.pack(packing), ownsLock: this.#ownsLock }
  }

  #held(what: string): Hold {
    const hold = this.#lock.backend.holds.first()
    if (hold) return hold
    throw new MpError('MP_INVALID_STATE', `${what} needs the lock of the Condition, and this context does not hold it`)
  }

  #giveBack(hold: Hold, call: WaitingCall | undefined): void {
    try {
      this.#lock.backend.release(hold.grant)
    } catch (error) {
      call?.abandon(error)
      throw error
    }
  }

  async #takeAgain(hold: Hold, notification: Grant | undefined): Promise<void> {
    const { backend } = this.#lock
    try {
      const grant = (await backend.acquire('hold', undefined, false, this.waits)) as Grant
      backend.holds.renew(hold, grant)
    } catch (error) {
      // Another waiting call can use the notification.
      if (notification) this.#line.release(notification)
      throw error
    }
  }
}

interface Outcome {
  readonly grant?: Grant | undefined
  readonly error?: unknown
}
