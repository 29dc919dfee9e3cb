import type { Wire } from '../transport/wire.js'

/** The end of a wire through this context, unopened: a link that carries it on makes a channel of it, and this context relays. */
export class RelayedEnd {
  readonly wire: Wire

  constructor(wire: Wire) {
    this.wire = wire
  }
}

/** What rode beside a frame that is dropped: an end in it that nobody will open closes. */
export function discardAttachments(attachments: readonly object[] | undefined): void {
  for (const each of attachments ?? []) if (each instanceof RelayedEnd) each.wire.close()
}
