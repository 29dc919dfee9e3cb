import { PipeWire, runChild, WIRE } from '@mp/child-process/spi'
import { awaitParentOnInterrupt, removeWhenOrphaned } from './program.js'
import { transport } from './transport.js'

const wire = new PipeWire({ fd: WIRE }, true)
removeWhenOrphaned(wire)
awaitParentOnInterrupt()
await runChild(transport, wire)
