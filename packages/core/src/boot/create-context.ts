import { Barrier, type BarrierOptions } from '../barrier/barrier.js'
import { makeBarrier } from '../barrier/open.js'
import { childMark } from '../context/child-mark.js'
import { currentContext } from '../context/current-context.js'
import { networkOf } from '../context/network-transport.js'
import { CurrentProcess } from '../context/parent-process.js'
import { bindNetwork, type NetworkContext } from '../network/bind-network.js'
import { Connection } from '../pipe/connection.js'
import { makePipe } from '../pipe/pipe.js'
import type { CurrentTask } from '../pool/current-task.js'
import { Pool } from '../pool/pool.js'
import type { PoolOptions } from '../pool/pool-options.js'
import { Process } from '../process/process.js'
import type { ProcessOptions } from '../process/process-options.js'
import type { Target } from '../process/target.js'
import { JoinableQueue } from '../queue/joinable-queue.js'
import { Queue } from '../queue/queue.js'
import { UNLIMITED } from '../semaphore/backend.js'
import { Condition } from '../semaphore/condition.js'
import { Event } from '../semaphore/event.js'
import { Lock } from '../semaphore/lock.js'
import { makeSemaphore } from '../semaphore/open.js'
import { RLock } from '../semaphore/rlock.js'
import { BoundedSemaphore, checkCount, Semaphore } from '../semaphore/semaphore.js'
import { makeCells, SharedArray } from '../shared-memory/shared-array.js'
import { Cells, type SharedElement, type SharedType } from '../shared-memory/shared-memory.js'
import { Value } from '../shared-memory/value.js'
import type { NetworkTransport, Transport } from '../transport/transport.js'
import type {
  BoundContext,
  PoolConstructor,
  ProcessConstructor,
  SharedArrayConstructor,
  ValueConstructor,
} from './bound-context.js'
import { registerHandles } from './register-handles.js'
import { wait } from './wait.js'

