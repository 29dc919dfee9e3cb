import { MpError } from '@mp/core/spi'

/**
 * A frame is a u32 length, little-endian, and as many bytes. With the bit BESIDE in the length it is no frame, but a buffer
 * that travels beside the next frame.
 */
export const HEADER = 4
export const BESIDE = 0x8000_0000

/** How much may travel beside one frame, in longest frames. Checked, like a frame's length, before anything is allocated. */
const MOST_BESIDE = 512
/** Bytes that are added to a buffer's own for this check: even an empty one, which core never sends, takes 300. */
const OVERHEAD = 16 * 1024

/** Bytes. Up to this size a loop copies faster than a view and a native call. */
const TINY = 96

const NONE = new Uint8Array(0)

/** Makes frames of the chunks of a byte stream. A chunk's memory may be reused once `next` has given undefined. */
export class FrameReader {
  /** Bytes that a frame, or a buffer beside it, may announce. More is refused. */
  longest: number
  readonly #mostBeside: number
  #chunk = NONE
  #at = 0
  #end = 0
  /** A header that was cut between two chunks: the bits that are here, and how many bytes they are. */
  #length = 0
  #lengthBytes = 0
  /** A frame whose end has not come yet, and how much of it is here. */
  #frame: Uint8Array<ArrayBuffer> | undefined
  #filled = 0
  /** `#frame` is a buffer beside the next frame. */
  #isBeside = false
  /** The buffers beside the next frame, or beside the one that was just given. */
  #beside: ArrayBuffer[] | undefined
  #besideBytes = 0

  /** `mostBeside`: bytes that may come beside a frame, where that is less than usual. */
  constructor(longest: number, mostBeside: number = Number.POSITIVE_INFINITY) {
    this.longest = longest
    this.#mostBeside = mostBeside
  }

  /** Gives the next chunk. To be called only when `next` has given undefined. */
  feed(chunk: Uint8Array<ArrayBuffer>, length: number): void {
    this.#chunk = chunk
    this.#at = 0
    this.#end = length
  }

  /** The next whole frame, in memory of its own; undefined if its end is not here yet. Throws MP_DECODE. */
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

  /** The buffers beside the frame that was given last. A second call gives undefined. */
  takeBeside(): readonly ArrayBuffer[] | undefined {
    const beside = this.#beside
    if (beside === undefined) return undefined
    this.#beside = undefined
    this.#besideBytes = 0
    return beside
  }

  /** Where the rest of an incomplete frame goes. Empty if there is no such frame, or part of the chunk is not used yet. */
  get room(): Uint8Array {
    return this.#at === this.#end && this.#frame ? this.#frame.subarray(this.#filled) : NONE
  }

  /** `length` bytes were written to `room`. Gives the frame if they complete it. */
  filled(length: number): Uint8Array | undefined {
    this.#filled += length
    return this.#whole()
  }

  /** Begins a frame of the announced length. Gives it at once if it is tiny and all of it is here. */
  #begin(announced: number): Uint8Array | undefined {
    const isBeside = announced >= BESIDE
    const length = isBeside ? announced - BESIDE : announced
    // Checked before anything is allocated: the other side may be broken, or hostile.
    const allowed = isBeside
      ? length <= this.longest &&
        this.#besideBytes + length + OVERHEAD <= Math.min(MOST_BESIDE * this.longest, this.#mostBeside)
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

  /** The frame, if all its bytes are here. A complete buffer beside it is kept for `takeBeside`. */
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

/** Separate memory, not zeroed. Its reader may keep a frame for long; a shared slab would keep other frames alive too. */
function allocate(length: number): Uint8Array<ArrayBuffer> {
  const { buffer } = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer as ArrayBuffer, 0, length)
}
