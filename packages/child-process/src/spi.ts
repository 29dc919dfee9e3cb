/** For other transports whose children are processes: how to start them, watch them and talk to them. Not for users. */
export { runChild } from './child.js'
export { type Flushed, flushAtExit, forget, LONGEST_FLUSH } from './exit-flush.js'
export { tellLoss } from './last-words.js'
export { pause } from './pause.js'
export { DESCRIPTORS, type PipeHandle, type PipeWireSource } from './pipe-handle.js'
export { type Boots, spawnChild, WIRE } from './transport.js'
export { watch } from './watch.js'
export { MAX_FRAME, PipeWire } from './wire.js'
