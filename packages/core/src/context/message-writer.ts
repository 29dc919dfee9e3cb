import { encode } from '../codec/codec.js'
import { type Handle, PACK, type PackedHandle, type Packing } from '../codec/handle.js'
import { isDetached } from '../codec/value-kinds.js'
import { MpError } from '../errors.js'
import { attachedBytes, checkLength } from '../link/frame.js'
import type { Link } from '../link/link.js'
import { discardParcels, type End, LiveObject, type Parcel } from '../link/wire-end.js'
import { copyToSendOnce } from '../runtime/buffer-pool.js'
import { type ByteBuffer, copyBuffer } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'

/** What a handle may ask of the message in which it travels, besides what the codec asks. */
export interface HandlePacking extends Packing {
  readonly transport: Transport
  /** Lets the end of a wire ride beside the bytes, and returns its index. The end is discarded if the message is not sent. */
  attachEnd(end: End): number
  /** As `attachEnd`, but the owner keeps the end if the message is not sent. */
  attachMoved(end: End): number
  /** Runs if the message is not sent after all. */
  onRollback(action: () => void): void
  /** Runs when the message is certain to be sent. At this moment a moved end leaves its owner. */
  onCommit(action: () => void): void
}

/** Bytes that may ride beside one message of a transport with `buffers`. Further bytes go within the message, and so in fragments. */
const ROOM = 1024 * 1024

/**
 * What rides beside one encoded value. First {@link encodeMessage}; then the message is sent; then `commit`. If it is not sent
 * after all, `rollback` gives everything back instead.
 */
export class Envelope implements HandlePacking {
  readonly transport: Transport
  readonly attachments: boolean
  readonly sharedMemory: boolean
  readonly attachFrom: number | undefined
  #room: number
  /** The message goes over at most one wire, and never again. Copies for it may come from the pool. */
  readonly #once: boolean
  #parcels: Parcel[] | undefined
  #holdsHandles = false
  /** Ends that go back to their owner. */
  #kept: Set<End> | undefined
  #commits: (() => void)[] | undefined
  #rollbacks: (() => void)[] | undefined
  readonly #transfer: readonly object[] | undefined

  /**
   * `attachFrom`: see {@link Packing}. An engine gives Infinity: it takes bytes of any length, and beside them only what cannot be
   * bytes. `once`: the message goes over at most one wire, and never again.
   */
  constructor(transport: Transport, transfer?: readonly object[], attachFrom?: number, once = false) {
    this.attachFrom = attachFrom
    this.#once = once && transport.buffers === true
    this.transport = transport
    this.attachments = transport.capabilities.attachments
    this.sharedMemory = transport.capabilities.sharedMemory
    this.#room = transport.buffers ? ROOM : 0
    this.#transfer = transfer
  }

  get room(): number {
    return this.#room
  }

  get parcels(): readonly Parcel[] | undefined {
    return this.#parcels
  }

  get holdsHandles(): boolean {
    return this.#holdsHandles
  }

  /** Nothing rides beside the message and nothing is moved, so this envelope serves another message. */
  get unused(): boolean {
    return !this.#parcels && !this.#commits && !this.#rollbacks && !this.#transfer
  }

  transfers(object: object): boolean {
    return this.#transfer?.includes(object) ?? false
  }

