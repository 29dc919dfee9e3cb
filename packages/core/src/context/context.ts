import type { InheritedFile } from '../board/offer.js'
import { type Link, listenNow } from '../link/link.js'
import { deliverNow } from '../runtime/next-turn.js'
import { within } from '../runtime/within.js'
import type { Transport } from '../transport/transport.js'
import type { HandlePacking } from './message-writer.js'
import type { ParentProcess } from './parent-process.js'

/** What a context is called, by its creator and by itself. */
export interface Identity {
  /** Unique in this program. */
  readonly id: string
  name: string
  readonly pid: number
  readonly daemon: boolean
  /** Numbers the context among its creator's children, after the creator's own: [2, 1] is `Process-2:1`. */
  readonly path: readonly number[]
}

/** A child that this context has started. */
export interface Child {
  readonly owner: ChildOwner
  /** As {@link Identity.id}. */
  readonly id: string
  /** Files of claims that it has inherited. */
  readonly files: readonly InheritedFile[]
  /** Fulfils with the exit code when it has ended, however. */
  readonly exited: Promise<number>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** The object through which the user sees the child. */
export interface ChildOwner {
  readonly name: string
  readonly daemon: boolean
}

/** An object that lives elsewhere and that this context holds. */
export interface Remote {
  /** Everything that this context told the home has reached it, or the home is gone. */
  settled(): Promise<void>
  /**
   * The context ends. None of its calls is given anything from now on: what would have been for them stays with the home. With a
   * `deadline`, as performance.now() counts, what is on its way to them is awaited, blocking: the context exits.
   */
  retire?(deadline?: number): void
}

/** The home of an object that other contexts hold: it lives in this context, and moves to the parent when this one ends. */
export interface Home {
  readonly id: string
  readonly transport: Transport
  /** Sends what waits in batches: this context is about to exit. */
  flush(): void
  /**
   * Moves to the parent: the holders' ends first, then the state, told through `pack`. Resolves when that is done. With a
   * `deadline` (as performance.now() counts) everything happens within the call, for a context that is exiting: a holder that
   * does not answer until then may lose what it has sent and this context has not seen.
   */
  handOver(pack: Pack, deadline?: number): Promise<void>
}

/** Tells the next home one part of the state. */
export type Pack = (build: (packing: HandlePacking) => Estate) => void

/** State of an object whose home moves: plain data, which the codec can encode. Each kind of home adds its own fields. */
export interface Estate {
  readonly kind: string
  /** The object's. */
  readonly id: string
}

/**
 * One place where user code runs: the main program, a worker thread, a child process, a child in the same thread. Holds
 * what lives and ends with it.
 */
export class Context {
  readonly identity: Identity
  /** Null in the main program. */
  readonly parent: ParentProcess | null
  readonly children = new Set<Child>()
  /** Open links that must be flushed before this context ends. */
  readonly links = new Set<Link>()
  /** Queues, locks and barriers that live here and that others hold, by id. */
  readonly homes = new Map<string, Home>()
  /** Queues, locks and barriers that live elsewhere and that this context holds, by id. */
  readonly remotes = new Map<string, Remote>()
  /** Those whose last handle is closed, and which give back what was on its way to them. */
  readonly leaving = new Set<Remote>()
  /** Native pipes with messages that wait for room. */
  readonly pipes = new Set<{ flush(): void }>()
  /** In a worker of a Pool: the task that it runs. */
  task: object | undefined
  /** Asks the main context whether the program goes on. False if that is gone, or one of those between. */
  programGoesOn: () => Promise<boolean> = () => Promise.resolve(true)
  /** In a worker of a Pool: where results may wait for others, and who tells the pool that the worker can do nothing for it. */
  workerLoop: { flush(): void; fail(error: unknown): void } | undefined
  readonly #unfinished = new Map<Promise<void>, Link>()
  #flushesAtExit = false
  #ids = 0
  #children = 0

  constructor(identity: Identity, parent: ParentProcess | null) {
    this.identity = identity
    this.parent = parent
  }

  /** Unique in this program. */
  nextId(): string {
    return `${this.identity.id}.${++this.#ids}`
  }

  /** Files of claims that this child has inherited; none where it is no child of this context. */
  filesOf(id: string | undefined): readonly InheritedFile[] {
    if (id !== undefined) for (const child of this.children) if (child.id === id) return child.files
    return []
  }

  /** The identity path of the next child. */
  nextPath(): readonly number[] {
    return [...this.identity.path, ++this.#children]
  }

  /** Notes `work`, the move of the link's other side. It must be done before this context ends. */
  finishing(work: Promise<void>, link: Link): void {
    this.#unfinished.set(work, link)
    void work.finally(() => this.#unfinished.delete(work))
  }

  async finished(): Promise<void> {
    await Promise.all([...this.#unfinished].map(([work, link]) => answered(work, () => link.heard)))
  }

  movingLinks(): Iterable<Link> {
    return this.#unfinished.values()
  }

  /** Everything that was sent leaves at once. */
  flush(): void {
    this.workerLoop?.flush()
    for (const link of this.links) link.flushAll()
    for (const pipe of this.pipes) pipe.flush()
    for (const home of this.homes.values()) home.flush()
  }

  /** As `flush`, for a context that exits and whose event loop turns no more. What is on its way within this thread leaves, too. */
  flushNow(): void {
    listenNow(this.links)
    do this.flush()
    while (deliverNow())
    // What came out of one link may have gone into the batch of another.
    this.flush()
  }

  /** Flushes when the main program exits. A child flushes at its end, in `serve`. */
  flushAtExit(): void {
    if (this.parent || this.#flushesAtExit) return
    this.#flushesAtExit = true
    process.on('exit', () => this.flushNow())
  }
}

/** How long a context that ends waits for somebody from whom it has never heard, ms. */
const SILENCE = 250

/**
 * Waits for another context's answer, for `SILENCE` only if it has never said anything. Such a context has most likely not opened
 * its end: it cannot answer, and it has sent nothing that could be lost.
 */
export async function answered(answer: Promise<void>, heard: () => boolean): Promise<void> {
  await within(answer, SILENCE)
  if (heard()) await answer
}
