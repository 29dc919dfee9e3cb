import { createContext } from '@mp/core'
import { transport } from './transport.js'

export const {
  Process,
  Queue,
  JoinableQueue,
  Connection,
  Pipe,
  Pool,
  Lock,
  RLock,
  Semaphore,
  BoundedSemaphore,
  Event,
  Condition,
  Barrier,
  wait,
  currentProcess,
  currentTask,
  parentProcess,
  activeChildren,
  isMainProcess,
} = createContext(transport)
export { MpError, registerType } from '@mp/core'
export { transport }
