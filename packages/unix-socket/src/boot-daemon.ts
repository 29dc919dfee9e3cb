import { PipeWire, runChild, WIRE, watch } from '@mp/child-process/spi'
import { transport } from './transport.js'

watch()
await runChild(transport, new PipeWire({ fd: WIRE }, true))
