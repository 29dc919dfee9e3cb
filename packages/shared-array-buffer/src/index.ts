import type * as core from '@mp/core'
import { createContext } from '@mp/core'
import type {
  BlockingBoundedSemaphore,
  BlockingConnection,
  BlockingEvent,
  BlockingLock,
  BlockingQueue,
  BlockingRLock,
  BlockingSemaphore,
} from './blocking.js'
import { transport } from './transport.js'

/** As in `@mp/core`, with blocking calls where there are any. */
interface Context
  extends Omit<
    core.BoundContext,
    'Queue' | 'Connection' | 'Pipe' | 'Lock' | 'RLock' | 'Semaphore' | 'BoundedSemaphore' | 'Event'
  > {
  readonly Queue: {
    /** `maxsize`: how many items it holds before puts wait; 0 (the default) or less: no bound. */
    new <T = unknown>(maxsize?: number): BlockingQueue<T>
    readonly prototype: BlockingQueue
  }
  readonly Connection: {
    readonly prototype: BlockingConnection
    [Symbol.hasInstance](value: unknown): value is BlockingConnection
  }
  readonly Lock: { new (): BlockingLock; readonly prototype: BlockingLock }
  readonly RLock: { new (): BlockingRLock; readonly prototype: BlockingRLock }
  readonly Semaphore: {
    /** `value`: how often it can be acquired at first; 1 where absent. */
    new (value?: number): BlockingSemaphore
    readonly prototype: BlockingSemaphore
  }
  readonly BoundedSemaphore: {
    /** `value`: how often it can be acquired at first, and at most; 1 where absent. */
    new (value?: number): BlockingBoundedSemaphore
    readonly prototype: BlockingBoundedSemaphore
  }
  readonly Event: { new (): BlockingEvent; readonly prototype: BlockingEvent }
  /** Two connected ends. `false`, or `{ duplex: false }`: the first only receives, the second only sends. */
  Pipe<S = unknown, R = S>(options?: boolean | core.PipeOptions): [BlockingConnection<S, R>, BlockingConnection<R, S>]
}

/** The vocabulary of `@mp/core`, bound to this transport. Each name is a class and the type of its instances. */
export const {
  Process,
  Queue,
  JoinableQueue,
  Connection,
  Pipe,
  Lock,
  RLock,
  Semaphore,
  BoundedSemaphore,
  Event,
  Condition,
  Barrier,
  Value,
  SharedArray,
  Pool,
  wait,
  currentProcess,
  currentTask,
  parentProcess,
  activeChildren,
  isMainProcess,
}: Context = createContext(transport) as core.BoundContext as Context

export type Process<A extends unknown[] = unknown[], R = unknown> = core.Process<A, R>
export type Queue<T = unknown> = BlockingQueue<T>
export type JoinableQueue<T = unknown> = core.JoinableQueue<T>
export type Connection<S = unknown, R = S> = BlockingConnection<S, R>
export type Lock = BlockingLock
export type RLock = BlockingRLock
export type Semaphore = BlockingSemaphore
export type BoundedSemaphore = BlockingBoundedSemaphore
export type Event = BlockingEvent
export type Condition = core.Condition
export type Barrier = core.Barrier
export type Value<
  T extends core.SharedType = core.SharedType,
  L extends core.Lock | undefined = core.Lock,
> = core.Value<T, L>
export type SharedArray<
  T extends core.SharedType = core.SharedType,
  L extends core.Lock | undefined = core.Lock,
> = core.SharedArray<T, L>
export type Pool = core.Pool

export { type Guard, MpError, type MpErrorCode, registerType } from '@mp/core'
export type { BlockingAcquireOptions, BlockingGuard, BlockOptions } from './blocking.js'
export { configure, type WaitStrategy } from './configure.js'
export { transport }
