import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Peer, SpawnOptions, Transport } from '@mp/core/spi'
import { spawnWorker, type BootData as ThreadBootData, wires } from '@mp/worker-threads/spi'
import { capabilities } from './capabilities.js'
import { ourPeers, type PeerData } from './peers.js'
import * as pipe from './pipe-engine.js'
import { RingQueue } from './queue-engine.js'
import { SharedSemaphore } from './semaphore-engine.js'

/** The `workerData` of a child. */
export interface BootData extends ThreadBootData, PeerData {
  /** Closes with the thread, so the parent learns of the thread's end even while the parent is blocked. */
  readonly life: MessagePort
}

const boot = new URL('./boot.js', import.meta.url)

/** The children of `@mp/worker-threads`, with queues, pipes and semaphores in shared memory. */
export const transport: Transport = Object.freeze({
  name: 'shared-array-buffer',
  capabilities,
  spawn,
  wires,
  engines: Object.freeze({
    queue: {
      create: (maxsize: number) => RingQueue.create(maxsize),
      open: (memory: unknown) => new RingQueue(memory),
    },
    pipe,
    semaphore: {
      create: (value: number, limit: number) => SharedSemaphore.create(value, limit),
      open: (memory: unknown) => new SharedSemaphore(memory),
    },
  }),
})

function spawn(options: SpawnOptions): Peer {
  const peers = ourPeers()
  const { port1, port2 } = new MessageChannel()
  port1.unref()
  const child = peers.add(port1)
  const data: Omit<BootData, 'port'> = { peers: peers.memory, id: child.id, life: port2 }
  let peer: Peer
  try {
    peer = spawnWorker(options, { boot, data, transferList: [port2] })
  } catch (error) {
    peers.ended(child)
    throw error
  }
  void peer.exited.then(() => peers.ended(child))
  return peer
}
