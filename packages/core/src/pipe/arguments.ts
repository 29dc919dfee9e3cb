export interface SendOptions {
  /** ArrayBuffers, and where the transport carries them ports, that leave this context at the call instead of being copied. */
  transfer?: readonly object[] | undefined
}

export function checkTransfer(transfer: unknown): readonly object[] | undefined {
  if (transfer === undefined) return undefined
  if (!Array.isArray(transfer)) throw new TypeError('transfer must be an array of objects')
  return transfer
}

/** The most bytes that a `recvBytes` takes; Infinity for any number. */
export function checkMaxLength(maxLength: unknown): number {
  if (typeof maxLength !== 'number') throw new TypeError(`maxLength must be a number, not ${typeof maxLength}`)
  if (maxLength >= 0) return maxLength
  throw new RangeError(`maxLength must be a number of bytes, not ${maxLength}`)
}

/** A view of `size` bytes from byte `offset` on, or of all from there. RangeError where there are fewer. */
export function bytesOf(data: ArrayBufferView | ArrayBufferLike, offset: number, size?: number): Uint8Array {
  const { buffer, start, end } = extentOf(data)
  const all = end - start
  checkIndex('offset', offset, all)
  const length = size ?? all - offset
  checkIndex('size', length, all - offset)
  return new Uint8Array(buffer as ArrayBuffer, start + offset, length)
}

/** As {@link bytesOf}, but a Uint8Array of any class of which all is meant is given back: no view is made of it. */
export function bytesToSend(data: ArrayBufferView | ArrayBufferLike, offset: number, size?: number): Uint8Array {
  // An empty one may be detached, which `bytesOf` refuses.
  if (offset === 0 && size === undefined && data instanceof Uint8Array && data.length > 0) return data
  return bytesOf(data, offset, size)
}

function extentOf(data: unknown): { buffer: ArrayBufferLike; start: number; end: number } {
  if (ArrayBuffer.isView(data)) {
    const start = data.byteOffset
    return { buffer: data.buffer, start, end: start + data.byteLength }
  }
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) {
    return { buffer: data, start: 0, end: data.byteLength }
  }
  throw new TypeError('data must be a typed array, a DataView or an ArrayBuffer')
}

function checkIndex(name: string, value: unknown, most: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, not ${typeof value}`)
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(`${name} must be an integer from 0 to ${most}, not ${value}`)
  }
}
