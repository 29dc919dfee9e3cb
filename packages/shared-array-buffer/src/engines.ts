/** For this package's own tests, which end threads in the middle of an operation. */
export { joinPeers, ourPeers, type PeerData, Peers } from './peers.js'
export { RingQueue } from './queue-engine.js'
export { SegmentLog } from './segment-log.js'
export { SharedSemaphore } from './semaphore-engine.js'
