import type {
  BoundedSemaphore,
  Connection,
  Event,
  Guard,
  Lock,
  Queue,
  RLock,
  Semaphore,
  SendOptions,
  WaitOptions,
} from '@mp/core'

/** Blocking calls take a time limit alone: nothing could abort them. */
export type BlockOptions = Pick<WaitOptions, 'timeout'>

/** A Queue that also has calls that block the thread, for code that cannot, or need not, await. */
export interface BlockingQueue<T = unknown> extends Queue<T> {
  /** As `put`, but returns when the item has its slot. Throws MP_FULL when `timeout` ms pass first. */
  putSync(item: T, options?: BlockOptions): void
  /** As `get`, but blocks this thread until there is an item. Throws MP_EMPTY when `timeout` ms pass first. */
  getSync(options?: BlockOptions): T
}

/** The end of a Pipe that also has calls that block the thread. */
export interface BlockingConnection<S = unknown, R = S> extends Connection<S, R> {
  /** As `send`, but blocks this thread while the reader is behind. Throws MP_TIMEOUT when `timeout` ms pass first. */
  sendSync(value: S, options?: SendOptions & BlockOptions): void
  sendBytesSync(data: ArrayBufferView | ArrayBufferLike, offset?: number, size?: number, options?: BlockOptions): void
  /** As `recv`, but blocks this thread until there is a message. Throws MP_TIMEOUT when `timeout` ms pass first. */
  recvSync(options?: BlockOptions): R
  recvBytesSync(maxLength?: number, options?: BlockOptions): Uint8Array
  /**
   * As `recvBytesInto`, but blocks this thread; gives the length. The fastest way to take large messages: they are copied once,
   * into memory that is used again. When it throws, the contents of `target` are undefined, and nothing of the message is lost.
   */
  recvBytesIntoSync(target: ArrayBufferView | ArrayBuffer, offset?: number, options?: BlockOptions): number
}

/** Of `acquireSync`. */
export interface BlockingAcquireOptions extends BlockOptions {
  /** False: gives false rather than wait. */
  block?: boolean | undefined
}

/** A call that waits without limit, and so gives a guard. */
interface UnboundedBlockOptions {
  block?: true | undefined
  timeout?: null | undefined
}

/** One acquisition, which is given back without `await`, too. With `using` it is released at the block's end. */
export interface BlockingGuard extends Guard {
  /** As `release`, but throws where that rejects. */
  releaseSync(): void
  [Symbol.dispose](): void
}

/** What is acquired with calls that block the thread, beside those that await; both stand in one line. */
interface BlockingAcquire {
  /**
   * As `acquire`, but blocks this thread until it is this caller's turn; before other calls of this thread, which could do
   * nothing meanwhile. False after `timeout` ms. What this very thread holds, it waits for without end.
   */
  acquireSync(options?: UnboundedBlockOptions): BlockingGuard
  acquireSync(options: BlockingAcquireOptions): BlockingGuard | false
}

/** An RLock that can also block the thread. */
export interface BlockingRLock extends RLock {
  /** As `acquireSync` of a Lock; with `guard`, which an earlier one gave, it is entered again, at once. */
  acquireSync(options?: UnboundedBlockOptions & { guard?: Guard | undefined }): BlockingGuard
  acquireSync(options: BlockingAcquireOptions & { guard?: Guard | undefined }): BlockingGuard | false
}

/** A Lock that can also block the thread. */
export type BlockingLock = Lock & BlockingAcquire
/** A Semaphore that can also block the thread. */
export type BlockingSemaphore = Semaphore & BlockingAcquire
/** A BoundedSemaphore that can also block the thread. */
export type BlockingBoundedSemaphore = BoundedSemaphore & BlockingAcquire

/** A flag for which the thread can also block. */
export interface BlockingEvent extends Event {
  /** As `wait`, but blocks this thread until the flag is set: true; or false after `timeout` ms. */
  waitSync(options?: BlockOptions): boolean
}
