import type { Ticket } from './wire.js'

/** The tag of messages that core copies out itself. A native pipe need not bring them to ordinary memory. */
export const IN_PLACE = 1

/**
 * What a medium does without frames: contexts reach the same memory, and act on it in the call.
 *
 * - Core encodes and decodes, checks arguments, and keeps the calls that wait. What bytes cannot hold it passes over wires.
 * - An engine orders and stores bytes, and wakes those who wait. It stays sound when a context dies at any instruction.
 *
 * See docs/adr/0010-engines.md.
 */
export interface Engines {
  readonly queue?: {
    /** `maxsize` 0: unbounded. The calling context is the queue's creator. */
    create(maxsize: number): NativeQueue
    /** The same queue in another context. Called once per context and queue. */
    open(memory: unknown): NativeQueue
  }
  readonly pipe?: {
    /** Two inert ends, as `Wires.pair` gives them. */
    pair(): [Ticket, Ticket]
    /** Turns a ticket's value into the live end. Called once per ticket. */
    open(value: unknown): NativePipe
  }
  /** Absent: locks, semaphores, events and conditions live in a home, and have no blocking calls. */
  readonly semaphore?: {
    /** `value` permits are free at first, and never more than `limit`. The calling context is its creator. */
    create(value: number, limit: number): NativeSemaphore
    /**
     * The same semaphore in another context. Called once per context and semaphore, and again only after that context has
     * left it.
     */
    open(memory: unknown): NativeSemaphore
  }
}

/** Bytes that an engine gives: `bytes[start, end)`. They are valid until the engine's next call. */
export interface NativeMessage {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** A small number: what the writer gave. */
  readonly tag: number
}

/**
 * One context's access to a queue. Its calls answer, among others:
 *
 * - 'shut': the queue was shut down. From `take`: and it is empty.
 * - 'lost': its creator was killed, or the context that inherited it.
 * - 'busy': another context is inside. Core comes back in a later turn. By then it may have turned out that the other
 *   context is dead.
 *
 * No call runs user code, and none but `wait` blocks for longer than a few ms.
 */
export interface NativeQueue extends NativeMessage {
  /** What `open` takes: plain data that the codec can encode, shared memory in it. */
  readonly memory: unknown
  readonly maxsize: number
  readonly size: number
  readonly full: boolean
  /** Whether it was shut down, and whether it is lost. */
  readonly state: 'open' | 'shut' | 'lost'
  /** Copies the bytes in, as the youngest item: all of it, or nothing. Nobody is woken, but whoever looks finds it. */
  put(bytes: Uint8Array, start: number, end: number, tag: number): 'done' | 'full' | 'busy' | 'shut' | 'lost'
  /**
   * Wakes those who wait for an item. Core calls it after puts: at the end of the turn, after many puts, or before it
   * blocks.
   */
  announce(): void
  /**
   * Takes the oldest item, which the message then holds. `claim` is called before an item whose tag is not 0 leaves the
   * queue.
   */
  take(claim: (message: NativeMessage) => void): 'done' | 'empty' | 'busy' | 'shut' | 'lost'
  /** Every later `put` gives 'shut'. All who wait are woken. */
  shutDown(): void
  /**
   * Calls `wake` once, in a later turn, when an item or a slot may be there, or when the state has changed. A later call of
   * `watch` replaces the earlier one. If `wake` gives false, it had no use for that: then another context is woken.
   */
  watch(what: 'item' | 'slot', wake: () => boolean): void
  unwatch(what: 'item' | 'slot'): void
  /** Looks for some microseconds. Gives whether it is there. */
  spin(what: 'item' | 'slot'): boolean
  /** Blocks for at most `timeout` ms. May return early, and in vain. */
  wait(what: 'item' | 'slot', timeout: number): void
}

/**
 * One context's access to a counting semaphore. Core makes Lock, RLock, Semaphore, Event and Condition of it.
 *
 * - Calls that wait are served first come, first served, over all contexts.
 * - A free permit and a call that waits for one never both exist.
 * - When a context has ended, the calls in which it waited are forgotten. The permits that it held are free. Who gets one
 *   of these next gets it as `abandoned`.
 */
