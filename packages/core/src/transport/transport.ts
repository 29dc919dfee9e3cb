import type { Engines } from './engines.js'
import type { Network } from './network.js'
import type { Wire, Wires } from './wire.js'

/**
 * What a transport can do: frozen plain data. It selects tests, types and documentation. Optional members, of the transport
 * and of its wires, are no part of it: core looks whether they are there.
 */
export interface Capabilities {
  /** How far away a peer may be: in this process, in another one, or on another host. */
  readonly reach: 'thread' | 'process' | 'host'
  /** Which boundary a peer's crash, exit or busy loop does not cross. 'none': peers run in the thread that started them. */
  readonly isolation: 'none' | 'thread' | 'process'
  /** Blocking calls (`getSync`, `recvSync`, ...) work. Needs {@link Engines} and {@link Wire.receiveSync}. */
  readonly sync: boolean
  /** `listen` and `connect` work, between unrelated programs. Needs {@link Transport.network}. */
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
   * Starts a peer that runs the transport's own boot module, which calls core's `serve`. Called once per Process.
   *
   * - A failure that is known at once is thrown. Then nothing may be left running.
   * - A later failure closes the wire, and settles `exited` with the error.
   */
  spawn(options: SpawnOptions): Peer
  /**
   * For media of bytes. Wires carry ArrayBuffers as attachments, although the medium has no live objects: they write the
   * bytes from where they are, and give each buffer to the sink as one of its own. Core then copies a large one only once,
   * at the call. If the transport has a {@link Network}, its wires do so, too. Leaving it out costs speed.
   */
  readonly buffers?: boolean
  /** Direct wires between any two contexts. Without them core relays, through the contexts that lie between. */
  readonly wires?: Wires
  /** Wires between unrelated programs. Core authenticates both sides. */
  readonly network?: Network
  /**
   * Queues, pipes and semaphores of the medium's own, if it can do better than frames. Leaving them out costs speed, and
   * blocking calls.
   */
  readonly engines?: Engines
}

/** A transport that declares the capability `network`. */
export interface NetworkTransport extends Transport {
  readonly network: Network
}

export interface SpawnOptions {
  /** Unique in this program. Core gives it, as operating systems use pids and thread ids again. */
  readonly id: string
  /** The Process's name, for debuggers and `ps`. */
  readonly name: string
  /** The peer must not outlive its creator, however the creator ends, and even if the peer is busy. */
  readonly daemon: boolean
  /**
   * Environment variables, in addition to those that the peer inherits. One of them tells a peer with a thread or process of its
   * own, from its first line on, that it is a peer.
   */
  readonly env?: Readonly<Record<string, string>>
  /** Node's flags. Absent: the parent's own. Never absent where isolation is 'process': some flags must not be inherited. */
  readonly execArgv?: readonly string[]
  /**
   * Absent: the parent's. Throw MP_NOT_SUPPORTED if peers have none of their own, as for every option that the medium
   * cannot honour.
   */
  readonly cwd?: string
  /**
   * Where stdout and stderr go. stdin is always at its end.
   *
   * - 'inherit', or absent: where the parent's go.
   * - 'ignore': nowhere.
   * - 'pipe': through `relayLines`. `exited` waits until they have ended.
   */
  readonly stdio?: 'inherit' | 'ignore' | 'pipe'
  /** Open descriptors of this process that the peer should inherit. See {@link Peer.inherited}. */
  readonly inherit?: readonly number[]
  /** In MiB, as the option of node:worker_threads. */
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
  /** Known as soon as `spawn` returns, if the medium tells it. Absent: the child tells core. */
  readonly pid?: number
  /**
   * The numbers that the descriptors of `SpawnOptions.inherit` have in the peer, in their order. Absent: the medium cannot
   * pass them on. This costs speed: queues between parent and child then take one system call more for each item.
   */
  readonly inherited?: readonly number[]
  /** The wire to the child's `serve`. Core starts and closes it. */
  readonly wire: Wire
  /**
   * Ends the peer without its consent, at any instruction, by `signal` if the medium has signals. No-op when the peer is
   * gone.
   */
  kill(signal?: 'SIGTERM' | 'SIGKILL'): void
  /** Fulfils once, never rejects. `code` is what the medium tells; core normalises it. `error`: the peer could not run. */
  readonly exited: Promise<PeerExit>
}

export interface PeerExit {
  readonly code: number | null
  readonly signal: string | null
  readonly error?: Error
}
