/** An ordered, reliable, two-way path for whole frames between two contexts. */
export interface Wire {
  /** The largest frame that this medium takes, in bytes. Core cuts what is larger. Absent: no limit. */
  readonly maxFrame?: number
  /** Core calls this once, before it sends anything. Frames that came earlier are kept, and given to the sink in order. */
  start(sink: WireSink): void
  /**
   * Sends one frame. Never throws.
   *
   * - The wire owns `bytes` from the call on, and may transfer its buffer. Core gives a buffer that holds nothing else, and
   *   does not touch it again.
   * - `attachments` ride beside the frame, in order. They are already detached from their owner. Core gives any only if the
   *   transport has the capability `attachments`; or ArrayBuffers alone, if it has {@link Transport.buffers}.
   * - A frame to a dead peer is dropped.
   * - False asks core to wait for `drain` before it sends more. This frame is sent all the same.
   */
  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean
  /** As `send`, for a large frame whose bytes lie in several places. Absent: core copies them together first. */
  sendParts?(parts: readonly Uint8Array<ArrayBuffer>[]): boolean
  /** Closes both directions after the frames that were sent; the other side's sink hears `close()`. Idempotent. */
  close(): void
  /**
   * Tells when everything that the other side sent before this end was opened has come. Core calls it after `start`, any
   * number of times. The promise fulfils in each of these cases:
   *
   * - The sink has been given what the other side sent before this end was opened.
   * - Nobody has opened the other side.
   * - The other side is gone.
   *
   * If the other side was closed before, or its context has ended, the sink has heard `close` by then.
   *
   * A `receiveSync` that blocks when this becomes so must not block any longer: it returns.
   *
   * Absent: what was sent lies in this process already, or in its kernel, so that two turns of the event loop bring it.
   */
  caughtUp?(): Promise<void>
  /**
   * Core calls this once, right after `start`: the wire must not keep the event loop alive. Core does, while a call is
   * pending.
   */
  unref(): void
  /**
   * Gives the sink the next frame. Blocks this thread until there is one, or for `timeoutMs`. False if none came.
   *
   * Core calls it in two cases:
   *
   * - The context is exiting, and its event loop turns no more. Core reads what others have sent, to miss nothing.
   * - The transport has the capability `sync`. Then it carries the blocking calls.
   *
   * Absent: the medium cannot block.
   */
  receiveSync?(timeoutMs: number): boolean
}

/**
 * What core gives to {@link Wire.start}. A wire calls these from the event loop or from `receiveSync`, never from inside
 * `send` or `start`.
 */
export interface WireSink {
  /** One whole frame. The wire does not use the memory of `bytes` again: it is core's until it is garbage. */
  frame(bytes: Uint8Array, attachments?: readonly object[]): void
  /** `send` returned false before, and may be called again. */
  drain(): void
  /**
   * The last call, once. Not after core has called `close` itself.
   *
   * - Without `error`: the other side closed, or died.
   * - With `error`: the medium failed.
   */
  close(error?: Error): void
}

export interface Wires {
  /** Two inert ends of a new wire. Nothing is open yet, and a ticket that is never opened must cost no more than memory. */
  pair(): [Ticket, Ticket]
  /** Makes a live wire of a ticket's value, in whichever context it landed. Called once per ticket. */
  open(value: unknown): Wire
  /**
   * For media whose tickets are mere data, so that only core knows where each one is.
   *
   * - Core calls `arrived` when a ticket has come to this context in a message.
   * - Core calls `left` when a ticket goes on in a message, over `wire`. It may note so in the value, which is encoded
   *   afterwards.
   *
   * With these two the medium closes what nobody can open any more: the tickets that a context holds unopened when it ends, and
   * those that were under way on a wire that is lost.
   */
  arrived?(value: unknown): void
  left?(value: unknown, wire: Wire): void
}

/** One end of a wire that nobody has opened yet. It may be sent on any number of times before it is opened, once. */
export interface Ticket {
  /** Plain data that the codec can encode, or an object that rides as an attachment (then it is in `transfer`). */
  readonly value: unknown
  /** The live objects that `value` refers to. Needs the capability `attachments`. */
  readonly transfer?: readonly object[]
}
