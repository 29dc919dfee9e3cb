import { PipeWire, runChild, WIRE, watch } from '@mp/child-process/spi'
import { awaitParentOnInterrupt, leftover } from './program.js'
import { transport } from './transport.js'

watch(leftover())
awaitParentOnInterrupt()
await runChild(transport, new PipeWire({ fd: WIRE }, true))
