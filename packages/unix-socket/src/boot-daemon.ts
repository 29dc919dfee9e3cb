import { DaemonWire, runChild, WIRE } from '@mp/child-process/spi'
import { transport } from './transport.js'

await runChild(transport, new DaemonWire({ fd: WIRE }, true))
