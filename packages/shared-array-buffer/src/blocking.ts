import type { Connection, Queue, SendOptions, WaitOptions } from '@mp/core'

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
}
