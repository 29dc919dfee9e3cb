import { workerData } from 'node:worker_threads'
import { serve } from '@mp/core/spi'
import { transport } from './transport.js'
import { PortWire } from './wire.js'

const code = await serve(transport, new PortWire(workerData))
process.exit(code === 0 ? undefined : code)
