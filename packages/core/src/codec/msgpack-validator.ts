import { malformed } from './decode-error.js'
import { MAX_DEPTH } from './graph-format.js'

/**
 * Refuses bytes that are not exactly one msgpack value of the kinds that `encode` writes, so that msgpackr sees neither
 * lengths beyond the bytes, nor deep nesting, nor extensions. Linear, and allocates nothing by what the bytes say.
 */
export function validate(bytes: Uint8Array, start: number, end: number, maps: boolean): void {
  let position = start
  /** For each open container the items that are still to come; odd and even tell a map's values from its keys. */
  const left: number[] = [1]
  const isMap: boolean[] = [false]
  let top = 0

  const length = (size: number): number => {
    if (end - position < size) throw malformed('a length')
    let result = 0
    for (let i = 0; i < size; i++) result = result * 256 + (bytes[position++] as number)
    return result
  }
  const skip = (size: number): void => {
    if (size > end - position) throw malformed('a length')
    position += size
  }
  const enter = (items: number, map: boolean): void => {
    // Each item takes a byte at least.
    if (items > end - position) throw malformed('a length')
    if (top > MAX_DEPTH + 2) throw malformed('the depth')
    if (map && !maps) throw malformed('a node')
    left[++top] = items
    isMap[top] = map
  }

  while (top >= 0) {
    const items = left[top] as number
    if (items === 0) {
      top--
      continue
    }
    left[top] = items - 1
    if (position >= end) throw malformed('the length')
    const token = bytes[position++] as number
    if (isMap[top] && items % 2 === 0) {
      skipKey(token)
    } else if (token < 0x80 || token >= 0xe0) {
      // An integer within the token.
    } else if (token < 0x90) enter((token & 0x0f) * 2, true)
    else if (token < 0xa0) enter(token & 0x0f, false)
    else if (token < 0xc0) skip(token & 0x1f)
    else skipOther(token)
  }
  if (position !== end) throw malformed('the length')

  function skipKey(token: number): void {
    let size: number
    if (token >= 0xa0 && token < 0xc0) size = token & 0x1f
    else if (token >= 0xd9 && token <= 0xdb) size = length(1 << (token - 0xd9))
    else throw malformed('a key')
    skip(size)
    if (size === 9 && isProto(bytes, position - 9)) throw malformed('a key')
  }

  function skipOther(token: number): void {
    switch (token) {
      case 0xc0: // null
      case 0xc2: // false
      case 0xc3: // true
        return
      case 0xcc: // uint 8
      case 0xd0: // int 8
        skip(1)
        return
      case 0xcd: // uint 16
      case 0xd1: // int 16
        skip(2)
        return
      case 0xca: // float 32
      case 0xce: // uint 32
      case 0xd2: // int 32
        skip(4)
        return
      case 0xcb: // float 64
        skip(8)
        return
      case 0xd9: // str 8
      case 0xda: // str 16
      case 0xdb: // str 32
        skip(length(1 << (token - 0xd9)))
        return
      case 0xdc: // array 16
      case 0xdd: // array 32
        enter(length(2 << (token - 0xdc)), false)
        return
      case 0xde: // map 16
      case 0xdf: // map 32
        enter(length(2 << (token - 0xde)) * 2, true)
        return
      default:
        // Extensions, byte strings and 64-bit integers, which msgpackr would make objects and BigInts of.
        throw malformed('a token')
    }
  }
}

function isProto(bytes: Uint8Array, position: number): boolean {
  for (let i = 0; i < 9; i++) if (bytes[position + i] !== '__proto__'.charCodeAt(i)) return false
  return true
}
