import { allocate } from './byte-buffer.js'

/**
 * Memory for copies of large arrays. Such a copy goes over a wire of bytes, once, and nobody needs it afterwards. So its
 * memory is used for the next copy. Fresh memory would cost five times the copy itself: the kernel zeroes each page, and V8
 * collects all garbage whenever a few MB of buffers have come together.
 */

/** The most bytes that are kept. */
const MOST = 2 * 1024 * 1024

const sentOnce = new WeakSet<ArrayBuffer>()
const spare: ArrayBuffer[] = []
let spareBytes = 0

/** The copy must be given to one wire, and to nobody else: after {@link recycle} it is overwritten, sooner or later. */
export function copyToSendOnce(buffer: ArrayBufferLike, start: number, size: number): ArrayBuffer {
  const copy = take(size) ?? allocate(size).buffer
  new Uint8Array(copy).set(new Uint8Array(buffer, start, size))
  sentOnce.add(copy)
  return copy
}

function take(size: number): ArrayBuffer | undefined {
  // From the end: the one that was written last may still be in the processor's cache.
  const index = spare.findLastIndex(each => each.byteLength === size)
  if (index < 0) return undefined
  spareBytes -= size
  return spare.splice(index, 1)[0]
}

/**
 * For a wire of a transport with `buffers`: tells core that the wire has written all of an attachment, and will not look at
 * it again. Core may then use the memory for another one. A wire need not tell. No-op for memory that core did not allocate
 * for this.
 */
export function recycle(buffer: ArrayBuffer): void {
  if (!sentOnce.delete(buffer)) return
  spare.push(buffer)
  spareBytes += buffer.byteLength
  while (spareBytes > MOST) spareBytes -= (spare.shift() as ArrayBuffer).byteLength
}
