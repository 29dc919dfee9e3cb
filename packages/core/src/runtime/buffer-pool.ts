import { allocate } from './byte-buffer.js'

/**
 * Memory for copies of large arrays that go over a wire of bytes, once, and then nobody has. What such a wire has written is
 * filled again: fresh memory costs five times the copy itself, for the kernel zeroes each page, and V8 collects all garbage
 * whenever a few MB of buffers have come together.
 */

/** Bytes that are kept. */
const MOST = 2 * 1024 * 1024

const sentOnce = new WeakSet<ArrayBuffer>()
const spare: ArrayBuffer[] = []
let spareBytes = 0

/** The copy must be given to one wire, and to nobody else: {@link recycle} overwrites it, sooner or later. */
export function copyToSendOnce(buffer: ArrayBufferLike, start: number, size: number): ArrayBuffer {
  const copy = take(size) ?? allocate(size).buffer
  new Uint8Array(copy).set(new Uint8Array(buffer, start, size))
  sentOnce.add(copy)
  return copy
}

function take(size: number): ArrayBuffer | undefined {
  // The one that was written last may still be in the processor's cache.
  const index = spare.findLastIndex(each => each.byteLength === size)
  if (index < 0) return undefined
  spareBytes -= size
  return spare.splice(index, 1)[0]
}

/**
 * Tells core that a wire of a transport with `buffers` has written all of an attachment, and will not look at it again. The memory
 * may then be used for another one. A wire need not tell; no-op for memory that core did not allocate for this.
 */
export function recycle(buffer: ArrayBuffer): void {
  if (!sentOnce.delete(buffer)) return
  spare.push(buffer)
  spareBytes += buffer.byteLength
  while (spareBytes > MOST) spareBytes -= (spare.shift() as ArrayBuffer).byteLength
}
