import { BlockKind, numbersOf } from './block.js'

/** Shorter arrays are written as quickly one by one. */
export const FEWEST = 16

/** Not one that serves for reading, too: an element that is a getter may decode. */
const kept = new Float64Array(8192)

/** Grows with the numbers that there are: an array may be long, and hold few. */
function grown(numbers: ArrayLike<number>, most: number): Float64Array<ArrayBuffer> {
  const more = new Float64Array(Math.min(numbers.length * 4, most))
  more.set(numbers)
  return more
}

/** An element of an array is a getter, which may encode another array. */
let reading = false

/**
 * The numbers at the head of an array. If those are all of it, they can be written as one block: 1,000 numbers take 6 us so, and one by
 * one took 20.
 */
export class LeadingNumbers {
  #numbers = kept
  length = 0
  /** Of the block: the smallest kind that has room for each. */
  kind: number = BlockKind.Float64
  /** The element behind them, which had to be read. Undefined if there is none. */
  next: unknown

  /** Reads each element once, since it may be a getter. */
  collect(array: readonly unknown[], length: number): void {
    const outer = reading
    let to = outer ? new Float64Array(FEWEST) : kept
    let next: unknown
    let whole = true
    let bits = 0
    let i = 0
    reading = true
    try {
      for (; i < length; i++) {
        const value = array[i]
        if (typeof value !== 'number') {
          next = value
          break
        }
        if (i === to.length) to = grown(to, length)
        to[i] = value
        // -0 is no integer.
        if ((value | 0) === value && (value !== 0 || 1 / value > 0)) bits |= value ^ (value >> 31)
        else whole = false
      }
    } finally {
      reading = outer
    }
    this.#numbers = to
    this.length = i
    this.next = next
    if (!whole) this.kind = BlockKind.Float64
    else this.kind = bits < 0x80 ? BlockKind.Int8 : bits < 0x8000 ? BlockKind.Int16 : BlockKind.Int32
  }

  at(index: number): number {
    return this.#numbers[index] as number
  }

  /** The bytes of the block's elements. They are valid until the next call. */
  bytes(): Uint8Array {
    const { kind, length } = this
    const from = this.#numbers
    if (kind === BlockKind.Float64) return new Uint8Array(from.buffer, 0, length * 8)
    const to = numbersOf(kind, length)
    for (let i = 0; i < length; i++) to[i] = from[i] as number
    return new Uint8Array(to.buffer, 0, length * to.BYTES_PER_ELEMENT)
  }
}
