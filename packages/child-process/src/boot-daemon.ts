import { runChild } from './child.js'
import { transport, WIRE } from './transport.js'
import { watch } from './watch.js'
import { PipeWire } from './wire.js'

watch()
await runChild(transport, new PipeWire({ fd: WIRE }, true))
