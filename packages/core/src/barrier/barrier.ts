import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { SharedHandle } from '../context/shared-handle.js'
import { discard, type End, open } from '../link/wire-end.js'
import { checkWait, type WaitOptions } from '../runtime/pending-call.js'
import { checkCount } from '../semaphore/semaphore.js'
import type { Transport } from '../spi.js'
import type { BarrierBackend } from './backend.js'
import { BarrierHome } from './home.js'
import { BarrierClient } from './remote.js'

export interface BarrierOptions {
  /** Runs once per generation, before anyone passes, in the context that made the barrier. Its promise is awaited. */
  action?: (() => unknown) | undefined
  /** ms; for each `wait` that says nothing else. */
  timeout?: number | null | undefined
}

interface PackedBarrier {
  readonly id: string
  readonly parties: number
  readonly timeout: number | null
  readonly end: number
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

/** What a new Barrier is made of; its home is `context`. Throws where the options make no sense. */
export function makeBarrier(
  context: Context,
  transport: Transport,
  parties: number,
  { action, timeout = null }: BarrierOptions = {},
): [BarrierBackend, number | null] {
  checkCount(parties, 1, 'parties')
  if (action !== undefined && typeof action !== 'function') throw new TypeError('action must be a function')
  checkWait({ timeout })
  // It runs when a message comes, and belongs to this context all the same.
  const bound = action && process.getBuiltinModule('node:async_hooks').AsyncResource.bind(action)
  const home = new BarrierHome(context, transport, context.nextId(), parties, bound)
  return [home.local.use(), timeout]
}

/** A barrier that arrived in a message. */
export function openBarrier(
  context: Context,
  transport: Transport,
  state: never,
  endOf: (index: number) => End,
): Barrier {
  const { id, parties, timeout, end }: PackedBarrier = state
  const wire = endOf(end)
  const home = context.homes.get(id)
  const known = context.clients.get(id)
  let backend: BarrierBackend
  if (known instanceof BarrierClient || home instanceof BarrierHome) {
    discard(wire, transport)
    backend = known instanceof BarrierClient ? known.use() : (home as BarrierHome).local.use()
  } else {
    backend = new BarrierClient(context, transport, id, parties, open(wire, transport)).use()
  }
  return new Barrier(transport, backend, timeout)
}
