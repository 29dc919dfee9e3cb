/** For transports whose children are processes too: how they are started, watched and spoken to. Not for users. */
export { runChild } from './child.js'
export { type Boots, spawnChild, WIRE } from './transport.js'
export { watch } from './watch.js'
export { DESCRIPTORS, MAX_FRAME, type PipeHandle, PipeWire, type PipeWireSource } from './wire.js'
