import { decode, encode } from '../codec/codec.js'
import type { Packing, Unpacking } from '../codec/handle.js'
import { MpError } from '../errors.js'
import type { ByteBuffer } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import type { Ticket, Wire } from '../transport/wire.js'
import { RelayedEnd } from './relayed-end.js'
import { LiveObject, NativeEnd, type Parcel, TicketEnd } from './wire-end.js'

/**
 * How parcels ride on a wire: in a table, encoded by the codec, with one entry for each, and in the frame's attachments.
 *
 *     { object: i }    the live object is attachment i
 *     { end: i }       attachment i is a RelayedEnd: the wire is core's own, a local one or a channel, and carries it as it is
 *     { ticket: v }    the value of a ticket; the live objects in it are attachments
 *     { pipe: v }      the same for the end of a native pipe
 *     { channel: n }   the end of a wire that this context relays: channel n of the link between parent and child
 *
 * If all parcels are live objects the table is empty: the attachments are they, in order. That saves 2 us for a large byte
 * array.
 */
type Entry = { object: number } | { end: number } | { ticket: unknown } | { pipe: unknown } | { channel: number }

/** What a table asks of {@link Channels}, to carry the ends of relayed wires. */
export interface EndCarrier {
  offer(wire: Wire): number
  accept(channel: number): Wire
}

export function writeParcels(
  parcels: readonly Parcel[],
  out: ByteBuffer,
  attachments: object[],
  transport: Transport,
  carrier: EndCarrier | undefined,
): void {
  if (parcels.every(isLiveObject)) {
    for (const { object } of parcels) attachments.push(object)
    return
  }
  const tickets: object[] = []
  const entries = parcels.map((parcel): Entry => {
    if (parcel instanceof LiveObject) return { object: attachments.push(parcel.object) - 1 }
    if (parcel instanceof TicketEnd) {
      tickets.push(...(parcel.ticket.transfer ?? []))
      return { ticket: parcel.ticket.value }
    }
    if (parcel instanceof NativeEnd) {
      tickets.push(...(parcel.ticket.transfer ?? []))
      return { pipe: parcel.ticket.value }
    }
    return carrier ? { channel: carrier.offer(parcel.wire) } : { end: attachments.push(parcel) - 1 }
  })
  const packing: Packing = {
    attachments: transport.capabilities.attachments,
    sharedMemory: transport.capabilities.sharedMemory,
    transfers: object => tickets.includes(object),
    attach: object => attachments.push(object) - 1,
    handle() {
      throw new MpError('MP_ENCODE', `a ticket of ${transport.name} must be plain data`)
    },
  }
  encode(entries, out, packing)
}

export function readParcels(
  bytes: Uint8Array,
  start: number,
  end: number,
  attachments: readonly object[],
  transport: Transport,
  carrier: EndCarrier | undefined,
): Parcel[] {
  const attachment = (index: number): object => {
    const found = attachments[index]
    if (found === undefined)
      throw new MpError('MP_DECODE', `a message refers to attachment ${index} of ${attachments.length}`)
    return found
  }
  const unpacking: Unpacking = {
    attachment,
    handle() {
      throw new MpError('MP_DECODE', 'a handle stands where a ticket should')
    },
  }
  if (start === end) return attachments.map(object => new LiveObject(object))
  const entries = decode(bytes, start, end, unpacking)
  if (!Array.isArray(entries)) throw new MpError('MP_DECODE', 'a table of parcels is no array')
  return entries.map((entry: Partial<Record<string, unknown>>): Parcel => {
    if (typeof entry?.object === 'number') return new LiveObject(attachment(entry.object))
    const end = typeof entry?.end === 'number' ? attachment(entry.end) : undefined
    if (end instanceof RelayedEnd) return end
    if (typeof entry?.channel === 'number' && carrier) return new RelayedEnd(carrier.accept(entry.channel))
    // Whoever speaks over a transport without wires, such as another program, has no say in what this program opens.
    if (entry && 'ticket' in entry && transport.wires) {
      transport.wires.arrived?.(entry.ticket)
      return new TicketEnd(ticket(entry.ticket))
    }
    if (entry && 'pipe' in entry && transport.engines) return new NativeEnd(ticket(entry.pipe))
    throw new MpError('MP_DECODE', 'a table of parcels has an unknown entry')
  })
}

function isLiveObject(parcel: Parcel): parcel is LiveObject {
  return parcel instanceof LiveObject
}

/** A ticket that is sent on needs its live objects again: all ports in its value. */
function ticket(value: unknown): Ticket {
  const transfer = new Set<object>()
  collectLive(value, transfer)
  return { value, transfer: [...transfer] }
}

function collectLive(value: unknown, found: Set<object>): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    for (const each of Object.values(value)) collectLive(each, found)
  } else if (value instanceof MessagePort) {
    found.add(value)
  }
}
