import { Connection } from './connection.js'
import { registerHandles } from './handles.js'
import { CurrentProcess, type ParentProcess } from './parent-process.js'
import { makePipe, type PipeOptions } from './pipe.js'
import { Process } from './process.js'
import type { ProcessOptions } from './process-options.js'
import { Queue } from './queue.js'
import { currentContext, isChild } from './realm.js'
import type { Transport } from './spi.js'
import type { Target } from './target.js'

export interface ProcessConstructor {
  new <A extends unknown[], R>(options?: ProcessOptions<A, R> & ([] extends A ? unknown : { args: A })): Process<A, R>
  /** Starts a process, waits for it, and gives what the target returned. */
  run<A extends unknown[], R>(target: Target<A, R>, ...args: A): Promise<Awaited<R>>
  readonly prototype: Process
}

export interface QueueConstructor {
  /** `maxsize`: how many items it holds before puts wait; 0 (the default) or less: no bound. */
  new <T = unknown>(maxsize?: number): Queue<T>
  readonly prototype: Queue
}

/** All of the vocabulary, bound to one transport. Every transport package exports these names. */
export interface BoundContext {
  readonly Process: ProcessConstructor
  readonly Queue: QueueConstructor
  readonly Connection: { readonly prototype: Connection; [Symbol.hasInstance](value: unknown): value is Connection }
  /** Two connected ends. `false`, or `{ duplex: false }`: the first only receives, the second only sends. */
  Pipe<S = unknown, R = S>(options?: boolean | PipeOptions): [Connection<S, R>, Connection<R, S>]
  /** The calling context itself. */
  currentProcess(): CurrentProcess
  /** The creator of the calling context; null in the main program. */
  parentProcess(): ParentProcess | null
  /** The calling context's children that have not ended; a new array each time. */
  activeChildren(): Process[]
  /** Whether no transport's boot started this context. */
  readonly isMainProcess: boolean
}

/** Binds Process, Queue and Pipe to a transport. */
export function createContext(transport: Transport): BoundContext {
  registerHandles()
  class BoundProcess<A extends unknown[], R> extends Process<A, R> {
    constructor(options?: ProcessOptions<A, R>) {
      super(currentContext(), transport, options)
    }

    static async run<A extends unknown[], R>(target: Target<A, R>, ...args: A): Promise<Awaited<R>> {
      await using process = new BoundProcess<A, R>({ target, args })
      await process.start()
      try {
        return await process.result()
      } finally {
        // It still flushes, and hands over what lives there: disposing of it now would cut that short.
        await process.join()
      }
    }

    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof Process && value.transport === transport
    }
  }

  // A handle that arrives from another context is made by core: it is an instance of the class of its transport all the same.
  class BoundQueue<T> extends Queue<T> {
    constructor(maxsize = 0) {
      if (typeof maxsize !== 'number' || Number.isNaN(maxsize))
        throw new TypeError(`maxsize must be a number, not ${maxsize}`)
      super(currentContext(), transport, maxsize)
    }

    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof Queue && value.transport === transport
    }
  }

  class BoundConnection extends Connection {
    static override [Symbol.hasInstance](value: unknown): value is Connection {
      return value instanceof Connection && value.transport === transport
    }
  }

  // What a user sees in a message or a stack.
  for (const [name, type] of Object.entries({
    Process: BoundProcess,
    Queue: BoundQueue,
    Connection: BoundConnection,
  })) {
    Object.defineProperty(type, 'name', { value: name })
  }

  return {
    Process: BoundProcess as ProcessConstructor,
    Queue: BoundQueue,
    Connection: BoundConnection,
    Pipe: options => makePipe(currentContext(), transport, options),
    currentProcess: () => new CurrentProcess(currentContext().identity),
    parentProcess: () => currentContext().parent,
    activeChildren: () => [...currentContext().children].map(run => run.owner),
    isMainProcess: !isChild(),
  }
}
