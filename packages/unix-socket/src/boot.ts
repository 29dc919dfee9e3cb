import { PipeWire, runChild, WIRE } from '@mp/child-process/spi'
import { transport } from './transport.js'

await runChild(transport, new PipeWire({ fd: WIRE }, true))
