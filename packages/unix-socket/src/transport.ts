import { type Boots, spawnChild } from '@mp/child-process/spi'
import type { NetworkTransport, Peer, SpawnOptions } from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { Introduction } from './inherited-wire.js'
import { network } from './network.js'
import { wires } from './tickets.js'

const boots: Pick<Boots, 'boot' | 'bootDaemon'> = {
  boot: new URL('./boot.js', import.meta.url),
  bootDaemon: new URL('./boot-daemon.js', import.meta.url),
}

function spawn(options: SpawnOptions): Peer {
  const introduction = new Introduction()
  try {
    const { descriptors } = introduction
    const peer = spawnChild(options, { ...boots, descriptors, environment: first => introduction.environment(first) })
    introduction.meet(peer.wire)
    return peer
  } finally {
    introduction.close()
  }
}

/** Children are processes; wires are Unix sockets that lead straight from one context to another. */
export const transport: NetworkTransport = Object.freeze({
  name: 'unix-socket',
  capabilities,
  buffers: true,
  spawn,
  wires,
  network,
})
