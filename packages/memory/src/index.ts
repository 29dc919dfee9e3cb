import type * as core from '@mp/core'
import { createContext } from '@mp/core'
import { transport } from './transport.js'

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
  Pool,
  wait,
  currentProcess,
  currentTask,
  parentProcess,
  activeChildren,
  isMainProcess,
}: core.BoundContext = createContext(transport)

export type Process<A extends unknown[] = unknown[], R = unknown> = core.Process<A, R>
export type Queue<T = unknown> = core.Queue<T>
export type JoinableQueue<T = unknown> = core.JoinableQueue<T>
export type Connection<S = unknown, R = S> = core.Connection<S, R>
export type Lock = core.Lock
export type RLock = core.RLock
export type Semaphore = core.Semaphore
export type BoundedSemaphore = core.BoundedSemaphore
export type Event = core.Event
export type Condition = core.Condition
export type Barrier = core.Barrier
export type Pool = core.Pool

export { type Guard, MpError, type MpErrorCode, registerType } from '@mp/core'
export { transport }
