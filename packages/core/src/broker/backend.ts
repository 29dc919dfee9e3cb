import type { HandlePacking } from '../envelope.js'
import { MpError } from '../errors.js'
import type { PackedHandle } from '../handle.js'
import type { WaitOptions } from '../pending.js'
import type { Home } from './home.js'

/** What a Queue object asks of the queue itself, be its home here or elsewhere. Arguments are already checked. */
export interface QueueBackend {
  readonly maxsize: number
  /** Where the items are, if that is this context. */
  readonly home?: Home
  /** With `nowait`, rejects with MP_FULL rather than wait for a slot. `waits` is told of the call if it waits. */
  put(item: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void>
  /** With `nowait`, rejects with MP_EMPTY rather than wait. */
  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown>
  counts(options: WaitOptions | undefined, waits: Waits): Promise<Counts>
  shutDown(immediate: boolean): void
  /** One Queue object fewer uses this backend. */
  close(): void
  pack(packing: HandlePacking): PackedHandle
}

export interface Counts {
  readonly size: number
  readonly full: boolean
}

/** Told of each call of one Queue object that waits, so that its close can reject it. */
export type Waits = (call: WaitingCall) => void

export interface WaitingCall {
  readonly promise: Promise<unknown>
  abandon(reason: unknown): void
}

export function empty(): MpError {
  return new MpError('MP_EMPTY', 'the queue is empty')
}

export function full(): MpError {
  return new MpError('MP_FULL', 'the queue is full')
}

export function shutDown(): MpError {
  return new MpError('MP_SHUT_DOWN', 'the queue was shut down')
}
