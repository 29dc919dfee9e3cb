import {
  type BarrierConstructor,
  type BoundContext,
  type BoundedSemaphoreConstructor,
  type ConditionConstructor,
  type Barrier as CoreBarrier,
  type BoundedSemaphore as CoreBoundedSemaphore,
  type Condition as CoreCondition,
  type Connection as CoreConnection,
  type Event as CoreEvent,
  type Guard as CoreGuard,
  type JoinableQueue as CoreJoinableQueue,
  type Lock as CoreLock,
  type Pool as CorePool,
  type Process as CoreProcess,
  type Queue as CoreQueue,
  type RLock as CoreRLock,
  type Semaphore as CoreSemaphore,
  createContext,
  type EventConstructor,
  type JoinableQueueConstructor,
  type LockConstructor,
  type PoolConstructor,
  type ProcessConstructor,
  type QueueConstructor,
  type RLockConstructor,
  type SemaphoreConstructor,
} from '@mp/core'
import { transport } from './transport.js'

const context: BoundContext = createContext(transport)

export const Process: ProcessConstructor = context.Process
export type Process<A extends unknown[] = unknown[], R = unknown> = CoreProcess<A, R>

export const Queue: QueueConstructor = context.Queue
export type Queue<T = unknown> = CoreQueue<T>

export const JoinableQueue: JoinableQueueConstructor = context.JoinableQueue
export type JoinableQueue<T = unknown> = CoreJoinableQueue<T>

export const Lock: LockConstructor = context.Lock
export type Lock = CoreLock

export const RLock: RLockConstructor = context.RLock
export type RLock = CoreRLock

export const Semaphore: SemaphoreConstructor = context.Semaphore
export type Semaphore = CoreSemaphore

export const BoundedSemaphore: BoundedSemaphoreConstructor = context.BoundedSemaphore
export type BoundedSemaphore = CoreBoundedSemaphore

export const Event: EventConstructor = context.Event
export type Event = CoreEvent

export const Condition: ConditionConstructor = context.Condition
export type Condition = CoreCondition

export const Barrier: BarrierConstructor = context.Barrier
export type Barrier = CoreBarrier

/** What `acquire` gives. */
export type Guard = CoreGuard

export const Connection: BoundContext['Connection'] = context.Connection
export type Connection<S = unknown, R = S> = CoreConnection<S, R>

export const Pipe: BoundContext['Pipe'] = context.Pipe
export const wait: BoundContext['wait'] = context.wait
export const currentProcess: BoundContext['currentProcess'] = context.currentProcess
export const parentProcess: BoundContext['parentProcess'] = context.parentProcess
export const activeChildren: BoundContext['activeChildren'] = context.activeChildren
export const isMainProcess: boolean = context.isMainProcess
export const Pool: PoolConstructor = context.Pool
export type Pool = CorePool
export const currentTask: BoundContext['currentTask'] = context.currentTask

export { MpError, type MpErrorCode, registerType } from '@mp/core'
export { transport }