  attach(object: object): number {
    if (this.#room > 0 && object instanceof ArrayBuffer) this.#room = Math.max(0, this.#room - object.byteLength)
    return this.#add(new LiveObject(object))
  }

  copy(buffer: ArrayBufferLike, start: number, size: number): ArrayBuffer {
    return this.#once ? copyToSendOnce(buffer, start, size) : copyBuffer(buffer, start, size)
  }

  attachEnd(end: End): number {
    return this.#add(end)
  }

  attachMoved(end: End): number {
    this.#kept ??= new Set()
    this.#kept.add(end)
    return this.#add(end)
  }

  onCommit(action: () => void): void {
    this.#commits ??= []
    this.#commits.push(action)
  }

  onRollback(action: () => void): void {
    this.#rollbacks ??= []
    this.#rollbacks.push(action)
  }

  handle(handle: Handle): PackedHandle {
    this.#holdsHandles = true
    return handle[PACK](this)
  }

  /** Detaches all that the user transfers, also what the value does not refer to, as structuredClone does. */
  seal(): void {
    if (!this.#transfer || this.#transfer.length === 0) return
    const moved = detach(this.#transfer)
    for (const [index, original] of this.#transfer.entries()) {
      const at = this.#parcels?.findIndex(parcel => parcel instanceof LiveObject && parcel.object === original) ?? -1
      if (at >= 0) (this.#parcels as Parcel[])[at] = new LiveObject(moved[index] as object)
    }
  }

  commit(): void {
    if (!this.#commits) return
    for (const action of this.#commits) action()
  }

  rollback(): void {
    for (const action of this.#rollbacks ?? []) action()
    discardParcels(
      this.#parcels?.filter(parcel => !this.#kept?.has(parcel as End)),
      this.transport,
    )
  }

  #add(parcel: Parcel): number {
    this.#parcels ??= []
    return this.#parcels.push(parcel) - 1
  }
}

/**
 * Appends the encoded `value` to `out`; what rides beside it is then in `envelope`, and the objects that the user transfers
 * have left their owner. On a throw everything is as it was before: `out`, and what `envelope` has collected. `link`: `out` is
 * a message that its `begin` has opened; on a throw the link forgets the message. `encoded` runs before anything leaves its owner, and
 * may throw: the encode may have run user code.
 *
 * @throws {MpError} what `encode` throws; MP_FRAME_TOO_LARGE; MP_ENCODE for what the user cannot transfer.
 */
export function encodeMessage(
  value: unknown,
  out: ByteBuffer,
  envelope: Envelope,
  name = 'value',
  link?: Link,
  encoded?: () => void,
): void {
  const start = out.length
  try {
    encode(value, out, envelope, name)
    encoded?.()
    checkLength(out.length - start + besides(envelope) + HEAD, envelope.transport)
    envelope.seal()
  } catch (error) {
    out.length = start
    link?.abandon(out)
    envelope.rollback()
    throw error
  }
}

/** Bytes that whoever passes the value on may put before it. */
const HEAD = 64

/** Bytes of buffers that go with the message as bytes. */
function besides({ parcels, transport }: Envelope): number {
  return parcels && transport.buffers ? attachedBytes(parcels) : 0
}

/** The envelopes of one sender, which sends each message once. Most stay empty, and one serves for all of those: garbage is most of a round trip's cost. */
export class Envelopes {
  readonly #transport: Transport
  #spare: Envelope | undefined

  constructor(transport: Transport) {
    this.#transport = transport
  }

  take(transfer?: readonly object[]): Envelope {
    const spare = this.#spare
    if (transfer || !spare) return new Envelope(this.#transport, transfer, undefined, true)
    this.#spare = undefined
    return spare
  }

  /** The message is certain to be sent. */
  commit(envelope: Envelope): void {
    if (envelope.unused) this.#spare = envelope
    else envelope.commit()
  }
}

/** Detaches all of them, or none. Node itself would refuse a buffer that is already detached only when the frame is flushed. */
function detach(transfer: readonly object[]): readonly object[] {
  try {
    // structuredClone takes a detached buffer for an empty one.
    for (const each of transfer)
      if (each instanceof ArrayBuffer && isDetached(each)) throw new TypeError('it is detached')
    const owned = transfer.map(each => (isOfPoolSize(each) ? moveUnlessPooled(each) : each))
    return structuredClone(owned, { transfer: owned as never })
  } catch (error) {
    throw new MpError('MP_ENCODE', `a value in transfer cannot be transferred: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function isOfPoolSize(object: object): object is ArrayBuffer {
  return object instanceof ArrayBuffer && object.byteLength === Buffer.poolSize
}

/**
 * Small Buffers share the memory of Node's pool. To move that would move the bytes of others. Node 20 has no question for it:
 * it does not move such memory, and copies all of it.
 */
function moveUnlessPooled(buffer: ArrayBuffer): ArrayBuffer {
  if (Buffer.allocUnsafe(1).buffer !== buffer) {
    const moved = structuredClone(buffer, { transfer: [buffer] })
    if (isDetached(buffer)) return moved
  }
  throw new TypeError('small Buffers share its memory: send it without transfer, which copies its own bytes alone')
}

/** Lets what came with one message ride beside another. Returns the indexes there. */
export function attachParcels(parcels: readonly Parcel[] | undefined, packing: HandlePacking): readonly number[] {
  return (parcels ?? []).map(parcel => {
    return parcel instanceof LiveObject ? packing.attach(parcel.object) : packing.attachEnd(parcel)
  })
}
