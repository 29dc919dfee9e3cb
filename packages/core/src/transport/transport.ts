import type { Engines } from './engines.js'
import type { Network } from './network.js'
import type { Wire, Wires } from './wire.js'

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
   * Starts a peer that runs the transport's own boot module, which calls core's `serve`.
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
   * Where stdout and stderr go; stdin is always at its end. 'inherit' where absent. 'pipe': through `relayLines`, and
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
