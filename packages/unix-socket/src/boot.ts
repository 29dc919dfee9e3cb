import { PipeWire, runChild, WIRE } from '@mp/child-process/spi'
import { meetParent } from './inherited-wire.js'
import { answerRendezvous, awaitParentOnInterrupt, inheritSecret, removeWhenOrphaned } from './program.js'
import { transport } from './transport.js'

inheritSecret(WIRE)
const wire = new PipeWire({ fd: WIRE }, true)
removeWhenOrphaned(wire)
awaitParentOnInterrupt()
meetParent(wire)
answerRendezvous()
await runChild(transport, wire)
