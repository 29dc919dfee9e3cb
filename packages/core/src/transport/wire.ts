/** An ordered, reliable, two-way path for whole frames between two contexts. */
export interface Wire {
  /** The largest frame this medium takes, in bytes. Core cuts what is larger. Absent: no limit. */
  readonly maxFrame?: number
  /** Called once, before anything is sent. Frames that came earlier are kept and given to the sink, in order. */
  start(sink: WireSink): void
  /**
   * Sends one frame. The wire owns `bytes` from the call on, and its buffer may be transferred; core gives a buffer that
   * holds nothing else, and does not touch it again. `attachments` ride beside the frame, in order, only where the
   * capability says so (or are ArrayBuffers, see `Transport.buffers`); they are already detached from their owner. Never throws: a frame to a dead peer is dropped.
   * False asks core to wait for `drain` before it sends more.
   */
  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean
  /** As `send`, for a large frame whose bytes lie in several places. Absent: core copies them together first. */
  sendParts?(parts: readonly Uint8Array<ArrayBuffer>[]): boolean
  /** Closes both directions after the frames that were sent; the other side's sink hears `close()`. Idempotent. */
  close(): void
  /**
   * Fulfils when the sink has been given what the other side sent before this end was opened; or when nobody has opened that
   * side, or it is gone. Called after `start`, any number of times. Absent: two turns of the event loop bring it, as they do where what was sent
   * lies in this process, or its kernel, already. Where it is there, `receiveSync` must not block any longer once this is so.
   */
  caughtUp?(): Promise<void>
  /** Called once, right after `start`: the wire must not keep the event loop alive. Core does, while a call is pending. */
  unref(): void
  /**
   * Gives the sink the next frame, and blocks this thread until there is one, or for `timeoutMs`; false where none came. Absent:
   * the medium cannot. Core calls it in a context that is exiting, whose event loop turns no more, to miss nothing that others
   * had sent; where the capability `sync` is true it carries the blocking calls.
   */
  receiveSync?(timeoutMs: number): boolean
}

/** What core gives to {@link Wire.start}. A wire calls these from the event loop or from `receiveSync`, never from inside `send` or `start`. */
export interface WireSink {
  /** One whole frame. Core owns `bytes` until it is garbage: a wire does not use the memory again. */
  frame(bytes: Uint8Array, attachments?: readonly object[]): void
  /** `send` may be called again, after it returned false. */
  drain(): void
  /** The last call, once: the other side closed, died (`error` absent), or the medium failed. Not after our own `close`. */
  close(error?: Error): void
}

export interface Wires {
  /** Two inert ends of a new wire. Nothing is open yet, and a ticket that is never opened must cost no more than memory. */
  pair(): [Ticket, Ticket]
  /** Turns a ticket's value, in whichever context it landed, into the live wire. Called once per ticket. */
  open(value: unknown): Wire
  /**
   * For media whose tickets are mere data: nobody but core knows where one is. `arrived`: it has come to this context in a
   * message. `left`: it goes on in one, over `wire`, which may note so in the value before that is encoded. What a context
   * holds unopened when it ends must close then, and so must what was under way on a wire that is lost.
   */
  arrived?(value: unknown): void
  left?(value: unknown, wire: Wire): void
}

/** One end of a wire that nobody has opened yet. It may be sent on any number of times before it is opened, once. */
export interface Ticket {
  /** Plain data that the codec can encode, or an object that rides as an attachment (then it is in `transfer`). */
  readonly value: unknown
  /** The live objects that `value` refers to; needs the capability `attachments`. */
  readonly transfer?: readonly object[]
}
