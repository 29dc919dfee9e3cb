import type { Wire } from '../transport/wire.js'

/**
 * The end of a wire through this context, unopened. A link that carries it on makes a channel of it, and this context
 * relays.
 */
export class RelayedEnd {
  readonly wire: Wire

  constructor(wire: Wire) {
    this.wire = wire
  }
}

/** A frame is dropped: ends of wires among its attachments close, as nobody will open them. */
export function discardAttachments(attachments: readonly object[] | undefined): void {
  for (const each of attachments ?? []) if (each instanceof RelayedEnd) each.wire.close()
}
