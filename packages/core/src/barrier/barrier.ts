import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { BarrierBackend, PackedBarrier } from './backend.js'

export interface BarrierOptions {
  /** Runs once per generation, before anyone passes, in the context that made the barrier. Its promise is awaited. */
  action?: (() => unknown) | undefined
  /** ms; for each `wait` that says nothing else. */
  timeout?: number | null | undefined
}

/**
 * Lets `parties` calls of `wait`, in any contexts, go on together, again and again.
 *
 * It breaks, for all, when one of the waiting gives up, ends or is killed, and when the action throws: then `wait` rejects
 * with MP_BROKEN_BARRIER (its `cause` is what the action threw) until `reset`.
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

  /** How many must arrive. */
  get parties(): number {
    return this.#backend.parties
  }

  /** How many wait. Others may act before you do: a hint. */
  get waiting(): Promise<number> {
    return this.#ask(({ waiting }) => waiting)
  }

  get broken(): Promise<boolean> {
    return this.#ask(({ broken }) => broken)
  }

  /**
   * Waits until all have arrived. Gives this call's index among them, 0 to `parties - 1`. After `timeout` ms, or on an abort,
   * it breaks the barrier.
   */
  async wait(options?: WaitOptions): Promise<number> {
    this.checkOpen()
    const limits = { ...options, timeout: options?.timeout ?? this.#timeout }
    checkWait(options)
    return this.#backend.arrive(limits, checkWait(limits) === 0, this.waits)
  }

  /** Breaks it: who waits, and who comes, gets MP_BROKEN_BARRIER. */
  async abort(): Promise<void> {
    this.checkOpen()
    await this.#backend.abort()
  }

  /** Makes it as new; who waits gets MP_BROKEN_BARRIER. */
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
    // A property that is only looked at must not end the program.
    answer.catch(() => {})
    return answer
  }
}
