import { MpError } from '../errors.js'
import { appendU32, readU32, writeU32 } from '../runtime/byte-buffer.js'
import { deliverLater, deliverNow } from '../runtime/next-turn.js'
import { caughtUp } from '../runtime/turn.js'
import type { Wire, WireSink } from '../transport/wire.js'
import type { Link, Message } from './link.js'
import { LocalWire } from './local-wire.js'
import type { EndCarrier } from './parcel-table.js'
import { relay } from './relay.js'
import { discardAttachments, RelayedEnd } from './relayed-end.js'
import { LiveObject, type Parcel } from './wire-end.js'

/** The channels' messages on the link between parent and child. Body: u32 channel, then the inner frame. */
const FRAME = 14
const CLOSE = 15
/** Child to parent: two channels between us are one wire through me; take me out of it. Body: u32 channel, u32 channel. */
const SPLICE = 11
/** Parent to child: nothing more will come over these. Body as above. */
const SPLICING = 12
/** Child to parent: what came over these has gone back over the other. Body as above. */
const SPLICED = 13

/**
 * Bytes. Larger frames of a channel go in pieces, so that none holds up its neighbours on the link for long (a megabyte: half a
 * millisecond). Messages of 1 MiB and a little go whole: pieces are put together again by copying.
 */
const MAX_FRAME = 1024 * 1024 + 64 * 1024

/**
 * Wires inside the link between a parent and its child, for transports without direct ones. What rides beside an inner
 * frame rides beside the outer one, so that each context on the way sees the ends that pass through it, and relays them.
 */
export class Channels implements EndCarrier {
  readonly #link: Link
  readonly #open = new Map<number, ChannelWire>()
  /** What each offered channel is relayed to. */
  readonly #relayed = new Map<ChannelWire, Wire>()
  readonly #splicing = new Map<string, () => void>()
  /** Those that were asked to wait for the link's wire. */
  #waiting = new Set<ChannelWire>()
  /** The parent's are even, the child's odd: both sides can make one at the same time. */
  #next: number

  constructor(link: Link, side: 'parent' | 'child') {
    this.#link = link
    this.#next = side === 'parent' ? 2 : 1
  }

  offer(wire: Wire): number {
    const id = this.#next
    this.#next += 2
    const channel = this.#wire(id)
    this.#relayed.set(channel, wire)
    relay(channel, wire)
    return id
  }

