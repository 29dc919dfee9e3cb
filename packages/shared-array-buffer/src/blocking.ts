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

/** Blocking calls take only a time limit: while they block, nothing could abort them. */
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
   * As `recvBytesInto`, but blocks this thread. Gives the length. This is the fastest way to take large messages: they are copied
   * once, into memory that is used again. If it throws, the contents of `target` are undefined, and the message is not lost.
   */
  recvBytesIntoSync(target: ArrayBufferView | ArrayBuffer, offset?: number, options?: BlockOptions): number
}

/** Options of `acquireSync`. */
export interface BlockingAcquireOptions extends BlockOptions {
  /** False: the call does not wait, and gives false if it would have to. */
  block?: boolean | undefined
}

/** Options of a call that waits without limit, and so always gives a guard. */
interface UnboundedBlockOptions {
  block?: true | undefined
  timeout?: null | undefined
}

/** A guard that can also be released without `await`. With `using` it is released at the end of the block. */
export interface BlockingGuard extends Guard {
  /** As `release`, but throws where that rejects. */
  releaseSync(): void
  [Symbol.dispose](): void
}

/** A lock with calls that block the thread. They queue together with the calls that are awaited. */
interface BlockingAcquire {
  /**
   * As `acquire`, but blocks this thread until it is this call's turn. It comes before other waiting calls of this thread, since
   * these could do nothing meanwhile. False after `timeout` ms. If this very thread holds the lock, the call never ends.
   */
  acquireSync(options?: UnboundedBlockOptions): BlockingGuard
  acquireSync(options: BlockingAcquireOptions): BlockingGuard | false
}

/** An RLock that can also block the thread. */
export interface BlockingRLock extends RLock {
  /** As `acquireSync` of a Lock. With the `guard` of an earlier call the lock is entered again, at once. */
  acquireSync(options?: UnboundedBlockOptions & { guard?: Guard | undefined }): BlockingGuard
  acquireSync(options: BlockingAcquireOptions & { guard?: Guard | undefined }): BlockingGuard | false
}

/** A Lock that can also block the thread. */
export type BlockingLock = Lock & BlockingAcquire
/** A Semaphore that can also block the thread. */
export type BlockingSemaphore = Semaphore & BlockingAcquire
/** A BoundedSemaphore that can also block the thread. */
export type BlockingBoundedSemaphore = BoundedSemaphore & BlockingAcquire

/** An Event that can also block the thread. */
export interface BlockingEvent extends Event {
  /** As `wait`, but blocks this thread. True when the flag is set; false after `timeout` ms. */
  waitSync(options?: BlockOptions): boolean
}
