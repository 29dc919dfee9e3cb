import type { PackedHandle } from '../codec/handle.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Collectable } from '../runtime/collection.js'
import type { Waits } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Counts, QueueHome } from './home.js'

/** What a Queue object asks of the queue itself, wherever that is. Arguments are already checked. */
export interface QueueBackend extends Collectable {
  readonly maxsize: number
  /** The home, if it is in this context. A native queue has none. */
  readonly home?: QueueHome
  /** With `nowait`, fails with MP_FULL and does not wait for a slot. A call that waits is passed to `waits`. */
  put(item: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void>
  /** With `nowait`, fails with MP_EMPTY and does not wait. */
  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown>
  /** Gives true once a get would not wait, false if the time is over before. With `now`, gives the answer of this moment. */
  readable(now: boolean, options: WaitOptions | undefined, waits: Waits): Promise<boolean>
  counts(options: WaitOptions | undefined, waits: Waits): Promise<Counts>
  shutDown(immediate: boolean): void
  /** One of the Queue objects that use this backend was closed. */
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
  /** The memory of a native queue; absent for others. */
  readonly memory?: unknown
}

/** The backend of a JoinableQueue. Its home counts the items that have been dealt with. */
export interface JoinableBackend extends QueueBackend {
  /** Says that one more item has been dealt with. Gives false if all had been before. */
  taskDone(): Promise<boolean>
  /** Waits until all items have been dealt with. Rejects with MP_TIMEOUT when the time is over. */
  tasksDone(options: WaitOptions | undefined, waits: Waits): Promise<void>
}
