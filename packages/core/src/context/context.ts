import type { Home } from '../broker/holders.js'
import type { Client } from '../broker/home-link.js'
import type { MpError } from '../errors.js'
import { type Link, listenNow } from '../link/link.js'
import type { CurrentTask } from '../pool/current-task.js'
import type { Run } from '../process/spawned-child.js'
import type { NativeBackend } from '../queue/native.js'
import { deliverNow } from '../runtime/next-turn.js'
import type { NativeSemaphoreBackend } from '../semaphore/native.js'
import type { ParentProcess } from './parent-process.js'

/** Who a context is to its creator, and to itself. */
export interface Identity {
  /** Unique in this program. */
  readonly id: string
  name: string
  readonly pid: number
  readonly daemon: boolean
  /** Numbers the context among its creator's children, after the creator's own: [2, 1] is `Process-2:1`. */
  readonly path: readonly number[]
}

/**
 * One place where user code runs: the main program, a worker thread, a child process, a child in the same thread. Holds
 * what lives and ends with it.
 */
export class Context {
  readonly identity: Identity
  /** Null in the main program. */
  readonly parent: ParentProcess | null
  readonly children = new Set<Run>()
  /** Open links that must be flushed before this context ends. */
  readonly links = new Set<Link>()
  /** Queues, locks and barriers that live here and that others hold, by id. */
  readonly homes = new Map<string, Home>()
  /** Queues, locks and barriers that live elsewhere and that this context holds, by id. */
  readonly clients = new Map<string, Client>()
  /** Set while the module of the target is imported: a Process that starts there has no main guard. */
  onUnguardedStart: ((name: string) => MpError) | undefined
  /** Queues of the medium's own that this context holds, by id. */
  readonly natives = new Map<string, NativeBackend>()
  /** Semaphores of the medium's own that this context shares with others, by id. */
  readonly semaphores = new Map<string, NativeSemaphoreBackend>()
  /** Native pipes in which something waits for room. */
  readonly pipes = new Set<{ flush(): void }>()
  /** The task of a Pool that this context, a worker of it, is at. */
  task: CurrentTask | undefined
  /** Of a worker of a Pool: where answers may wait for others. */
  desk: { flush(): void } | undefined
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

  /** The identity path of the next child. */
  nextPath(): readonly number[] {
    return [...this.identity.path, ++this.#children]
  }

  /** The move of a link's other side, which must be done before this context ends. */
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

  /** Everything sent leaves at once. */
  flush(): void {
    this.desk?.flush()
    for (const link of this.links) link.flushAll()
    for (const pipe of this.pipes) pipe.flush()
    for (const home of this.homes.values()) home.flush()
  }

  /** The same for a context that exits, whose event loop turns no more: what is on its way within this thread leaves too. */
  flushNow(): void {
    listenNow(this.links)
    do this.flush()
    while (deliverNow())
    // What came out of one link may have gone into the batch of another.
    this.flush()
  }

  /** For the main program; a child ends in `serve`. */
  flushAtExit(): void {
    if (this.parent || this.#flushesAtExit) return
    this.#flushesAtExit = true
    process.on('exit', () => this.flushNow())
  }
}

/** How long a context that ends waits for somebody from whom it has never heard, ms. */
const SILENCE = 250

/**
 * Waits for another context's answer. One that has never said anything has most likely not opened its end, and cannot
 * answer; nor has it sent anything that could be lost.
 */
export async function answered(answer: Promise<void>, heard: () => boolean): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<void>(resolve => {
    timer = setTimeout(resolve, SILENCE)
  })
  await Promise.race([answer, silence])
  clearTimeout(timer)
  if (heard()) await answer
}
