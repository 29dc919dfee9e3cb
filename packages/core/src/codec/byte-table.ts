import { types } from 'node:util'
import type { ByteBuffer } from '../runtime/byte-buffer.js'
import { Tag } from './graph-format.js'
import type { Packing } from './handle.js'
import { copyToAttach, ridesBeside } from './out-of-band.js'

/** A node of the tree that shows bytes: its elements 3 and 4 are a byte offset and a byte length. */
type Node = unknown[]

/** The bytes of one ArrayBuffer, for all its views. */
interface Entry {
  readonly buffer: ArrayBufferLike
  /** The index of the attachment where the buffer itself is attached: transferred or shared. Otherwise what is shown is copied. */
  readonly attachment: number | undefined
  readonly shown: Node[]
  /** The ArrayBuffer itself is part of the value. */
  whole: boolean
  /** The offset in `buffer` of the first byte that is copied. */
  low: number
}

/** The bytes that travel beside the tree of one value. */
export class ByteTable {
  private readonly packing: Packing
  private readonly entries: Entry[] = []
  private readonly indexes = new Map<ArrayBufferLike, number>()
  /** What the table says of each entry. */
  private sizes: number[] = []

  constructor(packing: Packing) {
    this.packing = packing
  }

  get empty(): boolean {
    return this.entries.length === 0
  }

  /** The index of this memory, which has one entry, however often it comes. */
  add(buffer: ArrayBufferLike): number {
    const known = this.indexes.get(buffer)
    if (known !== undefined) return known
    const { packing } = this
    const attached =
      types.isSharedArrayBuffer(buffer) || (packing.transfers(buffer) && ridesBeside(packing, buffer.byteLength, true))
    const attachment = attached ? packing.attach(buffer) : undefined
    const index = this.entries.push({ buffer, attachment, shown: [], whole: false, low: 0 }) - 1
    this.indexes.set(buffer, index)
    return index
  }

  /** A node of the string, for which UTF-8 will not do. */
  addText(text: string): Node {
    const bytes = Buffer.from(text, 'utf16le')
    const node: Node = [Tag.Text, 0, this.entries.length, bytes.byteOffset, bytes.length]
    this.entries.push({ buffer: bytes.buffer, attachment: undefined, shown: [node], whole: false, low: 0 })
    return node
  }

  /** The node shows bytes of this entry. */
  show(index: number, node: Node): void {
    ;(this.entries[index] as Entry).shown.push(node)
  }

  /** All bytes of this entry are part of the value. */
  showAll(index: number): void {
    ;(this.entries[index] as Entry).whole = true
  }

  /** Once all is shown. Decides how the bytes go, tells the nodes where they find them, and returns the table. */
  place(): readonly number[] {
    this.sizes = this.entries.map(entry => this.placeOne(entry))
    return this.sizes
  }

  /** Appends the runs of bytes that the table counts. */
  append(out: ByteBuffer): void {
    for (const [index, entry] of this.entries.entries()) {
      const size = this.sizes[index] as number
      if (size <= 0) continue
      out.reserve(size)
      const room = out.bytes.subarray(out.length, out.length + size)
      if (!entry.whole && entry.shown.length > 1) room.fill(0)
      copyShown(entry, room)
      out.length += size
    }
  }

  private placeOne(entry: Entry): number {
    if (entry.attachment !== undefined) return -1 - entry.attachment
    let low = entry.whole ? 0 : Number.POSITIVE_INFINITY
    let high = entry.whole ? entry.buffer.byteLength : 0
    for (const node of entry.shown) {
      low = Math.min(low, node[3] as number)
      high = Math.max(high, (node[3] as number) + (node[4] as number))
    }
    // Several views keep the alignment that they had.
    if (entry.shown.length > 1) low -= low % 8
    entry.low = low
    for (const node of entry.shown) node[3] = (node[3] as number) - low
    const size = high - low
    return ridesBeside(this.packing, size, false) ? -1 - this.packing.attach(this.cut(entry, size)) : size
  }

  /** A buffer of its own. It is zeroed first only where zeros would show between two views. */
  private cut(entry: Entry, size: number): ArrayBufferLike {
    if (entry.whole || entry.shown.length === 1) return copyToAttach(this.packing, entry.buffer, entry.low, size)
    const copy = new Uint8Array(size)
    copyShown(entry, copy)
    return copy.buffer
  }
}

/** Copies what the nodes show and nothing between: other data may live there, as in Node's pool for small Buffers. */
function copyShown(entry: Entry, zeros: Uint8Array): void {
  if (entry.whole) {
    zeros.set(new Uint8Array(entry.buffer))
    return
  }
  for (const node of entry.shown) {
    const offset = node[3] as number
    zeros.set(new Uint8Array(entry.buffer, entry.low + offset, node[4] as number), offset)
  }
}
