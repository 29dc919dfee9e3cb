import { LocalWire } from '../src/link/local-wire.js'
import { RelayedEnd } from '../src/link/relayed-end.js'

/** An end, and whether the other one has heard of its closing. */
export function watchedEnd(): { end: RelayedEnd; closed: () => boolean } {
  const [near, far] = LocalWire.pair()
  let closed = false
  far.start({
    frame() {},
    drain() {},
    close() {
      closed = true
    },
  })
  return { end: new RelayedEnd(near), closed: () => closed }
}
