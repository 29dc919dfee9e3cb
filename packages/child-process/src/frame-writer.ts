import { BESIDE, HEADER } from './frame-reader.js'

/** Bytes. Up to this size it is cheaper to copy header and frame together than to write two buffers. */
export const COPIED = 32 * 1024

/** What is written for a frame: each buffer beside it, behind its length, then the frame behind its own length. */
export function gathered(
  parts: readonly Uint8Array<ArrayBuffer>[],
  beside: readonly ArrayBuffer[],
): readonly Uint8Array[] {
  const buffers: Uint8Array[] = []
  for (const each of beside) buffers.push(header(each.byteLength + BESIDE), new Uint8Array(each))
  let length = 0
  for (const part of parts) length += part.length
  const [first] = parts
  if (first && first.length <= COPIED) buffers.push(header(length, first), ...parts.slice(1))
  else buffers.push(header(length), ...parts)
  return buffers
}

export function writeLength(bytes: Uint8Array, length: number): void {
  bytes[0] = length
  bytes[1] = length >>> 8
  bytes[2] = length >>> 16
  bytes[3] = length >>> 24
}

/** The header, and `bytes` behind it if they are given. */
function header(length: number, bytes?: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEADER + (bytes?.length ?? 0))
  writeLength(out, length)
  if (bytes) out.set(bytes, HEADER)
  return out
}
