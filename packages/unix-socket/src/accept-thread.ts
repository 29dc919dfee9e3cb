import { createServer, type Socket } from 'node:net'
import { workerData } from 'node:worker_threads'
import type { PipeHandle } from '@mp/child-process/spi'

export interface AcceptThreadData {
  /** The descriptor of a listening socket. */
  readonly listening: number
  /** How many connections were accepted, and their descriptors. */
  readonly accepted: Int32Array<SharedArrayBuffer>
}

const { listening, accepted } = workerData as AcceptThreadData

// Whoever started this thread exits, and owns the descriptors. They are never closed here.
const connections: Socket[] = []

const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
server.on('connection', (socket: Socket & { _handle?: PipeHandle | null }) => {
  const count = connections.push(socket)
  if (count >= accepted.length) return
  accepted[count] = socket._handle?.fd ?? -1
  Atomics.store(accepted, 0, count)
  Atomics.notify(accepted, 0)
})
server.on('error', () => {})
server.listen({ fd: listening, exclusive: true })