  accept(id: number): Wire {
    if (this.#open.has(id)) throw new MpError('MP_DECODE', `channel ${id} was offered twice`)
    return this.#wire(id)
  }

  /** The link's wire has room again: those that wait go on, until it has none. */
  drained(): void {
    for (const wire of this.#waiting) {
      if (this.#link.undrained) return
      // First: it may be asked to wait again, and then comes after all others.
      this.#waiting.delete(wire)
      wire.drained()
    }
  }

  /** Whether the message was the channels'. */
  message(message: Message): boolean {
    const { type, bytes, start, end, parcels } = message
    if (type < SPLICE || type > CLOSE) return false
    const id = readU32(bytes, start)
    // A frame for a channel that this side has just closed is dropped, as a wire drops it.
    const wire = this.#open.get(id)
    const other = readU32(bytes, start + 4)
    switch (type) {
      case FRAME: {
        const attachments = parcels?.map(parcel => (parcel instanceof LiveObject ? parcel.object : parcel))
        if (wire) wire.receive({ bytes: bytes.subarray(start + 4, end) as Uint8Array<ArrayBuffer>, attachments })
        else discardAttachments(attachments)
        break
      }
      case CLOSE:
        wire?.receive('close')
        break
      case SPLICE:
        wire?.hold()
        this.#open.get(other)?.hold()
        this.#tell(SPLICING, id, other)
        break
      case SPLICING:
        this.#splicing.get(`${id} ${other}`)?.()
        break
      case SPLICED:
        join(wire, this.#open.get(other))
    }
    return true
  }

  /**
   * Before this context ends: whatever it relays between two channels of this link, the other side joins, losing nothing.
   * Resolves when it has, or when the link is gone.
   */
  async detach(): Promise<void> {
    // What came last through one of them may have brought another along.
    for (let pairs = this.#throughMe(); pairs.length > 0; pairs = this.#throughMe()) {
      await Promise.all(pairs.map(([a, b]) => this.#splice(a.id, b.id)))
      for (const channel of pairs.flat()) this.#relayed.delete(channel)
    }
  }

  /**
   * As `detach`, within the call, for a context that exits: until `deadline` (as performance.now() counts). What is not done
   * then closes with this context.
   */
  detachNow(deadline: number): void {
    deliverNow()
    for (let pairs = this.#throughMe(); pairs.length > 0; pairs = this.#throughMe()) {
      let unanswered = pairs.length
      for (const [a, b] of pairs) {
        this.#splicing.set(`${a.id} ${b.id}`, () => unanswered--)
        this.#tell(SPLICE, a.id, b.id)
      }
      while (unanswered > 0) {
        if (!this.#link.receiveSync(Math.max(0, deadline - performance.now()))) return
      }
      deliverNow()
      for (const [a, b] of pairs) {
        this.#tell(SPLICED, a.id, b.id)
        this.#relayed.delete(a)
        this.#relayed.delete(b)
      }
    }
  }

  async #splice(a: number, b: number): Promise<void> {
    await new Promise<void>(resolve => {
      this.#splicing.set(`${a} ${b}`, resolve)
      this.#tell(SPLICE, a, b)
    })
    // What came last is on its way through this context: it takes a turn.
    await caughtUp()
    this.#tell(SPLICED, a, b)
  }

  #throughMe(): [ChannelWire, ChannelWire][] {
    const found: [ChannelWire, ChannelWire][] = []
    const offered = [...this.#relayed].filter(([channel]) => this.#open.has(channel.id))
    for (const [channel, wire] of offered) {
      if (wire instanceof ChannelWire) {
        if (this.#open.get(wire.id) === wire) found.push([channel, wire])
        continue
      }
      const across = offered.find(([, each]) => wire instanceof LocalWire && each === wire.other)
      if (across && across[0].id > channel.id) found.push([channel, across[0]])
    }
    return found
  }

  #tell(type: number, a: number, b: number): void {
    this.#link.control(type, out => {
      appendU32(out, a)
      appendU32(out, b)
    })
  }

  /** The link is gone, and every channel with it. */
  closed(): void {
    for (const wire of [...this.#open.values()]) wire.receive('close')
    for (const resolve of this.#splicing.values()) resolve()
  }

  #wire(id: number): ChannelWire {
    const wire: ChannelWire = new ChannelWire(this.#link, id, this.#waiting, () => {
      this.#open.delete(id)
      this.#relayed.delete(wire)
      this.#waiting.delete(wire)
    })
    this.#open.set(id, wire)
    return wire
  }
}

interface Frame {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly attachments: readonly object[] | undefined
}

type Arrival = Frame | 'close'

class ChannelWire implements Wire {
  readonly maxFrame = MAX_FRAME
  readonly id: number
  readonly #link: Link
  readonly #waiting: Set<ChannelWire>
  readonly #onClosed: () => void
  #starting: WireSink | undefined
  #sink: WireSink | undefined
  #early: Arrival[] = []
  #closed = false
  /** What is sent while the other side takes itself out of the way. */
  #held: Arrival[] | undefined
  /** The channel that this one has been joined to: the link is no longer between them. */
  #joined: ChannelWire | undefined

  constructor(link: Link, id: number, waiting: Set<ChannelWire>, onClosed: () => void) {
    this.#link = link
    this.id = id
    this.#waiting = waiting
    this.#onClosed = onClosed
  }

  start(sink: WireSink): void {
    this.#starting = sink
    deliverLater(this)
  }

  deliver(): void {
    this.#sink = this.#starting
    for (const each of this.#early.splice(0)) this.receive(each)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (this.#closed) {
      discardAttachments(attachments)
      return true
    }
    this.#send({ bytes, attachments })
    if (!this.#link.undrained || this.#held || this.#joined) return true
    this.#waiting.add(this)
    return false
  }

  /** After `send` has asked to wait; perhaps before anything is delivered, so not `#sink`. */
  drained(): void {
    this.#starting?.drain()
  }

  close(): void {
    if (this.#closed) return
    this.#end()
    this.#send('close')
  }

  unref(): void {}

  /** Of the link that carries this channel. */
  receiveSync(timeoutMs: number): boolean {
    const delivered = deliverNow()
    const received = !this.#joined && this.#link.receiveSync(delivered ? 0 : timeoutMs)
    deliverNow()
    return received || delivered
  }

  receive(arrival: Arrival): void {
    if (this.#closed) return drop(arrival)
    if (!this.#sink) {
      this.#early.push(arrival)
    } else if (arrival === 'close') {
      this.#end()
      this.#sink.close()
    } else {
      this.#sink.frame(arrival.bytes, arrival.attachments)
    }
  }

  hold(): void {
    this.#held ??= []
  }

  join(other: ChannelWire): void {
    const waited = this.#waiting.has(this)
    this.#joined = other
    this.#onClosed()
    const held = this.#held ?? []
    this.#held = undefined
    for (const each of held) this.#send(each)
    if (waited) setImmediate(() => this.drained())
  }

  #send(arrival: Arrival): void {
    const joined = this.#joined
    if (this.#held) this.#held.push(arrival)
    // Another turn, as over any wire: the sender is not called back from within its own call.
    else if (joined) setImmediate(() => joined.receive(arrival))
    else if (arrival === 'close') this.#link.control(CLOSE, out => appendU32(out, this.id))
    else {
      const parcels = arrival.attachments?.map(
        (each): Parcel => (each instanceof RelayedEnd ? each : new LiveObject(each)),
      )
      const head = new Uint8Array(4)
      writeU32(head, 0, this.id)
      this.#link.controlOf(FRAME, head, arrival.bytes, parcels)
    }
  }

  #end(): void {
    this.#closed = true
    for (const each of this.#early.splice(0)) drop(each)
    // While it is held it must still be found, to pass on what it holds.
    if (!this.#held) this.#onClosed()
  }
}

function drop(arrival: Arrival): void {
  if (arrival !== 'close') discardAttachments(arrival.attachments)
}

/** Two channels that met in a context that has taken itself out become one wire here. */
function join(a: ChannelWire | undefined, b: ChannelWire | undefined): void {
  if (a && b) {
    a.join(b)
    b.join(a)
  } else {
    ;(a ?? b)?.receive('close')
  }
}
