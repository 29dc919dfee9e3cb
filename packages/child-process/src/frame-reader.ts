import { MpError } from '@mp/core/spi'

/**
 * A frame is a u32 length, little-endian, and as many bytes. With BESIDE in the length it is a buffer that rides beside the
 * next frame without.
 */
export const HEADER = 4
export const BESIDE = 0x8000_0000

/** What may ride beside one frame, in longest frames. Checked, as a frame's length is, before anything is allocated. */
const MOST_BESIDE = 512
/** Bytes that a buffer counts for beside its own: an empty one, which core never sends, takes 300. */
const OVERHEAD = 16 * 1024

/** Bytes. Up to this size a loop is faster than a view and a native call. */
const TINY = 96

const NONE = new Uint8Array(0)

/** Makes frames of the chunks of a byte stream. A chunk's memory may be used again once `next` has found it empty. */
export class FrameReader {
  /** Bytes. What announces more is refused, a buffer that rides beside a frame as well. */
  longest: number
  #chunk = NONE
  #at = 0
  #end = 0
  /** Of a header that chunks cut in two: its bytes, and how many there are. */
  #length = 0
  #lengthBytes = 0
  /** A frame whose end is still to come, and how much of it is here. */
  #frame: Uint8Array<ArrayBuffer> | undefined
  #filled = 0
  /** It is a buffer beside the next one. */
  #isBeside = false
  /** Of the next frame, or of the one that was just given. */
  #beside: ArrayBuffer[] | undefined
  #besideBytes = 0

  constructor(longest: number) {
    this.longest = longest
  }

  /** Called when `next` has given everything. */
  feed(chunk: Uint8Array<ArrayBuffer>, length: number): void {
    this.#chunk = chunk
    this.#at = 0
    this.#end = length
  }

  /** The next whole frame, in memory of its own; undefined when more must come first. Throws MP_DECODE. */
  next(): Uint8Array | undefined {
    for (;;) {
      if (this.#frame) {
        this.#fill(this.#frame)
      } else {
        const announced = this.#readLength()
        if (announced === undefined) return undefined
        const tiny = this.#begin(announced)
        if (tiny) return tiny
      }
      const frame = this.#whole()
      if (frame || this.#at === this.#end) return frame
    }
  }

  /** The buffers beside the frame that was given last. Once. */
  takeBeside(): readonly ArrayBuffer[] | undefined {
    const beside = this.#beside
    if (beside === undefined) return undefined
    this.#beside = undefined
    this.#besideBytes = 0
    return beside
  }

  /** Where the rest of the frame goes of which a part is here, and all that was fed is taken; empty where there is none. */
  get room(): Uint8Array {
    return this.#at === this.#end && this.#frame ? this.#frame.subarray(this.#filled) : NONE
  }

  /** `length` bytes were written to `room`. The frame, if they completed it. */
  filled(length: number): Uint8Array | undefined {
    this.#filled += length
    return this.#whole()
  }

  /** Gives the frame at once where it is tiny, and here. */
  #begin(announced: number): Uint8Array | undefined {
    const isBeside = announced >= BESIDE
    const length = isBeside ? announced - BESIDE : announced
    // Before anything is allocated: the other side may be broken, or hostile.
    const allowed = isBeside
      ? length <= this.longest && this.#besideBytes + length + OVERHEAD <= MOST_BESIDE * this.longest
      : length > 0 && length <= this.longest
    if (!allowed)
      throw new MpError('MP_DECODE', `a frame of ${length} bytes was announced: what comes is no stream of frames`)
    const at = this.#at
    if (length <= TINY && !isBeside && this.#end - at >= length) {
      const frame = new Uint8Array(length)
      for (let i = 0; i < length; i++) frame[i] = this.#chunk[at + i] as number
      this.#at = at + length
      return frame
    }
    if (isBeside) this.#besideBytes += length + OVERHEAD
    this.#isBeside = isBeside
    this.#filled = 0
    const frame = allocate(length)
    this.#frame = frame
    this.#fill(frame)
    return undefined
  }

  #readLength(): number | undefined {
    const chunk = this.#chunk
    const at = this.#at
    if (this.#lengthBytes === 0 && this.#end - at >= HEADER) {
      this.#at = at + HEADER
      return (
        ((chunk[at] as number) |
          ((chunk[at + 1] as number) << 8) |
          ((chunk[at + 2] as number) << 16) |
          ((chunk[at + 3] as number) << 24)) >>>
        0
      )
    }
    while (this.#at < this.#end) {
      this.#length |= (chunk[this.#at++] as number) << (8 * this.#lengthBytes)
      if (++this.#lengthBytes < HEADER) continue
      const length = this.#length >>> 0
      this.#length = 0
      this.#lengthBytes = 0
      return length
    }
    return undefined
  }

  #fill(frame: Uint8Array): void {
    const size = Math.min(frame.length - this.#filled, this.#end - this.#at)
    frame.set(this.#chunk.subarray(this.#at, this.#at + size), this.#filled)
    this.#at += size
    this.#filled += size
  }

  /** The frame whose bytes are all here; a buffer beside it is put by. */
  #whole(): Uint8Array | undefined {
    const frame = this.#frame
    if (frame === undefined || this.#filled < frame.length) return undefined
    this.#frame = undefined
    if (!this.#isBeside) return frame
    this.#beside ??= []
    this.#beside.push(frame.buffer)
    return undefined
  }
}

/** Memory of its own, not zeroed: a frame is kept as long as its reader likes, and must not keep others. */
function allocate(length: number): Uint8Array<ArrayBuffer> {
  const { buffer } = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer as ArrayBuffer, 0, length)
}
