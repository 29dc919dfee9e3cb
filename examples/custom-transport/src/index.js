import { createContext } from '@mp/core'
import { transport } from './transport.js'

export const { Process, Queue, Connection, Pipe, currentProcess, parentProcess, activeChildren, isMainProcess } =
  createContext(transport)
export { transport }
