import type { PackedHandle } from '../codec/handle.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Counts, QueueHome } from './home.js'

/** What a Queue object asks of the queue itself, be its home here or elsewhere. Arguments are already checked. */
export interface QueueBackend {
  readonly maxsize: number
  /** Where the items are, if that is this context. */
  readonly home?: QueueHome
  /** With `nowait`, rejects with MP_FULL rather than wait for a slot. `waits` is told of the call if it waits. */
  put(item: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void>
  /** With `nowait`, rejects with MP_EMPTY rather than wait. */
  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown>
  /** Whether a get would not wait: waits until that is so, or says at once how it is. */
  readable(now: boolean, options: WaitOptions | undefined, waits: Waits): Promise<boolean>
  counts(options: WaitOptions | undefined, waits: Waits): Promise<Counts>
  shutDown(immediate: boolean): void
  /** One Queue object fewer uses this backend. */
  close(): void
  pack(packing: HandlePacking): PackedHandle
}

export function empty(): MpError {
  return new MpError('MP_EMPTY', 'the queue is empty')
}

export function full(): MpError {
  return new MpError('MP_FULL', 'the queue is full')
}

export function tasksLeft(): MpError {
  return new MpError('MP_TIMEOUT', 'not every item that was put has been dealt with')
}

export function shutDown(): MpError {
  return new MpError('MP_SHUT_DOWN', 'the queue was shut down')
}

/** What another context needs to open a queue that arrives there. */
export interface PackedQueue {
  readonly id: string
  readonly maxsize: number
  readonly shutDown: boolean
  /** The end of a wire that leads to the queue's home. */
  readonly end: number
  /** Of a native queue. */
  readonly memory?: unknown
}

/** The queue of a JoinableQueue: its home counts what has been dealt with. */
export interface JoinableBackend extends QueueBackend {
  /** One item that was put has been dealt with; false where all have been. */
  taskDone(): Promise<boolean>
  /** Waits until all have been. Rejects with MP_TIMEOUT. */
  tasksDone(options: WaitOptions | undefined, waits: Waits): Promise<void>
}
