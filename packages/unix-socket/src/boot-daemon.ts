import { PipeWire, runChild, WIRE, watch } from '@mp/child-process/spi'
import { leftover } from './program.js'
import { transport } from './transport.js'

watch(leftover())
await runChild(transport, new PipeWire({ fd: WIRE }, true))
