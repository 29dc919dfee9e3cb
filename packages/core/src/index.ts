export { registerType } from './codec.js'
export type { Connection, SendOptions } from './connection.js'
export {
  type BoundContext,
  createContext,
  type PoolConstructor,
  type ProcessConstructor,
  type QueueConstructor,
} from './create-context.js'
export { hasCode, MpError, type MpErrorCode } from './errors.js'
export type { CurrentProcess, ParentProcess } from './parent-process.js'
export type { WaitOptions } from './pending.js'
export type { PipeOptions } from './pipe.js'
export type { PoolStats } from './pool/crew.js'
export type { CurrentTask } from './pool/current-task.js'
export type { JobOptions, MapOptions, Progress } from './pool/jobs.js'
export type { Pool, PoolOptions } from './pool/pool.js'
export type { ImapOptions, Results } from './pool/results.js'
export type { Process, ProcessOptions } from './process.js'
export type { Queue } from './queue.js'
export type { Target, TargetByName } from './target.js'
