/**
 * What the author of a transport implements. Core writes the semantics (Process, Queue, Pipe, errors, back-pressure,
 * flush at exit, the death of a peer); a transport starts peers and carries frames to them.
 *
 * Only core calls these members, and exactly as each one says: arguments are already checked, `start` comes once, nothing
 * is sent after `close`. See docs/writing-a-transport.md.
 */

export { serve } from './boot/serve.js'
// Not from '@mp/core': a transport that imports that loads all of it into each of its children, 10 ms.
export { MpError } from './errors.js'
export { relayLines } from './process/relay-lines.js'
export { recycle } from './runtime/buffer-pool.js'
export { IN_PLACE } from './transport/in-place.js'

/** Frozen plain data. It selects tests, types and documentation; core never sniffs what a transport can do. */
export interface Capabilities {
  /** How far away a peer may be. */
  readonly reach: 'thread' | 'process' | 'host'
  /** What a peer's crash, exit or busy loop leaves alone. 'none': peers run in the thread that started them. */
  readonly isolation: 'none' | 'thread' | 'process'
  /** Blocking calls (`getSync`, `recvSync`, ...) work. Needs {@link Engines} and {@link Wire.receiveSync}. */
  readonly sync: boolean
  /** `listen` and `connect` work: unrelated programs meet. Needs {@link Transport.network}. */
  readonly network: boolean
  /** A SharedArrayBuffer that one peer sends is the same memory in the other. */
  readonly sharedMemory: boolean
  /** Live objects (ports, shared or transferred buffers) may ride beside a frame. */
  readonly attachments: boolean
}

export interface Transport {
  /** Short, as users see it in error messages: 'worker-threads'. */
  readonly name: string
  readonly capabilities: Capabilities
  /**
   * Starts a peer that runs the transport's own boot module, which calls {@link serve}.
   * Called once per Process. A failure that is known at once is thrown, and then nothing may be left running; a later one
   * closes the wire and settles `exited` with the error.
   */
  spawn(options: SpawnOptions): Peer
  /**
   * Its wires carry ArrayBuffers as attachments, although it has no live objects: the bytes are written from where they are,
   * and arrive in a buffer of their own, so that core copies large ones once, at the call. For media of bytes; for unrelated
   * programs too, where it has a {@link Network}. Leaving it out costs speed.
   */
  readonly buffers?: boolean
  /** Direct wires between any two contexts. Without them core relays through the contexts between. */
  readonly wires?: Wires
  /** Wires between unrelated programs. Core authenticates both sides. */
  readonly network?: Network
  /** Queues, pipes and semaphores of the medium's own, where it can do better than frames. Leaving them out costs speed, and blocking calls. */
  readonly engines?: Engines
}

/** A transport that declares the capability `network`. */
export interface NetworkTransport extends Transport {
  readonly network: Network
}

export interface SpawnOptions {
  /** Unique in this program, given by core (operating systems use pids and thread ids again). */
  readonly id: string
  /** The Process's name, for debuggers and `ps`. */
  readonly name: string
  /** It must not outlive its creator, however that one ends, also when it is busy. */
  readonly daemon: boolean
  /** Environment variables, added to the inherited ones. */
  readonly env?: Readonly<Record<string, string>>
  /** Node's flags; the parent's own where absent. */
  readonly execArgv?: readonly string[]
  /** The parent's where absent. Throw MP_NOT_SUPPORTED where peers have none of their own; so for all that the medium cannot. */
  readonly cwd?: string
  /**
   * Where stdout and stderr go; stdin is always at its end. 'inherit' where absent. 'pipe': through {@link relayLines}, and
   * `exited` waits for it.
   */
  readonly stdio?: 'inherit' | 'ignore' | 'pipe'
  /** As node:worker_threads has it, MiB. */
  readonly resourceLimits?: {
    readonly maxOldGenerationSizeMb?: number
    readonly maxYoungGenerationSizeMb?: number
    readonly codeRangeSizeMb?: number
    readonly stackSizeMb?: number
  }
}

/** A running child, as its creator sees it. */
export interface Peer {
  /** The id that `spawn` was given. */
  readonly id: string
  /** Known as soon as `spawn` returns, where the medium tells it; otherwise the child tells core. */
  readonly pid?: number
  /** The way to the child's `serve`. Core starts and closes it. */
  readonly wire: Wire
  /** Ends the peer without its consent, at any instruction; `signal` where the medium has signals. No-op when it is gone. */
  kill(signal?: 'SIGTERM' | 'SIGKILL'): void
  /** Settles once, never rejects. `code` as the medium tells it; core normalises it. `error`: the peer could not run. */
  readonly exited: Promise<PeerExit>
}

export interface PeerExit {
  readonly code: number | null
  readonly signal: string | null
  readonly error?: Error
}

/** An ordered, reliable, two-way path for whole frames between two contexts. */
export interface Wire {
  /** The largest frame this medium takes, in bytes. Core cuts what is larger. Absent: no limit. */
  readonly maxFrame?: number
  /** Called once, before anything is sent. Frames that came earlier are kept and given to the sink, in order. */
  start(sink: WireSink): void
  /**
   * Sends one frame. The wire owns `bytes` from the call on, and its buffer may be transferred; core gives a buffer that
   * holds nothing else, and does not touch it again. `attachments` ride beside the frame, in order, only where the
   * capability says so (or are ArrayBuffers, see {@link Transport.buffers}); they are already detached from their owner. Never throws: a frame to a dead peer is dropped.
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

export interface Network {
  /**
   * Listens, until the result is disposed of. Each connection is told to `accept` from the event loop, as it comes. Rejects
   * with the system's error: EADDRINUSE where somebody listens already. Absent address: a fresh one that only this user can
   * reach. Throws TypeError or RangeError for what can be no address.
   */
  listen(address: string | undefined, accept: (wire: NetworkWire) => void): Promise<Listening>
  /** Connects. What goes wrong closes the wire with the system's error (ENOENT, ECONNREFUSED). Throws as `listen` does. */
  dial(address: string): NetworkWire
}

export interface Listening extends AsyncDisposable {
  readonly address: string
}

/** A wire to somebody who has not shown yet who he is. */
export interface NetworkWire extends Wire {
  /** Lifts the limit of 256 bytes that a frame has until then. What breaks it closes the wire with MP_AUTH or MP_DECODE. */
  trust(): void
}

/** One end of a wire that nobody has opened yet. It may be sent on any number of times before it is opened, once. */
export interface Ticket {
  /** Plain data that the codec can encode, or an object that rides as an attachment (then it is in `transfer`). */
  readonly value: unknown
  /** The live objects that `value` refers to; needs the capability `attachments`. */
  readonly transfer?: readonly object[]
}

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
    /** Two inert ends, as {@link Wires.pair} gives them. */
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
