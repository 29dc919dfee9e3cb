import type { Transport } from '../transport/transport.js'
import type { Ticket, Wire, WireSink } from '../transport/wire.js'
import { LocalWire } from './local-wire.js'
import { RelayedEnd } from './relayed-end.js'

/** The end of a direct wire that nobody has opened: it opens, once, in whichever context it lands. */
export class TicketEnd {
  readonly ticket: Ticket

  constructor(ticket: Ticket) {
    this.ticket = ticket
  }
}

/** The end of a pipe of the medium's own that nobody has opened, or that was given up where it was open. */
export class NativeEnd {
  readonly ticket: Ticket

  constructor(ticket: Ticket) {
    this.ticket = ticket
  }
}

/** One end of a wire that is opened here, once, or sent on unopened, or discarded. */
export type End = TicketEnd | RelayedEnd | NativeEnd

/** What rides beside a message: the end of a wire, or a live object of the medium. */
export type Parcel = End | LiveObject

export class LiveObject {
  readonly object: object

  constructor(object: object) {
    this.object = object
  }
}

/** Both ends of a new wire: direct where the transport has such wires, else through this context. */
export function pair(transport: Transport): [End, End] {
  if (transport.wires) {
    const [a, b] = transport.wires.pair()
    return [new TicketEnd(a), new TicketEnd(b)]
  }
  const [a, b] = LocalWire.pair()
  return [new RelayedEnd(a), new RelayedEnd(b)]
}

/** The live wire; a ticket that does not open gives one that closes at once, with the error. */
export function open(end: End, transport: Transport): Wire {
  if (end instanceof RelayedEnd) return end.wire
  try {
    if (end instanceof NativeEnd) throw new TypeError('the end of a native pipe is no wire')
    if (!transport.wires) throw new TypeError(`${transport.name} has no wires that open tickets`)
    return transport.wires.open(end.ticket.value)
  } catch (error) {
    return deadWire(error as Error)
  }
}

/** Closes an end, so that the other one hears of it. */
export function discard(end: End, transport: Transport): void {
  if (end instanceof NativeEnd) transport.engines?.pipe?.open(end.ticket.value).close()
  else open(end, transport).close()
}

export function discardParcels(parcels: readonly Parcel[] | undefined, transport: Transport): void {
  for (const parcel of parcels ?? []) if (!(parcel instanceof LiveObject)) discard(parcel, transport)
}

function deadWire(error: Error): Wire {
  return {
    start: (sink: WireSink) => void setImmediate(() => sink.close(error)),
    send: () => true,
    close() {},
    unref() {},
  }
}
