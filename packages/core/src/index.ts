export type { Barrier, BarrierOptions } from './barrier/barrier.js'
export type {
  BarrierConstructor,
  BoundContext,
  BoundedSemaphoreConstructor,
  ConditionConstructor,
  EventConstructor,
  JoinableQueueConstructor,
  LockConstructor,
  PoolConstructor,
  ProcessConstructor,
  QueueConstructor,
  RLockConstructor,
  SemaphoreConstructor,
  SharedArrayConstructor,
  ValueConstructor,
} from './boot/bound-context.js'
export { createContext } from './boot/create-context.js'
export type { Waitable } from './boot/wait.js'
export { registerType } from './codec/registered-type.js'
export type { CurrentProcess, ParentProcess } from './context/parent-process.js'
export { hasCode, MpError, type MpErrorCode } from './errors.js'
export type { ConnectOptions, ListenOptions, NetworkContext } from './network/bind-network.js'
export type { Listener } from './network/listener.js'
export type { SendOptions } from './pipe/arguments.js'
export type { Connection } from './pipe/connection.js'
export type { PipeOptions } from './pipe/pipe.js'
export type { CurrentTask } from './pool/current-task.js'
export type { ImapOptions, JobOptions, MapOptions, Progress } from './pool/job-options.js'
export type { Pool } from './pool/pool.js'
export type { PoolOptions } from './pool/pool-options.js'
export type { PoolStats } from './pool/pool-stats.js'
export type { Results } from './pool/results.js'
export type { Process } from './process/process.js'
export type { ProcessOptions, ResourceLimits, Stdio } from './process/process-options.js'
export type { Target, TargetByName } from './process/target.js'
export type { JoinableQueue } from './queue/joinable-queue.js'
export type { Queue } from './queue/queue.js'
export type { WaitOptions } from './runtime/wait-options.js'
export type { Condition } from './semaphore/condition.js'
export type { Event } from './semaphore/event.js'
export type { AcquireOptions, Guard, Lock } from './semaphore/lock.js'
export type { RLock } from './semaphore/rlock.js'
export type { BoundedSemaphore, Semaphore } from './semaphore/semaphore.js'
export type { SharedArray } from './shared-memory/shared-array.js'
export type { SharedElement, SharedType, SharedViews } from './shared-memory/shared-memory.js'
export type { Value } from './shared-memory/value.js'
