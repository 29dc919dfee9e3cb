import { workerData } from 'node:worker_threads'
import { serve } from '@mp/core/spi'
import { PortWire } from '@mp/worker-threads/spi'
import { joinPeers } from './peers.js'
import { type BootData, transport } from './transport.js'

const data = workerData as BootData
const peers = joinPeers(data)
process.on('exit', () => peers.ending())
const code = await serve(transport, new PortWire(data.port))
// Ends this thread only. A stray timer or socket must not keep it alive.
process.exit(code === 0 ? undefined : code)
