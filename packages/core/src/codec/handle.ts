import { MpError } from '../errors.js'

/** The method by which the codec recognises a handle (Queue, Connection, ...). Handles refuse every other serialisation. */
export const PACK: unique symbol = Symbol.for('@mp/core.pack') as never

/** Something live that arrives, in another context, as a working object of the same kind. */
export interface Handle {
  [PACK](packing: Packing): PackedHandle
}

export interface PackedHandle {
  /** Which class opens it: 'queue', 'connection', ... */
  readonly kind: string
  /** Anything the codec can encode. */
  readonly state: unknown
}

/** What the codec asks of its caller while it encodes one value. Nothing is final before the caller commits. */
export interface Packing {
  /** Live objects can ride beside the bytes. */
  readonly attachments: boolean
  /** Byte arrays of at least so many bytes ride beside the message. Absent: the codec's own limit. */
  readonly attachFrom?: number | undefined
  /** Where live objects cannot ride: how many bytes, in ArrayBuffers, still may, beside this message. Absent: none. */
  readonly room?: number
  /** Makes the copy of bytes that is then attached. Absent: any copy will do. */
  copy?(buffer: ArrayBufferLike, start: number, size: number): ArrayBuffer
  /** A SharedArrayBuffer stays shared. */
  readonly sharedMemory: boolean
  /** Whether the user asked for this object to be transferred. */
  transfers(object: object): boolean
  /** Lets `object` ride beside the bytes, and returns its index in the message. An object that `transfers` is detached at the commit. */
  attach(object: object): number
  /** Calls the handle's PACK, so that what it moves can be given back if the encode fails. */
  handle(handle: Handle): PackedHandle
}

/** What the codec asks of its caller while it decodes one value. */
export interface Unpacking {
  /** The live object with this index; throws MP_DECODE where there is none. */
  attachment(index: number): object
  /** Opens a handle; throws MP_DECODE for an unknown kind. */
  handle(kind: string, state: unknown): object
}

/**
 * Makes an object refuse every serialisation but the codec's: JSON, structuredClone, v8.serialize and postMessage all read
 * enumerable properties, and would make a dead copy.
 */
export function refuseSerialisation(handle: object, what: string): void {
  let refusal = refusals.get(what)
  if (!refusal) {
    refusal = { enumerable: true, get: refuse(what) }
    refusals.set(what, refusal)
  }
  Object.defineProperty(handle, 'handle', refusal)
}

/** By what is refused. All handles of a class share a getter. With getters of their own V8 would keep them as dictionaries, which are slow. */
const refusals = new Map<string, PropertyDescriptor>()

function refuse(what: string): () => never {
  return () => {
    throw new MpError(
      'MP_NOT_SHAREABLE',
      what === 'Process' || what === 'Pool'
        ? `a ${what} stays in the context that made it`
        : `a ${what} travels only in the args of a Process, in an item of a Queue or in a message of a Pipe`,
    )
  }
}
