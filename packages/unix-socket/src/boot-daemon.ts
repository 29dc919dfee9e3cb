import { PipeWire, runChild, WIRE, watch } from '@mp/child-process/spi'
import { meetParent } from './kin.js'
import { answerRendezvous, awaitParentOnInterrupt, removeWhenOrphaned } from './program.js'
import { transport } from './transport.js'

const wire = new PipeWire({ fd: WIRE }, true)
// In both threads: whichever learns of the end first ends the process before the other comes to it.
watch(removeWhenOrphaned(wire))
awaitParentOnInterrupt()
meetParent(wire)
answerRendezvous()
await runChild(transport, wire)
