import { runChild } from './child.js'
import { transport, WIRE } from './transport.js'
import { PipeWire } from './wire.js'

await runChild(transport, new PipeWire({ fd: WIRE }, true))
