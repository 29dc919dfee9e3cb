import { runChild } from './child.js'
import { WIRE } from './transport.js'
import { PipeWire } from './wire.js'

await runChild(new PipeWire({ fd: WIRE }, true))
