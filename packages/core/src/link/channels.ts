import { MpError } from '../errors.js'
import { appendU32, readU32 } from '../runtime/byte-buffer.js'
import { deliverNow } from '../runtime/next-turn.js'
import { caughtUp } from '../runtime/turn.js'
import type { Wire } from '../transport/wire.js'
import { ChannelWire } from './channel-wire.js'
import type { Link, Message } from './link.js'
import { LocalWire } from './local-wire.js'
import type { EndCarrier } from './parcel-table.js'
import { CLOSE, FRAME, SPLICE, SPLICED, SPLICING } from './protocol.js'
import { relay } from './relay.js'
import { discardAttachments } from './relayed-end.js'
import { LiveObject } from './wire-end.js'

/**
 * Wires inside the link between a parent and its child, for transports without direct ones. What rides beside an inner
 * frame rides beside the outer one. So each context on the way sees the ends that pass through it, and relays them.
 */
export class Channels implements EndCarrier {
  readonly #link: Link
  readonly #open = new Map<number, ChannelWire>()
  /** What each offered channel is relayed to. */
  readonly #relayed = new Map<ChannelWire, Wire>()
  /** What to do when the parent has answered SPLICE, by its two channels. */
  readonly #splicing = new Map<string, () => void>()
  /** The channels that were asked to wait for the link's wire. */
  readonly #undrained = new Set<ChannelWire>()
  /** The parent's are even, the child's odd: both sides can make one at the same time. */
  #next: number

  constructor(link: Link, side: 'parent' | 'child') {
    this.#link = link
    this.#next = side === 'parent' ? 2 : 1
  }

  offer(wire: Wire): number {
    const id = this.#next
    this.#next += 2
    const channel = this.#channel(id)
    this.#relayed.set(channel, wire)
    relay(channel, wire)
    return id
  }

  accept(id: number): Wire {
    const isTheirs = id >>> 0 === id && id % 2 !== this.#next % 2
    if (!isTheirs) throw new MpError('MP_DECODE', `channel ${id} is not the other side's to offer`)
    if (this.#open.has(id)) throw new MpError('MP_DECODE', `channel ${id} was offered twice`)
    return this.#channel(id)
  }

  /** The link's wire has room again: the channels that wait go on, until it has none. */
  drained(): void {
    for (const channel of this.#undrained) {
      if (this.#link.undrained) return
      // First: it may be asked to wait again, and then comes after all others.
      this.#undrained.delete(channel)
      channel.drained()
    }
  }

  /** Whether the message was the channels'. */
  message(message: Message): boolean {
    const { type, bytes, start, end, parcels } = message
    if (type < SPLICE || type > CLOSE) return false
    const id = readU32(bytes, start)
    // A frame for a channel that this side has just closed is dropped, as a wire drops it.
    const channel = this.#open.get(id)
    const other = readU32(bytes, start + 4)
    switch (type) {
      case FRAME: {
        const attachments = parcels?.map(parcel => (parcel instanceof LiveObject ? parcel.object : parcel))
        if (channel) channel.receive({ bytes: bytes.subarray(start + 4, end) as Uint8Array<ArrayBuffer>, attachments })
        else discardAttachments(attachments)
        break
      }
      case CLOSE:
        channel?.receive('close')
        break
      case SPLICE:
        channel?.pause()
        this.#open.get(other)?.pause()
        this.#tell(SPLICING, id, other)
        break
      case SPLICING:
        this.#splicing.get(`${id} ${other}`)?.()
        break
      case SPLICED:
        join(channel, this.#open.get(other))
    }
    return true
  }

  /**
   * Before this context ends: the other side joins whatever this context relays between two channels of the link, and loses
   * nothing. Resolves when it has, or when the link is gone.
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
   * by then closes with this context.
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
    // What came last is on its way through this context, which takes a turn.
    await caughtUp()
    this.#tell(SPLICED, a, b)
  }

  /** The pairs of channels that are one wire through this context. */
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
    for (const channel of [...this.#open.values()]) channel.receive('close')
    for (const resolve of this.#splicing.values()) resolve()
  }

  #channel(id: number): ChannelWire {
    const channel: ChannelWire = new ChannelWire(this.#link, id, this.#undrained, () => {
      this.#open.delete(id)
      this.#relayed.delete(channel)
      this.#undrained.delete(channel)
    })
    this.#open.set(id, channel)
    return channel
  }
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
