import { answered, type Context, type Estate, type Home, type Pack } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { awaitMoved } from '../link/await-moved.js'
import { Link, type Message } from '../link/link.js'
import { type End, open, pair } from '../link/wire-end.js'
import { appendU32, readText, readU32 } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import * as protocol from './protocol.js'

/** Another context that holds an object whose home is here, at the other end of a link. */
export interface Holder {
  readonly link: Link
  /** The id of its context, once it has said so. */
  context?: string
}

/** What the messages of holders mean. */
export interface Broker<H extends Holder> extends Home {
  /** Most holders never say anything: a move does not wait for those that have not. */
  readonly quiet?: boolean
  meet(link: Link): H
  hear(holder: H, message: Message): void
  /** What a holder sent before it learned that the home moves. Its calls it makes again, where it moves to. */
  keep(holder: H, message: Message): void
  /** It closed, ended or died. */
  left(holder: H): void
}

/** All who hold one object, seen from its home: how they join, leave, and move on with it. */
export class Holders<H extends Holder> {
  readonly #context: Context
  readonly #broker: Broker<H>
  readonly #all = new Set<H>()
  /** While the home moves: ends of holders that joined meanwhile. */
  #joined: End[] | undefined

  constructor(context: Context, broker: Broker<H>) {
    this.#context = context
    this.#broker = broker
  }

  get moving(): boolean {
    return this.#joined !== undefined
  }

  /** A new wire to this home; the returned end goes to whoever shall hold it. */
  share(): End {
    const { transport } = this.#broker
    const [near, far] = pair(transport)
    this.join(open(near, transport))
    return far
  }

  /** `transport`: the wire's, where its other side is another program. */
  join(wire: Wire, transport: Transport = this.#broker.transport): H {
    const broker = this.#broker
    const link = new Link(wire, transport, {
      message: message => {
        this.#hear(holder, message)
        link.credit(message.cost)
      },
      closed: () => this.#left(holder),
      lost: () => new MpError('MP_CLOSED', 'the holder of this object is gone'),
    })
    const holder = broker.meet(link)
    this.#all.add(holder)
    this.#context.homes.set(broker.id, broker)
    return holder
  }

  /** Of another program: no handle can go there. */
  isForeign({ link }: H): boolean {
    return link.transport !== this.#broker.transport
  }

  flush(): void {
    for (const { link } of this.#all) link.flushAll()
  }

  /** As {@link Home.handOver}; `build` gives the estate, with the indexes of the ends that lead to `holders` and to later ones. */
  async handOver(
    pack: Pack,
    deadline: number | undefined,
    build: (packing: HandlePacking, ends: readonly number[], holders: readonly H[]) => Estate,
  ): Promise<void> {
    this.#joined = []
    // Another program cannot follow.
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
    this.#context.homes.delete(this.#broker.id)
  }

  async #answered(move: Promise<void>, link: Link): Promise<void> {
    if (!this.#broker.quiet || link.heard) await answered(move, () => link.heard)
  }

  [Symbol.iterator](): IterableIterator<H> {
    return this.#all.values()
  }

  #hear(holder: H, message: Message): void {
    switch (message.type) {
      case protocol.HELLO:
        holder.context = readText(message.bytes, message.start, message.end)
        return
      case protocol.JOIN: {
        if (this.isForeign(holder)) throw new MpError('MP_DECODE', 'another program cannot let a holder join')
        const end = message.parcels?.[0] as End
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
    if (this.#all.size === 0) this.#context.homes.delete(this.#broker.id)
  }
}
