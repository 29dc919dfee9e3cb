import { answered, type Context, type Estate, type Home, type Pack } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { awaitMoved } from '../link/await-moved.js'
import { Link, type Message } from '../link/link.js'
import { type End, LiveObject, NativeEnd, open, type Parcel, pair } from '../link/wire-end.js'
import { appendU32, readText, readU32 } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import type { HolderCalls } from './holder-calls.js'
import * as protocol from './protocol.js'

/** A context, at the other end of a link, that holds an object whose home is here. */
export interface Holder {
  readonly link: Link
  readonly calls: HolderCalls
  /** The id of its context, once it has told. */
  context?: string
}

/** The home of one kind of object. It knows what the messages of its holders mean. */
export interface Broker<H extends Holder> extends Home {
  /** The types of its holders' messages that are always answered. */
  readonly answered: ReadonlySet<number>
  /** Whether most holders never say anything. Then a move does not wait for those that have not. */
  readonly quiet?: boolean
  /** Notes a new holder. */
  meet(link: Link): H
  /** As {@link LinkUser.takesMore}, for a holder in another program. */
  takesMore?(holder: H): boolean
  /** Acts on a message of a holder. */
  hear(holder: H, message: Message): void
  /** As `hear`, while the home moves. Calls can be ignored: the holder makes them again at the new home. */
  keep(holder: H, message: Message): void
  /** The holder closed, ended or died. */
  left(holder: H): void
}

/** All holders of one object, as its home sees them: how they join, leave, and move with it. */
export class Holders<H extends Holder> {
  readonly #context: Context
  readonly #broker: Broker<H>
  readonly #all = new Set<H>()
  /** While the home moves, the ends of holders that have joined meanwhile; otherwise undefined. */
  #joined: End[] | undefined

  constructor(context: Context, broker: Broker<H>) {
    this.#context = context
    this.#broker = broker
  }

  /** Whether nobody holds the object, and no move of the home is under way, or done. */
  get none(): boolean {
    return this.#all.size === 0 && !this.moving
  }

  get moving(): boolean {
    return this.#joined !== undefined
  }

  /** Makes a new wire to this home. The returned end goes to the context that will hold the object. */
  share(): End {
    const { transport } = this.#broker
    const [near, far] = pair(transport)
    this.join(open(near, transport))
    return far
  }

  /** Adds a holder. `transport`: that of the wire, if its other side is another program. */
  join(wire: Wire, transport: Transport = this.#broker.transport): H {
    const broker = this.#broker
    const link = new Link(wire, transport, {
      message: message => {
        this.#hear(holder, message)
        link.credit(message.cost)
      },
      ...(transport !== broker.transport && { takesMore: () => broker.takesMore?.(holder) ?? true }),
      drained: () => holder.calls.unread.drained(),
      closed: () => this.#left(holder),
      lost: () => new MpError('MP_CLOSED', 'the holder of this object is gone'),
    })
    const holder = broker.meet(link)
    this.#all.add(holder)
    this.#context.homes.set(broker.id, broker)
    return holder
  }

  /** Whether the holder is another program. No handle can go there. */
  isForeign({ link }: H): boolean {
    return link.transport !== this.#broker.transport
  }

  flush(): void {
    for (const { link } of this.#all) link.flushAll()
  }

  /**
   * As {@link Home.handOver}. `build` makes the estate. `ends` has the indexes of the ends that lead to `holders`, in the same
   * order, and then those of holders that joined meanwhile.
   */
  async handOver(
    pack: Pack,
    deadline: number | undefined,
    build: (packing: HandlePacking, ends: readonly number[], holders: readonly H[]) => Estate,
  ): Promise<void> {
    this.#joined = []
    // Another program cannot follow the home.
    for (const holder of this.#all) if (this.isForeign(holder)) holder.link.close()
    const holders = [...this.#all].filter(holder => !this.isForeign(holder))
    const ends = holders.map(() => pair(this.#broker.transport))
    const moves = holders.map(({ link }, index) => link.move((ends[index] as [End, End])[0]))
    if (deadline === undefined) await Promise.all(moves.map((move, i) => this.#answered(move, (holders[i] as H).link)))
    else
      awaitMoved(
        holders.map(({ link }) => link),
        this.#context.links,
        deadline,
      )
    const theirEnds = [...ends.map(([, theirs]) => theirs), ...this.#joined]
    pack(packing =>
      build(
        packing,
        theirEnds.map(end => packing.attachEnd(end)),
        holders,
      ),
    )
    for (const { link } of holders) link.close()
    this.#all.clear()
    this.#forget()
  }

  async #answered(move: Promise<void>, link: Link): Promise<void> {
    if (!this.#broker.quiet || link.heard) await answered(move, () => link.heard)
  }

  [Symbol.iterator](): IterableIterator<H> {
    return this.#all.values()
  }

  #hear(holder: H, message: Message): void {
    const { type } = message
    if (type === protocol.SETTLE || this.#broker.answered.has(type)) holder.calls.unread.add(holder.link)
    switch (type) {
      case protocol.HELLO:
        return nameHolder(holder, message)
      case protocol.JOIN: {
        if (this.isForeign(holder)) throw new MpError('MP_DECODE', 'another program cannot let a holder join')
        const end = wireEndOf(message.parcels)
        if (this.#joined) this.#joined.push(end)
        else this.join(open(end, this.#broker.transport))
        return
      }
      case protocol.SETTLE:
        if (this.#joined) return
        return holder.link.control(protocol.SETTLED, out => appendU32(out, readU32(message.bytes, message.start)))
      default:
        if (this.#joined) this.#broker.keep(holder, message)
        else this.#broker.hear(holder, message)
    }
  }

  #left(holder: H): void {
    this.#all.delete(holder)
    this.#broker.left(holder)
    if (this.#all.size === 0) this.#forget()
  }

  #forget(): void {
    const { homes } = this.#context
    if (homes.get(this.#broker.id) === this.#broker) homes.delete(this.#broker.id)
  }
}

/** Notes the name of the holder's context, which the body is. Throws MP_DECODE if it had told another one: that may be somebody else's. */
export function nameHolder(holder: Holder, { bytes, start, end }: Message): void {
  const name = readText(bytes, start, end)
  if (holder.context && holder.context !== name) throw new MpError('MP_DECODE', 'a holder takes another name')
  holder.context = name
}

function wireEndOf(parcels: readonly Parcel[] | undefined): End {
  const end = parcels?.[0]
  if (end && !(end instanceof LiveObject) && !(end instanceof NativeEnd)) return end
  throw new MpError('MP_DECODE', 'a holder is to join without the end of a wire')
}
