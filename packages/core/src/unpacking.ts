import type { Context } from './context.js'
import { type End, LiveObject, type Parcel } from './end.js'
import { MpError } from './errors.js'
import type { Unpacking } from './handle.js'
import type { Transport } from './spi.js'

/** Makes a working handle of what its `PACK` gave; `endOf` gives the end with this index, once. */
export type HandleOpener = (
  context: Context,
  transport: Transport,
  state: never,
  endOf: (index: number) => End,
) => object

const openers = new Map<string, HandleOpener>()

/** Each class of handles registers itself, so that the codec's reader depends on none. */
export function registerHandle(kind: string, opener: HandleOpener): void {
  openers.set(kind, opener)
}

/** Answers the codec's questions about one message that arrived in `context`. */
export class ParcelReader implements Unpacking {
  readonly trusted: boolean
  readonly #context: Context
  readonly #transport: Transport
  readonly #parcels: readonly Parcel[] | undefined

  constructor(context: Context, transport: Transport, parcels: readonly Parcel[] | undefined) {
    this.#context = context
    this.#transport = transport
    this.#parcels = parcels
    this.trusted = transport.capabilities.reach === 'thread'
  }

  attachment(index: number): object {
    const parcel = this.#parcels?.[index]
    if (parcel instanceof LiveObject) return parcel.object
    throw new MpError('MP_DECODE', `a message refers to a live object, number ${index}, that did not come with it`)
  }

  handle(kind: string, state: unknown): object {
    const opener = openers.get(kind)
    if (!opener) throw new MpError('MP_DECODE', `a message holds a handle of the unknown kind ${kind}`)
    return opener(this.#context, this.#transport, state as never, index => this.#end(index))
  }

  #end(index: number): End {
    const parcel = this.#parcels?.[index]
    if (parcel && !(parcel instanceof LiveObject)) return parcel
    throw new MpError('MP_DECODE', `a handle refers to the end of a wire, number ${index}, that did not come with it`)
  }
}
