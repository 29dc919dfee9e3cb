import { decode } from '../codec/codec.js'
import type { Unpacking } from '../codec/handle.js'
import { MpError } from '../errors.js'
import type { EncodedMessage } from '../link/encoded-message.js'
import { discardParcels, type End, LiveObject, type Parcel } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import type { Context } from './context.js'

/** Makes a working handle of what its `PACK` gave. `endOf` gives the end with this index, once; `objectOf` a live object. */
export type HandleOpener = (
  context: Context,
  transport: Transport,
  state: never,
  endOf: (index: number) => End,
  objectOf: (index: number) => object,
) => OpenHandle

export interface OpenHandle {
  close(): Promise<void>
}

const openers = new Map<string, HandleOpener>()

/** Each class of handles registers its opener, so that the reader of messages depends on none of them. */
export function registerHandle(kind: string, opener: HandleOpener): void {
  openers.set(kind, opener)
}

/** Decodes the value of a message. If that fails, everything that came with the message is closed: nobody else could close it. */
export function readMessage(context: Context, transport: Transport, message: EncodedMessage): unknown {
  return readWith(new ParcelReader(context, transport, message.parcels), message)
}

function readWith(reader: ParcelReader, { bytes, start, end }: EncodedMessage): unknown {
  try {
    return decode(bytes, start, end, reader)
  } catch (error) {
    reader.abandon()
    throw error
  }
}

/** Decodes the values of many messages. Most bring no parcels, and one {@link ParcelReader} serves all of those: garbage costs time. */
export class MessageReader {
  readonly #context: Context
  readonly #transport: Transport
  #spare: ParcelReader

  constructor(context: Context, transport: Transport) {
    this.#context = context
    this.#transport = transport
    this.#spare = new ParcelReader(context, transport, undefined)
  }

  /** As {@link readMessage}. */
  read(message: EncodedMessage): unknown {
    if (message.parcels) return readMessage(this.#context, this.#transport, message)
    const reader = this.#spare
    const value = readWith(reader, message)
    if (reader.used) this.#spare = new ParcelReader(this.#context, this.#transport, undefined)
    return value
  }
}

/** Answers the codec's questions about one message that arrived in `context`. */
export class ParcelReader implements Unpacking {
  readonly #context: Context
  readonly #transport: Transport
  readonly #parcels: readonly Parcel[] | undefined
  #opened: OpenHandle[] | undefined
  #taken: Set<Parcel> | undefined

  constructor(context: Context, transport: Transport, parcels: readonly Parcel[] | undefined) {
    this.#context = context
    this.#transport = transport
    this.#parcels = parcels
  }

  /** Whether it has opened a handle. Then it serves no other message. */
  get used(): boolean {
    return this.#opened !== undefined
  }

  attachment(index: number): object {
    const parcel = this.#parcels?.[index]
    if (parcel instanceof LiveObject) return parcel.object
    throw new MpError('MP_DECODE', `a message refers to a live object, number ${index}, that did not come with it`)
  }

  handle(kind: string, state: unknown): object {
    const opener = openers.get(kind)
    if (!opener) throw new MpError('MP_DECODE', `a message holds a handle of the unknown kind ${kind}`)
    const endOf = (index: number) => this.#end(index)
    const objectOf = (index: number) => this.attachment(index)
    const handle = opener(this.#context, this.#transport, state as never, endOf, objectOf)
    this.#opened ??= []
    this.#opened.push(handle)
    return handle
  }

  /** Closes the handles that were opened, and all ends that no handle took. */
  abandon(): void {
    for (const handle of this.#opened ?? []) void handle.close()
    discardParcels(
      this.#parcels?.filter(parcel => !this.#taken?.has(parcel)),
      this.#transport,
    )
  }

  #end(index: number): End {
    const parcel = this.#parcels?.[index]
    if (parcel && !(parcel instanceof LiveObject)) {
      this.#taken ??= new Set()
      this.#taken.add(parcel)
      return parcel
    }
    throw new MpError('MP_DECODE', `a handle refers to the end of a wire, number ${index}, that did not come with it`)
  }
}
