import type { Wire, WireSink } from '../transport/wire.js'
import { LocalWire } from './local-wire.js'

/**
 * Relays: whatever arrives at one wire goes out at the other, unread. The links at the far ends count credits between
 * themselves, so what waits here is bounded by their windows.
 */
export function relay(a: Wire, b: Wire): void {
  forward(a, b)
  forward(b, a)
}

function forward(from: Wire, to: Wire): void {
  const sink: WireSink = {
    // The frame may be part of a larger one. It is not copied all the same: both wires are core's, and neither transfers
    // its bytes.
    frame: (bytes, attachments) => {
      const clear = to.send(bytes as Uint8Array<ArrayBuffer>, attachments)
      if (!clear && from instanceof LocalWire) from.relayFull(true)
    },
    drain() {
      if (to instanceof LocalWire) to.relayFull(false)
    },
    close: () => to.close(),
  }
  if (from instanceof LocalWire) from.startRelay(to, sink)
  else from.start(sink)
  from.unref()
}
