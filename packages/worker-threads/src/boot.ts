import { workerData } from 'node:worker_threads'
import { serve } from '@mp/core/spi'
import { type BootData, transport } from './transport.js'
import { PortWire } from './wire.js'

const code = await serve(transport, new PortWire((workerData as BootData).port))
// Ends this thread only. A stray timer or socket must not keep it alive.
process.exit(code === 0 ? undefined : code)