/** Binds all classes and functions to a transport, with `listen`, `connect` and `openQueue` where it declares `network`. */
export function createContext(transport: NetworkTransport): BoundContext & NetworkContext
export function createContext(transport: Transport): BoundContext
export function createContext(transport: Transport): BoundContext & Partial<NetworkContext> {
  registerHandles()
  const mark = childMark()
  if (mark && !mark.checkStart) mark.preloaded = true
  const reaching = transport.capabilities.network && transport.network ? (transport as NetworkTransport) : undefined
  // What `connect` and `openQueue` give is over the network transport, and an instance of the same classes.
  const own = (each: Transport) => each === transport || (reaching !== undefined && each === networkOf(reaching))
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
        // The child still flushes, and hands over what lives there. Disposing of it now would cut that short.
        await process.join()
      }
    }
  }

  class BoundQueue<T> extends Queue<T> {
    constructor(maxsize = 0) {
      super(currentContext(), transport, checkMaxsize(maxsize))
    }
  }

  class BoundJoinableQueue<T> extends JoinableQueue<T> {
    constructor(maxsize = 0) {
      super(currentContext(), transport, checkMaxsize(maxsize))
    }
  }

  class BoundLock extends Lock {
    constructor() {
      super(transport, makeSemaphore(currentContext(), transport, 1, 1))
    }
  }

  class BoundRLock extends RLock {
    constructor() {
      super(transport, makeSemaphore(currentContext(), transport, 1, 1))
    }
  }

  class BoundSemaphore extends Semaphore {
    constructor(value = 1) {
      super(transport, makeSemaphore(currentContext(), transport, checkCount(value, 0, 'value'), UNLIMITED))
    }
  }

  class BoundBoundedSemaphore extends BoundedSemaphore {
    constructor(value = 1) {
      super(transport, makeSemaphore(currentContext(), transport, checkCount(value, 0, 'value'), value))
    }
  }

  class BoundEvent extends Event {
    constructor() {
      super(transport, makeSemaphore(currentContext(), transport, 0, 1))
    }
  }

  class BoundCondition extends Condition {
    constructor(lock?: Lock) {
      if (lock !== undefined && !(lock instanceof BoundLock))
        throw new TypeError(`lock must be a Lock or an RLock of ${transport.name}`)
      super(transport, lock ?? new BoundRLock(), makeSemaphore(currentContext(), transport, 0, 0), lock === undefined)
    }
  }

  class BoundBarrier extends Barrier {
    constructor(parties: number, options?: BarrierOptions) {
      super(transport, ...makeBarrier(currentContext(), transport, parties, options))
    }
  }

  /** The lock of shared memory, and whether it was made for it. */
  function lockOf(options: { lock?: boolean | Lock | undefined } | undefined): [Lock | undefined, boolean] {
    const lock = options?.lock ?? true
    if (lock === true) return [new BoundLock(), true]
    if (lock === false) return [undefined, false]
    if (lock instanceof BoundLock) return [lock, false]
    throw new TypeError(`lock must be true, false, or a Lock or an RLock of ${transport.name}`)
  }

  class BoundValue<T extends SharedType> extends Value<T, Lock | undefined> {
    constructor(type: T, initial?: SharedElement<T>, options?: { lock?: boolean | Lock | undefined }) {
      super(transport, Cells.allocate(transport, 'Value', type, 1), ...lockOf(options))
      if (initial !== undefined) this.value = initial
    }
  }

  class BoundSharedArray<T extends SharedType> extends SharedArray<T, Lock | undefined> {
    constructor(
      type: T,
      content: number | Iterable<SharedElement<T>>,
      options?: { lock?: boolean | Lock | undefined },
    ) {
      super(transport, makeCells(transport, type, content), ...lockOf(options))
    }
  }

  class BoundConnection extends Connection {}

  class BoundPool extends Pool {
    constructor(processes?: number, options?: PoolOptions<never[]>) {
      super(currentContext(), transport, processes, options)
    }
  }

  const shared = {
    JoinableQueue: BoundJoinableQueue,
    Lock: BoundLock,
    RLock: BoundRLock,
    Semaphore: BoundSemaphore,
    BoundedSemaphore: BoundBoundedSemaphore,
    Event: BoundEvent,
    Condition: BoundCondition,
    Barrier: BoundBarrier,
    Value: BoundValue as ValueConstructor,
    SharedArray: BoundSharedArray as SharedArrayConstructor,
  }

  const classes = { Process: BoundProcess, Queue: BoundQueue, ...shared, Connection: BoundConnection, Pool: BoundPool }
  for (const [name, type] of Object.entries(classes)) {
    const base: abstract new (...args: never[]) => { readonly transport: Transport } = Object.getPrototypeOf(type)
    Object.defineProperties(type, {
      // The name that a user sees in a message or a stack.
      name: { value: name },
      // Core makes a handle that arrives from another context. It counts as an instance of the class of its transport all the same.
      [Symbol.hasInstance]: { value: (value: unknown) => value instanceof base && own(value.transport) },
    })
  }

  return {
    Process: BoundProcess as ProcessConstructor,
    Queue: BoundQueue,
    ...shared,
    Connection: BoundConnection as typeof BoundConnection & BoundContext['Connection'],
    Pipe: options => makePipe(currentContext(), transport, options),
    wait: (objects, options) => wait(objects, options),
    currentProcess: () => new CurrentProcess(currentContext().identity),
    parentProcess: () => currentContext().parent,
    activeChildren: () => [...currentContext().children].map(({ owner }) => owner as Process),
    isMainProcess: !mark,
    ...(reaching && bindNetwork(reaching)),
    Pool: BoundPool as PoolConstructor,
    currentTask: () => (currentContext().task as CurrentTask | undefined) ?? null,
  }
}

function checkMaxsize(maxsize: unknown): number {
  if (typeof maxsize === 'number' && !Number.isNaN(maxsize)) return maxsize
  throw new TypeError(`maxsize must be a number, not ${maxsize}`)
}
