import {
  type BoundContext,
  type Process as CoreProcess,
  createContext,
  type PipeOptions,
  type ProcessConstructor,
} from '@mp/core'
import type { BlockingConnection, BlockingQueue } from './blocking.js'
import { transport } from './transport.js'

const context: BoundContext = createContext(transport)

export const Process: ProcessConstructor = context.Process
export type Process<A extends unknown[] = unknown[], R = unknown> = CoreProcess<A, R>

export interface QueueConstructor {
  /** `maxsize`: how many items it holds before puts wait; 0 (the default) or less: no bound. */
  new <T = unknown>(maxsize?: number): BlockingQueue<T>
  readonly prototype: BlockingQueue
}

export const Queue: QueueConstructor = context.Queue as QueueConstructor
export type Queue<T = unknown> = BlockingQueue<T>

export const Connection: {
  readonly prototype: BlockingConnection
  [Symbol.hasInstance](value: unknown): value is BlockingConnection
} = context.Connection as never
export type Connection<S = unknown, R = S> = BlockingConnection<S, R>

/** Two connected ends. `false`, or `{ duplex: false }`: the first only receives, the second only sends. */
export const Pipe: <S = unknown, R = S>(
  options?: boolean | PipeOptions,
) => [BlockingConnection<S, R>, BlockingConnection<R, S>] = context.Pipe as never

export const currentProcess: BoundContext['currentProcess'] = context.currentProcess
export const parentProcess: BoundContext['parentProcess'] = context.parentProcess
export const activeChildren: BoundContext['activeChildren'] = context.activeChildren
export const isMainProcess: boolean = context.isMainProcess

export { MpError, type MpErrorCode, registerType } from '@mp/core'
export type { BlockOptions } from './blocking.js'
export { configure, type WaitStrategy } from './configure.js'
export { transport }
