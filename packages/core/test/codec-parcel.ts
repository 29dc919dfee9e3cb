import { decode, encode, encodeError } from '../src/codec/codec.js'
import { type Handle, PACK, type PackedHandle, type Packing, type Unpacking } from '../src/codec/handle.js'
import { MpError } from '../src/errors.js'
import { ByteBuffer } from '../src/runtime/byte-buffer.js'

export interface ParcelOptions {
  readonly attachments?: boolean
  readonly transfer?: readonly object[]
  /** Of a medium of bytes: how many may ride beside the message. */
  readonly room?: number
}

/** One message as a link sees it: bytes, and the objects beside them. Stands for both ends. */
export class Parcel {
  readonly out: ByteBuffer = new ByteBuffer(16)
  readonly objects: object[] = []
  readonly packing: Packing
  readonly unpacking: Unpacking

  constructor({ attachments = false, transfer = [], room = 0 }: ParcelOptions = {}) {
    this.packing = {
      attachments,
      room,
      sharedMemory: attachments,
      transfers: object => transfer.includes(object),
      attach: object => this.objects.push(object) - 1,
      handle: handle => handle[PACK](this.packing),
    }
    this.unpacking = {
      attachment: index => {
        const object = this.objects[index]
        if (object === undefined) throw new MpError('MP_DECODE', 'there is no such attachment')
        return object
      },
      handle: (kind, state) => {
        if (kind === 'broken') throw new RangeError('a broken handle')
        if (kind !== 'note') throw new MpError('MP_DECODE', 'unknown kind')
        return new Note(state)
      },
    }
  }

  get bytes(): Uint8Array {
    return this.out.bytes.subarray(0, this.out.length)
  }

  encode(value: unknown): this {
    encode(value, this.out, this.packing)
    return this
  }

  encodeError(value: unknown): this {
    encodeError(value, this.out, this.packing)
    return this
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into what arrives
  decode(): any {
    return decode(this.out.bytes, 0, this.out.length, this.unpacking)
  }
}

/** A handle that carries its state. */
export class Note implements Handle {
  readonly state: unknown
  readonly kind: string

  constructor(state: unknown, kind = 'note') {
    this.state = state
    this.kind = kind
  }

  [PACK](): PackedHandle {
    if (this.kind === 'closed') throw new MpError('MP_CLOSED', 'the note is closed')
    return { kind: this.kind, state: this.state }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into what arrives
export function trip(value: unknown, options?: ParcelOptions): any {
  return new Parcel(options).encode(value).decode()
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into what arrives
export function tripError(value: unknown, options?: ParcelOptions): any {
  return new Parcel(options).encodeError(value).decode()
}

/** What a call throws; fails the test where it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}
