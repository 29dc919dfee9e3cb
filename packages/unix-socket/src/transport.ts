import { type Boots, spawnChild } from '@mp/child-process/spi'
import type { NetworkTransport, SpawnOptions } from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { network } from './network.js'
import { childEnvironment } from './program.js'
import { wires } from './tickets.js'

const boots: Boots = {
  boot: new URL('./boot.js', import.meta.url),
  bootDaemon: new URL('./boot-daemon.js', import.meta.url),
  environment: childEnvironment,
}

/** Children are processes; wires are Unix sockets that lead straight from one context to another. */
export const transport: NetworkTransport = Object.freeze({
  name: 'unix-socket',
  capabilities,
  buffers: true,
  spawn: (options: SpawnOptions) => spawnChild(options, boots),
  wires,
  network,
})
