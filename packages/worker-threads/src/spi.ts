/** For other transports whose children are threads: how this one starts workers and carries frames. Not for users. */
export { type BootData, spawnWorker, type WorkerOptions, wires } from './transport.js'
export { closePorts, PortWire, post } from './wire.js'
