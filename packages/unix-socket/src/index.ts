import {
  type BoundContext,
  type Connection as CoreConnection,
  type Process as CoreProcess,
  type Queue as CoreQueue,
  createContext,
  type NetworkContext,
  type ProcessConstructor,
  type QueueConstructor,
} from '@mp/core'
import { transport } from './transport.js'

const context: BoundContext & NetworkContext = createContext(transport)

export const Process: ProcessConstructor = context.Process
export type Process<A extends unknown[] = unknown[], R = unknown> = CoreProcess<A, R>

export const Queue: QueueConstructor = context.Queue
export type Queue<T = unknown> = CoreQueue<T>

export const Connection: BoundContext['Connection'] = context.Connection
export type Connection<S = unknown, R = S> = CoreConnection<S, R>

export const Pipe: BoundContext['Pipe'] = context.Pipe
export const currentProcess: BoundContext['currentProcess'] = context.currentProcess
export const parentProcess: BoundContext['parentProcess'] = context.parentProcess
export const activeChildren: BoundContext['activeChildren'] = context.activeChildren
export const isMainProcess: boolean = context.isMainProcess

export const listen: NetworkContext['listen'] = context.listen
export const connect: NetworkContext['connect'] = context.connect
export const openQueue: NetworkContext['openQueue'] = context.openQueue

export {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  MpError,
  type MpErrorCode,
  registerType,
} from '@mp/core'
export { transport }
