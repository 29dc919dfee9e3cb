import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { BarrierBackend, PackedBarrier } from './backend.js'

export interface BarrierOptions {
  /** Runs once per generation, in the context that made the barrier, before any call passes. Its promise is awaited. */
  action?: (() => unknown) | undefined
  /** ms, for each `wait` that has no timeout of its own. */
  timeout?: number | null | undefined
}

/**
 * Lets `parties` calls of `wait`, in any contexts, go on together. It can be used again and again.
 *
 * It breaks when a waiting call gives up, when its context ends or is killed, and when the action throws. Then every `wait`
 * rejects with MP_BROKEN_BARRIER until `reset`. For calls that waited when the action threw, `cause` is what it threw.
 */
export class Barrier extends SharedHandle {
  readonly #backend: BarrierBackend
  readonly #timeout: number | null

  /** @internal Users call the Barrier of their transport's package. */
  constructor(transport: Transport, backend: BarrierBackend, timeout: number | null) {
    super(transport, 'Barrier', backend)
    this.#backend = backend
    this.#timeout = timeout
  }

  /** How many calls must arrive. */
  get parties(): number {
    return this.#backend.parties
  }

  /** How many calls wait. This is a hint, because others may act before you do. */
  get waiting(): Promise<number> {
    return this.#ask(({ waiting }) => waiting)
  }

  get broken(): Promise<boolean> {
    return this.#ask(({ broken }) => broken)
  }

  /**
   * Waits until all have arrived. Gives this call's index among them, from 0 to `parties - 1`. After `timeout` ms, or on an
   * abort, it breaks the barrier.
   */
  async wait(options?: WaitOptions): Promise<number> {
    this.checkOpen()
    const limits = { ...options, timeout: options?.timeout ?? this.#timeout }
    checkWait(options)
    return this.#backend.arrive(limits, checkWait(limits) === 0, this.waits)
  }

  /** Breaks the barrier: calls that wait, and later ones, reject with MP_BROKEN_BARRIER. */
  async abort(): Promise<void> {
    this.checkOpen()
    await this.#backend.abort()
  }

  /** Makes the barrier as new. Calls that wait reject with MP_BROKEN_BARRIER. */
  async reset(): Promise<void> {
    this.checkOpen()
    await this.#backend.reset()
  }

  /** @internal */
  protected override pack(packing: HandlePacking): PackedBarrier {
    const { id, parties } = this.#backend
    return { id, parties, timeout: this.#timeout, end: this.#backend.share(packing) }
  }

  #ask<T>(read: (state: { waiting: number; broken: boolean }) => T): Promise<T> {
    const ask = async () => {
      this.checkOpen()
      return read(await this.#backend.state())
    }
    const answer = ask()
    // A program that only looks at the property must not end with an unhandled rejection.
    answer.catch(() => {})
    return answer
  }
}
