import type { Transport } from '../transport/transport.js'
import type { Ticket, Wire, WireSink } from '../transport/wire.js'
import { LocalWire } from './local-wire.js'
import { RelayedEnd } from './relayed-end.js'

/** The end of a direct wire that nobody has opened. It opens, once, in whichever context it lands. */
export class TicketEnd {
  readonly ticket: Ticket

  constructor(ticket: Ticket) {
    this.ticket = ticket
  }
}

/** The end of a native pipe that is open nowhere: nobody has opened it yet, or its user has given it up. */
export class NativeEnd {
  readonly ticket: Ticket

  constructor(ticket: Ticket) {
    this.ticket = ticket
  }
}

/** One end of a wire, or of a native pipe. Who has it opens it, once, sends it on unopened, or discards it. */
export type End = TicketEnd | RelayedEnd | NativeEnd

/** What rides along with a message: an end, or a live object of the medium. */
export type Parcel = End | LiveObject

export class LiveObject {
  readonly object: object

  constructor(object: object) {
    this.object = object
  }
}

/** Both ends of a new wire: direct if the transport has such wires, otherwise through this context. */
export function pair(transport: Transport): [End, End] {
  if (transport.wires) {
    const [a, b] = transport.wires.pair()
    return [new TicketEnd(a), new TicketEnd(b)]
  }
  const [a, b] = LocalWire.pair()
  return [new RelayedEnd(a), new RelayedEnd(b)]
}

/** Makes the end a live wire. If its ticket does not open, the wire closes at once, with the error. */
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

/** Closes an end, so that the other end hears of it. */
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
