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
 * A lock, and a line of those who wait, without it, for something that another holder of it will tell.
 *
 * The line is a semaphore of limit 0: a permit is a notification, and where nobody waits there is none. Who waits is in line
 * before it gives the lock back, so no holder of the lock can notify too early; and it holds the notification until it has
 * the lock again, so one that goes to a dying context passes on.
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
   * Gives the lock back, waits until it is notified, and takes the lock again: true; or false after `timeout` ms, which the
   * way back to the lock may exceed. The guard stays valid; an RLock is entered as often as before. Rejects with
   * MP_INVALID_STATE where this context does not hold the lock. An abort rejects when the lock is held again.
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
   * Waits until `predicate`, which is called with the lock held, gives something true, and gives that; after `timeout` ms
   * what it gave last.
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

  /** Wakes `n` of those who wait, the longest waiting first. MP_INVALID_STATE where this context does not hold the lock. */
  async notify(n = 1): Promise<void> {
    this.checkOpen()
    checkCount(n, 1, 'n')
    this.#held('notify')
    await this.#line.post(n, false)
  }

  /** Wakes all who wait. */
  notifyAll(): Promise<void> {
    return this.notify(UNLIMITED)
  }

  /** As of any handle. Its lock, too, where it was made for the Condition. */
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
      // Somebody else can use it.
      if (notification) this.#line.release(notification)
      throw error
    }
  }
}

interface Outcome {
  readonly grant?: Grant | undefined
  readonly error?: unknown
}
