import { copyBuffer } from '../runtime/byte-buffer.js'
import type { Packing } from './handle.js'

/** From this size on, in bytes, one copy and one more object in the message beat two copies: by half between threads. */
const ATTACH_FROM = 16384
/** The same where they ride as bytes, through the kernel. */
const BESIDE_FROM = 32 * 1024

/** Whether as many bytes ride beside their message: those that are moved need not be copied at all. */
export function ridesBeside(packing: Packing, size: number, moves: boolean): boolean {
  if (packing.attachments) return moves || size >= (packing.attachFrom ?? ATTACH_FROM)
  return size >= BESIDE_FROM && size <= (packing.room ?? 0)
}

export function copyToAttach(packing: Packing, buffer: ArrayBufferLike, start: number, size: number): ArrayBuffer {
  return packing.copy ? packing.copy(buffer, start, size) : copyBuffer(buffer, start, size)
}
