/** For other transports of threads: how this one starts workers and carries frames. */
export { type BootData, spawnWorker, type WorkerOptions, wires } from './transport.js'
export { closePorts, PortWire, post } from './wire.js'
