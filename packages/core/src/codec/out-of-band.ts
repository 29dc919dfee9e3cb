import { copyBuffer } from '../runtime/byte-buffer.js'
import type { Packing } from './handle.js'

/** Bytes. From this size on, one copy and one more object in the message take half the time of two copies, between threads. */
const ATTACH_FROM = 16384
/** Bytes. The same for a wire on which attached bytes go through the kernel. */
const BESIDE_FROM = 32 * 1024

/** Whether so many bytes ride beside their message. Bytes that are moved always may: they need no copy. */
export function ridesBeside(packing: Packing, size: number, moves: boolean): boolean {
  if (packing.attachments) return moves || size >= (packing.attachFrom ?? ATTACH_FROM)
  return size >= BESIDE_FROM && size <= (packing.room ?? 0)
}

export function copyToAttach(packing: Packing, buffer: ArrayBufferLike, start: number, size: number): ArrayBuffer {
  return packing.copy ? packing.copy(buffer, start, size) : copyBuffer(buffer, start, size)
}
