/** Bytes. The longest frame that is read; core's own messages have a little around them. */
const LONGEST = 2 * 1024 * 1024

const HEADER = 4

/** A frame on the stream is its length, four bytes in network order, and as many bytes. */
export function headerOf(bytes) {
  const header = Buffer.alloc(HEADER)
  header.writeUInt32BE(bytes.length)
  return header
}

/** Makes frames of the chunks of a stream, which cut them anywhere. */
export class FrameReader {
  #header = Buffer.alloc(HEADER)
  /** How much of the header, or of the frame, is here. */
  #filled = 0
  #frame;

  /** The frames that the chunk completes, each in memory of its own: core keeps them. */
  *feed(chunk) {
    let rest = chunk
    while (rest.length > 0) {
      const part = this.#frame ?? this.#header
      const taken = rest.copy(part, this.#filled)
      rest = rest.subarray(taken)
      this.#filled += taken
      if (this.#filled < part.length) return
      this.#filled = 0
      if (this.#frame) {
        yield new Uint8Array(this.#frame.buffer)
        this.#frame = undefined
      } else {
        this.#frame = allocate(this.#header.readUInt32BE())
      }
    }
  }
}

/** Before there is memory for it, the length is checked: who says it may be broken. */
function allocate(length) {
  if (length === 0 || length > LONGEST) throw new Error(`a frame of ${length} bytes was announced`)
  return Buffer.allocUnsafeSlow(length)
}
