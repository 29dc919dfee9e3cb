import { HolderCalls } from '../broker/holder-calls.js'
import { type Broker, type Holder, Holders, nameHolder } from '../broker/holders.js'
import { CANCEL } from '../broker/protocol.js'
import type { Context, Pack } from '../context/context.js'
import { attachParcels } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Link, Message } from '../link/link.js'
import { discardParcels, type End, open, type Parcel } from '../link/wire-end.js'
import { appendU32, readText, readU32 } from '../runtime/byte-buffer.js'
import type { NativeQueue } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import { Attachments, type Collect, contextOf } from './attachments.js'
import * as protocol from './attachments-protocol.js'

/** ms that a collecting call waits for a depositor of which home has heard nothing. Then its deposit counts as gone. */
const LONGEST_DEPOSIT = 1000

/** What the home of a native queue leaves to the next one: only the attachments. The items are in shared memory. */
export interface AttachmentsEstate {
  readonly kind: 'deposits'
  readonly id: string
  /** The memory of the native queue. */
  readonly memory: unknown
  readonly deposits: readonly PackedDeposit[]
  readonly holders: readonly number[]
}

interface PackedDeposit {
  readonly key: string
  /** Indexes of the parcels. */
  readonly parcels: readonly number[]
}

const ANSWERED: ReadonlySet<number> = new Set([protocol.COLLECT])

interface Depositor extends Holder {
  /** The id of its context; '' until it has told. */
  context: string
}

/** The home of the attachments of a native queue. It starts in the context that made the queue. */
export class AttachmentsHome implements Broker<Depositor> {
  readonly id: string
  readonly transport: Transport
  readonly engine: NativeQueue
  readonly quiet = true
  readonly answered = ANSWERED
  readonly deposits = new Attachments()
  readonly #holders: Holders<Depositor>
  #usedHere = false

  constructor(context: Context, transport: Transport, id: string, engine: NativeQueue) {
    this.id = id
    this.transport = transport
    this.engine = engine
    this.#holders = new Holders(context, this)
  }

  /** This context uses the queue. */
  use(): void {
    this.#usedHere = true
  }

  /** This context does not use it any more. */
  unuse(): void {
    this.#usedHere = false
    this.#dropIfUnused()
  }

  /** Nobody can get the items any more. The ends of pipes in them close, so that their other ends hear of it. */
  #dropIfUnused(): void {
    if (this.#usedHere || !this.#holders.none) return
    for (const parcels of this.deposits.drain()) discardParcels(parcels, this.transport)
  }

  share(): End {
    return this.#holders.share()
  }

  flush(): void {
    this.#holders.flush()
  }

  /** Reads what has arrived. For a thread that blocks, and so does not return to its event loop. */
  receiveSync(): void {
    for (const { link } of this.#holders) while (link.receiveSync(0));
  }

  /** Calls `collect` with what was deposited once it is here, or with undefined once home knows that it will never come. */
  collect(key: string, collect: Collect): void {
    if (this.deposits.collect(key, collect)) return
    const late = setTimeout(() => {
      const depositor = contextOf(key)
      if (![...this.#holders].some(({ context }) => context === depositor)) this.deposits.giveUp(key)
    }, LONGEST_DEPOSIT)
    late.unref()
  }

  handOver(pack: Pack, deadline?: number): Promise<void> {
    return this.#holders.handOver(pack, deadline, (packing, ends) => ({
      kind: 'deposits',
      id: this.id,
      memory: this.engine.memory,
      deposits: [...this.deposits].map(([key, parcels]) => ({ key, parcels: attachParcels(parcels, packing) })),
      holders: ends,
    }))
  }

  /** Takes over from a home whose context has ended. `known`: the queue's engine, if this context already holds the queue. */
  static adopt(
    context: Context,
    transport: Transport,
    { id, memory, deposits, holders }: AttachmentsEstate,
    parcelAt: (index: number) => Parcel,
    known: NativeQueue | undefined,
  ): void {
    const engine = known ?? transport.engines?.queue?.open(memory)
    if (!engine) return
    const home = new AttachmentsHome(context, transport, id, engine)
    for (const { key, parcels } of deposits) home.deposits.add(key, parcels.map(parcelAt))
    for (const end of holders) home.#holders.join(open(parcelAt(end) as End, transport))
  }

  meet(link: Link): Depositor {
    return { link, calls: new HolderCalls(link), context: '' }
  }

  hear(holder: Depositor, message: Message): void {
    const { type, bytes, start, end } = message
    if (type !== protocol.COLLECT) return this.keep(holder, message)
    const call = readU32(bytes, start)
    holder.calls.wait(call)
    this.collect(readText(bytes, start + 4, end), parcels => {
      holder.calls.end(call)
      holder.link.control(parcels ? protocol.COLLECTED : protocol.GONE, out => appendU32(out, call), parcels)
      holder.link.flush()
    })
  }

  keep(holder: Depositor, message: Message): void {
    const { type, bytes, start, end, parcels } = message
    switch (type) {
      case protocol.NAME:
        return nameHolder(holder, message)
      case protocol.DEPOSIT: {
        const key = readText(bytes, start, end)
        if (this.deposits.add(key, parcels ?? [])) return
        discardParcels(parcels, this.transport)
        throw new MpError('MP_DECODE', 'a holder deposits under a key that is in use')
      }
      case protocol.COLLECT:
      case CANCEL:
        return
      default:
        throw new MpError('MP_DECODE', `the home of attachments knows no message of type ${type}`)
    }
  }

  left({ context }: Depositor): void {
    // Everything that it had deposited came before its end.
    this.deposits.giveUpAll(context)
    this.#dropIfUnused()
  }
}
