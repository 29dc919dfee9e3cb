import type { Ticket, Wire, Wires } from '@mp/core/spi'
import { FAILED, HELD, OPENED, SENT, type WireEnd } from './control.js'
import { tokenOfInherited } from './inherited-wire.js'
import { program, randomToken, tell } from './program.js'
import { SocketWire } from './wire.js'

/** A ticket that was made here. Once one of its ends has left, the rendezvous must know where the other one is. */
interface Made {
  readonly sibling: WireEnd
  /**
   * - 'here': it was never opened.
   * - 'away': it was opened, or sent to another context.
   * - 'closed': it was closed here, unopened. Nobody was told.
   */
  state: 'here' | 'away' | 'closed'
}

const made = new WeakMap<object, Made>()
/** Unopened ends in this context of which the rendezvous knows that they are here. */
const held = new WeakSet<object>()

/** Unix sockets between any two contexts of one program. Outside of it a ticket's value is worthless. */
export const wires: Wires = Object.freeze({ pair, open, arrived, left })

function pair(): [Ticket, Ticket] {
  const token = randomToken()
  const a: WireEnd = { token, end: 0, hops: 0 }
  const b: WireEnd = { token, end: 1, hops: 0 }
  made.set(a, { sibling: b, state: 'here' })
  made.set(b, { sibling: a, state: 'here' })
  return [{ value: a }, { value: b }]
}

function open(value: unknown): SocketWire {
  const end = check(value)
  const ours = made.get(end)
  if (ours?.state === 'here') ours.state = 'away'
  const over = ours !== undefined && made.get(ours.sibling)?.state === 'closed'
  // Not before the end has met the rendezvous: if this context ends in between, that must still know where the end was.
  const wasHeld = held.delete(end)
  const met = () => {
    if (wasHeld) tell(OPENED, end)
  }
  return new SocketWire(end, { over, met, discarded: () => discarded(end) })
}

/** An end that is here closes, unopened. If the other end has not left either, nobody else need know. */
function discarded(end: WireEnd): void {
  const ours = made.get(end)
  if (ours && made.get(ours.sibling)?.state !== 'away') ours.state = 'closed'
  else tellClosed(end)
}

function tellClosed(end: WireEnd): void {
  const { rendezvous } = program()
  if (rendezvous) rendezvous.discard(end)
  else tell(FAILED, end)
}

function arrived(value: unknown): void {
  const end = check(value)
  const { rendezvous } = program()
  if (rendezvous) return rendezvous.arrived(end)
  held.add(end)
  tell(HELD, end)
}

function left(value: unknown, wire: Wire): void {
  const end = check(value)
  const { rendezvous } = program()
  const via = wire instanceof SocketWire ? wire.token : tokenOfInherited(wire)
  end.hops++
  const ours = made.get(end)
  if (ours) ours.state = 'away'
  const siblings = ours && made.get(ours.sibling)?.state
  if (ours && siblings === 'closed') tellClosed(ours.sibling)
  if (rendezvous) return rendezvous.sent(end, via)
  held.delete(end)
  tell(SENT, end, via)
  if (!ours || siblings !== 'here') return
  held.add(ours.sibling)
  tell(HELD, ours.sibling)
}

function check(value: unknown): WireEnd {
  const { token, end, hops } = (value ?? {}) as Partial<WireEnd>
  if (typeof token === 'string' && /^[0-9a-f]{32}$/.test(token) && (end === 0 || end === 1) && typeof hops === 'number')
    return value as WireEnd
  throw new TypeError('a ticket of unix-socket is a token, an end and its hops')
}