export interface NativeSemaphore {
  /** What `open` takes: plain data that the codec can encode, shared memory in it. */
  readonly memory: unknown
  /** How many permits are free. */
  readonly value: number
  /** Its creator was killed, or the context that inherited it. Whatever is called then has no effect that anybody could see. */
  readonly lost: boolean
  /**
   * - 'hold': takes a permit.
   * - 'see': waits until a permit is free, and leaves it.
   *
   * With `nowait`, undefined if it would have to wait.
   */
  acquire(wish: 'hold' | 'see', nowait: boolean): NativeTurn | undefined
  /**
   * Adds permits.
   *
   * - `exact`: adds all of them if the limit allows that, otherwise none, and gives false. As many held permits end, if
   *   there are so many: the caller's own first, then the oldest.
   * - Not `exact`: permits that exceed the limit serve calls that wait, and what is left of them is dropped.
   */
  post(count: number, exact: boolean): boolean
  /** Gives back, as `abandoned`, what this context holds. Core does not use the object again. */
  leave(): void
}

/** A call of `acquire`, and the permit that it gets. */
export interface NativeTurn {
  /** Unique among the semaphore's living turns. 0 if it only had to see a permit, and saw one. */
  readonly number: number
  /** Of a granted permit: whether the last holder ended while it held it. */
  readonly abandoned: boolean
  /** How the call stands. 'over': its permit was given back, by whomever. A call that has seen a permit says 'granted' once. */
  look(): 'waits' | 'granted' | 'over'
  /** Gives the permit back. This and the next two are no-ops when it is over. */
  release(): void
  /** The permit is used up. */
  consume(): void
  /** The call waits no longer. A permit that came meanwhile goes to the next call, as it came. */
  giveUp(): void
  /**
   * Calls `wake` once, in a later turn, when the call may no longer be waiting, or the semaphore may be lost. A later call
   * of `watch` replaces the earlier one.
   */
  watch(wake: () => void): void
  unwatch(): void
  /** Blocks for at most `timeout` ms. May return early, and in vain. */
  wait(timeout: number): void
}

/** One end of a pipe, used by one context at a time. */
export interface NativePipe extends NativeMessage {
  /**
   * Sends one message.
   *
   * - 'done': all of it was sent.
   * - 'full': nothing was sent.
   * - 'gone': nothing was sent, and nothing ever will be, as nobody receives any more.
   *
   * With `beyond` it never gives 'full': the writer ends, and leaves what it has. Tags are below 256. Core gives
   * `attachments` only if the transport has that capability.
   */
  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    tag: number,
    attachments?: readonly object[],
    beyond?: boolean,
  ): 'done' | 'full' | 'gone'
  /** What `write` would say now. */
  readonly room: 'open' | 'full' | 'gone'
  /** Finds the oldest message, which stays until `skip`. 'over': there is none, and none comes any more. */
  read(): 'done' | 'empty' | 'over'
  /** Takes the oldest message if it has this tag, as by `read` and `skip`, and gives a copy. Undefined: `read` says more. */
  takeCopy(tag: number): Uint8Array | undefined
  /** The objects that came with the message that `read` found. Called once for each message. */
  attachments(): readonly object[]
  /** Removes the message that `read` found. */
  skip(): void
  /**
   * The largest message that `write` takes at no loss. Core cuts a larger one into pieces of the size `piece`, which is
   * best now.
   */
  readonly largest: number
  readonly piece: number
  /** As {@link NativeQueue.watch}. */
  watch(what: 'message' | 'room', wake: () => boolean): void
  unwatch(what: 'message' | 'room'): void
  spin(what: 'message' | 'room'): boolean
  wait(what: 'message' | 'room', timeout: number): void
  /** Gives the end up to another context, with all that is in it. Core does not use the object again. */
  release(): Ticket
  /** The other end can still read what was written; then its `read` gives 'over'. Idempotent. */
  close(): void
}
