import type { Ticket } from './wire.js'

/** The tag of messages that core copies out itself: a native pipe need not bring them to ordinary memory. */
export const IN_PLACE = 1

/**
 * What a medium does without frames: contexts reach the same memory, and act on it in the call. Core encodes and decodes,
 * checks arguments, keeps the calls that wait, and passes what bytes cannot hold by wires; an engine orders and stores bytes,
 * wakes who waits, and stays sound when a context dies at any instruction. See docs/adr/0010-engines.md.
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
  /** Without it, locks, semaphores, events and conditions are brokered, and have no blocking calls. */
  readonly semaphore?: {
    /** `value` permits are free, and never more than `limit`. The calling context is its creator. */
    create(value: number, limit: number): NativeSemaphore
    /** The same semaphore in another context. Called once per context and semaphore, until that has left it. */
    open(memory: unknown): NativeSemaphore
  }
}

/** Bytes that an engine gives: `bytes[start, end)`, until its next call. */
export interface NativeMessage {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** What the writer gave, a small number. */
  readonly tag: number
}

/**
 * One context's access to a queue. `shut`: it was shut down (and, to a `take`, is empty). `lost`: its creator was killed, or
 * whoever inherited it. `busy`: another context is inside; core comes back in a later turn, in which it may turn out that
 * the other one is dead. No call runs user code, and none but `wait` blocks for longer than a few ms.
 */
export interface NativeQueue extends NativeMessage {
  /** What `open` takes: plain data that the codec can encode, shared memory in it. */
  readonly memory: unknown
  readonly maxsize: number
  readonly size: number
  readonly full: boolean
  /** Whether it was shut down, and whether it is lost. */
  readonly state: 'open' | 'shut' | 'lost'
  /** Copies the bytes in, as the youngest item: all of it, or nothing. Who looks finds it; nobody is woken. */
  put(bytes: Uint8Array, start: number, end: number, tag: number): 'done' | 'full' | 'busy' | 'shut' | 'lost'
  /** Wakes who waits for an item. Core calls it after puts: at the end of the turn, after many, or before it blocks. */
  announce(): void
  /** Takes the oldest item, which the message then holds. `claim` is called before an item whose tag is not 0 leaves the queue. */
  take(claim: (message: NativeMessage) => void): 'done' | 'empty' | 'busy' | 'shut' | 'lost'
  /** Every later `put` gives 'shut'. All who wait are woken. */
  shutDown(): void
  /**
   * Calls `wake` once, in a later turn, when an item or a slot may be there, or the state has changed; a later call replaces
   * the earlier one. `wake` gives false where it had no use for that: then another context is woken.
   */
  watch(what: 'item' | 'slot', wake: () => boolean): void
  unwatch(what: 'item' | 'slot'): void
  /** Looks for some microseconds; whether it is there. */
  spin(what: 'item' | 'slot'): boolean
  /** Blocks for at most `timeout` ms; may return early, and in vain. */
  wait(what: 'item' | 'slot', timeout: number): void
}

/**
 * One context's access to a counting semaphore; core makes Lock, RLock, Semaphore, Event and Condition of it. Calls that wait
 * are served first come, first served, over all contexts; a free permit and a call that waits for one never both exist. What
 * a context that has ended waited for is forgotten, and what it held is free, and `abandoned` to whoever gets it next.
 */
export interface NativeSemaphore {
  /** What `open` takes: plain data that the codec can encode, shared memory in it. */
  readonly memory: unknown
  /** How many permits are free. */
  readonly value: number
  /** Its creator was killed, or whoever inherited it. Whatever is called then has no effect that anybody could see. */
  readonly lost: boolean
  /** 'hold' is for a permit; 'see' waits until one is free, and leaves it. Undefined where it would wait, with `nowait`. */
  acquire(wish: 'hold' | 'see', nowait: boolean): NativeTurn | undefined
  /**
   * Adds permits. `exact`: all of them within the limit, or none, and false; held permits end thereby, the caller's own first,
   * then the oldest. Otherwise what exceeds the limit serves calls that wait, and is dropped.
   */
  post(count: number, exact: boolean): boolean
  /** Gives back, as `abandoned`, what this context holds. Not used again here. */
  leave(): void
}

/** A call of `acquire`, and the permit that it gets. */
export interface NativeTurn {
  /** Unique among those of the semaphore that live; 0 where it had only to see, and saw. */
  readonly number: number
  /** Of a granted permit: whether its last holder ended while it held it. */
  readonly abandoned: boolean
  /** How it stands. 'over': given back, by whomever. What has seen a permit says 'granted' once. */
  look(): 'waits' | 'granted' | 'over'
  /** Gives the permit back. No-op where it is over; so are the next two. */
  release(): void
  /** The permit is used up. */
  consume(): void
  /** Leaves the line; a permit that came meanwhile goes on as it came. */
  giveUp(): void
  /** Calls `wake` once, in a later turn, when it may not wait any more or the semaphore may be lost; a later call replaces the earlier one. */
  watch(wake: () => void): void
  unwatch(): void
  /** Blocks for at most `timeout` ms; may return early, and in vain. */
  wait(timeout: number): void
}

/** One end of a pipe, used by one context at a time. */
export interface NativePipe extends NativeMessage {
  /**
   * Sends one message: all of it ('done'), nothing ('full'), or nothing ever ('gone': nobody receives any more).
   * With `beyond` never 'full': the writer ends, and leaves what it has. Tags are below 256; `attachments` only where the
   * capability says so.
   */
  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    tag: number,
    attachments?: readonly object[],
    beyond?: boolean,
  ): 'done' | 'full' | 'gone'
  /** What `write` would say. */
  readonly room: 'open' | 'full' | 'gone'
  /** Finds the oldest message, which stays until `skip`. 'over': nothing comes any more. */
  read(): 'done' | 'empty' | 'over'
  /** Takes the oldest message where it has this tag: a copy of its own, as by `read` and `skip`. Undefined: `read` says more. */
  takeCopy(tag: number): Uint8Array | undefined
  /** The objects that came with the message that `read` found. Once. */
  attachments(): readonly object[]
  /** The message that `read` found is done with. */
  skip(): void
  /** The largest message that `write` takes at no loss. Core cuts what is larger, into pieces of the size that is best now. */
  readonly largest: number
  readonly piece: number
  /** As {@link NativeQueue.watch}. */
  watch(what: 'message' | 'room', wake: () => boolean): void
  unwatch(what: 'message' | 'room'): void
  spin(what: 'message' | 'room'): boolean
  wait(what: 'message' | 'room', timeout: number): void
  /** Gives the end up, with all that is in it: for another context. Not used again here. */
  release(): Ticket
  /** What was written can be read; then the other end's `read` gives 'over'. Idempotent. */
  close(): void
}
