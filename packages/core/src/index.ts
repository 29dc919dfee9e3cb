// So that all that a child loads first is in one file: see tsup.config.ts.
import './spi.js'

export type { Barrier, BarrierOptions } from './barrier.js'
export type { ConnectOptions, ListenOptions, NetworkContext } from './bind-network.js'
export type { Condition } from './condition.js'
export type { Connection, SendOptions } from './connection.js'
export {
  type BarrierConstructor,
  type BoundContext,
  type BoundedSemaphoreConstructor,
  type ConditionConstructor,
  createContext,
  type EventConstructor,
  type JoinableQueueConstructor,
  type LockConstructor,
  type PoolConstructor,
  type ProcessConstructor,
  type QueueConstructor,
  type RLockConstructor,
  type SemaphoreConstructor,
  type SharedArrayConstructor,
  type ValueConstructor,
} from './create-context.js'
export { hasCode, MpError, type MpErrorCode } from './errors.js'
export type { Event } from './event.js'
export type { JoinableQueue } from './joinable-queue.js'
export type { Listener } from './listener.js'
export type { AcquireOptions, Guard, Lock } from './lock.js'
export type { CurrentProcess, ParentProcess } from './parent-process.js'
export type { WaitOptions } from './pending.js'
export type { PipeOptions } from './pipe.js'
export type { PoolStats } from './pool/crew.js'
export type { CurrentTask } from './pool/current-task.js'
export type { JobOptions, MapOptions, Progress } from './pool/jobs.js'
export type { Pool, PoolOptions } from './pool/pool.js'
export type { ImapOptions, Results } from './pool/results.js'
export type { Process } from './process.js'
export type { ProcessOptions, ResourceLimits, Stdio } from './process-options.js'
export type { Queue } from './queue.js'
export { registerType } from './registered-type.js'
export type { RLock } from './rlock.js'
export type { BoundedSemaphore, Semaphore } from './semaphore.js'
export type { SharedArray } from './shared-array.js'
export type { SharedElement, SharedType, SharedViews } from './shared-memory.js'
export type { Target, TargetByName } from './target.js'
export type { Value } from './value.js'
export type { Waitable } from './wait.js'
