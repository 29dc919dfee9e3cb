import { PipeWire, runChild, WIRE, watch } from '@mp/child-process/spi'
import { meetParent } from './inherited-wire.js'
import { answerRendezvous, awaitParentOnInterrupt, inheritSecret, removeWhenOrphaned } from './program.js'
import { transport } from './transport.js'

inheritSecret(WIRE)
const wire = new PipeWire({ fd: WIRE }, true)
// Both threads remove the directory: whichever hears of the parent's end first may end the process before the other acts.
watch(removeWhenOrphaned(wire))
awaitParentOnInterrupt()
meetParent(wire)
answerRendezvous()
await runChild(transport, wire)
