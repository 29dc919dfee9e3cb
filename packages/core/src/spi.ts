/**
 * What the author of a transport implements. Core writes the semantics (Process, Queue, Pipe, errors, back-pressure,
 * flush at exit, the death of a peer); a transport starts peers and carries frames to them.
 *
 * Only core calls these members, and exactly as each one says: arguments are already checked, `start` comes once, nothing
 * is sent after `close`. See docs/writing-a-transport.md.
 */

export { serve } from './boot/serve.js'
export { isTransferred } from './codec/live-object.js'
// Not from '@mp/core': a transport that imports that loads all of it into each of its children, 10 ms.
export { MpError } from './errors.js'
export { relayLines } from './process/relay-lines.js'
export { recycle } from './runtime/buffer-pool.js'
export {
  type Engines,
  IN_PLACE,
  type NativeMessage,
  type NativePipe,
  type NativeQueue,
  type NativeSemaphore,
  type NativeTurn,
} from './transport/engines.js'
export type { Listening, Network, NetworkWire } from './transport/network.js'
export type { Capabilities, NetworkTransport, Peer, PeerExit, SpawnOptions, Transport } from './transport/transport.js'
export type { Ticket, Wire, WireSink, Wires } from './transport/wire.js'
