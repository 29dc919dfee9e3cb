import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Collectable } from '../runtime/collection.js'
import type { Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'

/** A barrier, as one context uses it. */
export interface BarrierBackend extends Collectable {
  readonly id: string
  readonly parties: number
  /** Resolves with the index of this arrival. A call that gives up breaks the barrier, because the others cannot meet any more. */
  arrive(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<number>
  abort(): Promise<void>
  reset(): Promise<void>
  state(): Promise<BarrierState>
  close(): void
  /** The index of the end that leads another context to the home. */
  share(packing: HandlePacking): number
}

export interface BarrierState {
  readonly waiting: number
  readonly broken: boolean
}

export function brokenBarrier(cause?: unknown): MpError {
  return new MpError('MP_BROKEN_BARRIER', 'the barrier is broken', cause === undefined ? undefined : { cause })
}

/** What another context needs to open a barrier that arrives there. */
export interface PackedBarrier {
  readonly id: string
  readonly parties: number
  readonly timeout: number | null
  readonly end: number
}
