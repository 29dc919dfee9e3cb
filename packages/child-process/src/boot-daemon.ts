import { runChild } from './child.js'
import { DaemonWire } from './daemon-wire.js'
import { transport, WIRE } from './transport.js'

await runChild(transport, new DaemonWire({ fd: WIRE }, true))
