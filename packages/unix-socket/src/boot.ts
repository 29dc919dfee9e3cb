import { PipeWire, runChild, WIRE } from '@mp/child-process/spi'
import { meetParent } from './inherited-wire.js'
import { answerRendezvous, awaitParentOnInterrupt, removeWhenOrphaned } from './program.js'
import { transport } from './transport.js'

const wire = new PipeWire({ fd: WIRE }, true)
removeWhenOrphaned(wire)
awaitParentOnInterrupt()
meetParent(wire)
answerRendezvous()
await runChild(transport, wire)
