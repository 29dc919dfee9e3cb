import { closeSync, ftruncateSync, openSync, readSync, readvSync, writeSync } from 'node:fs'
import { type HolderBoard, type HomeBoard, isLater } from './board.js'
import { HEAD, makeMemoryFile } from './memory-file.js'

/** Bytes that the file is made longer than what was sent needs, so that it does not have to grow for each item. */
const AHEAD = 64 * 1024
/** Bytes that may take memory, because something was written to them, before they are given back. */
const LARGEST = 1024 * 1024

/** The byte of a place about which home does not ask, while it asks about a later one. */
const LATER = 255

const one = new Uint8Array(1)
const nothing = [new Uint8Array(0)]
const text = Buffer.alloc(64)
const marks = new Uint8Array(1024)

interface Run {
  readonly byte: number
  readonly place: number
}

/**
 * A board between a parent and its child. The child inherits a descriptor, and so shares the file's *offset* with its parent.
 * Each byte of the file stands for one place, and reading a byte claims it. The kernel moves the offset under a lock, in one
 * system call (0.8 us; words in a file take two). The parent finds the offset there, whatever becomes of the child.
 *
 * - To take back, home cuts the file off. From then on a read finds the end of the file, and claims nothing. Home then reads,
 *   too, and so waits for a read that is under way. After that the offset does not move any more, and home asks for it.
 * - The child says that it has noticed (NOTICED), and what comes is void until home has answered (GO_ON). So the bytes need not
 *   hold the places. They are holes in the file, which take no memory and read as 0.
 * - To ask to be told of a claim, home writes another value into the bytes that stand for the place, and for later ones. Into the bytes
 *   before it writes LATER.
 *
 * A file serves one holder of one queue, once. A late claim of an earlier holder would look like one of the next.
 */
export class ClaimFile implements HomeBoard {
  readonly file: number
  readonly nonce: string
  /** A descriptor of this file's entry in `/proc/self/fdinfo`, which has the offset. */
  readonly #info: number
  /** The length of the file, in bytes. */
  #size = HEAD
  /** The last byte that may be claimed. The first one behind the head is 1. */
  #lastByte = 0
  /**
   * Which bytes stand for which places. In a run, the bytes behind `byte` stand for the places behind `place`, one by one. Mostly
   * there is one run. Places that are claimed by a message have no byte, so another run begins behind them.
   */
  #runs: Run[] = [{ byte: 0, place: 0 }]
  /** The value that is written into bytes that may be claimed next. 0: nothing is written. */
  #asked = 0
  /** The last byte that was written for what is asked now. */
  #marked = 0
  /** The first byte that was written, and takes memory, since the file was last cut off. */
  #written: number | undefined
  /** The child, and the holder once there is one. */
  #users = 1
  revoked = false
  /** Whether a holder has had it. */
  #taken = false

  private constructor(file: number, nonce: string, info: number) {
    this.file = file
    this.nonce = nonce
    this.#info = info
    // Moves the offset behind the head.
    readSync(file, new Uint8Array(HEAD), 0, HEAD, null)
  }

  /** Makes a file. Undefined if the system cannot do this. */
  static make(): ClaimFile | undefined {
    const made = makeMemoryFile(0)
    if (!made) return undefined
    try {
      return new ClaimFile(made.file, made.nonce, openSync(`/proc/self/fdinfo/${made.file}`, 'r'))
    } catch {
      closeSync(made.file)
      return undefined
    }
  }

  /** Takes the file for a holder. Gives false if another one has had it. */
  take(): boolean {
    if (this.#taken) return false
    this.#taken = true
    this.#users++
    return true
  }

  /** The child is gone, or the holder is. When both are, nothing of the file is left. */
  release(): void {
    if (--this.#users > 0) return
    closeSync(this.#info)
    closeSync(this.file)
  }

  get begun(): number {
    return this.#placeOf(this.#count())
  }

  sent(last: number, count: number): void {
    // Bytes that were written to take memory. If nothing is out, nothing is lost when the file is cut off.
    if (this.#written !== undefined && this.#lastByte - this.#written > LARGEST && this.#count() === this.#lastByte) {
      this.#cut()
    }
    const before = (last - count) >>> 0
    const { byte, place } = this.#runs.at(-1) as Run
    if ((place + this.#lastByte - byte) >>> 0 !== before) this.#runs.push({ byte: this.#lastByte, place: before })
    const first = this.#lastByte + 1
    this.#lastByte += count
    if (HEAD + this.#lastByte > this.#size) {
      this.#size = HEAD + this.#lastByte + AHEAD
      ftruncateSync(this.file, this.#size)
    }
    if (this.#asked !== 0) this.#mark(Math.max(first, this.#marked + 1), first)
  }

  takeBack(last: number): number {
    if (this.#count() === this.#lastByte) return this.begun
    this.#cut()
    this.#settle()
    const begun = this.begun
    // If everything was claimed meanwhile, nothing was taken back, and there is nothing for the holder to notice.
    if (this.#count() === this.#lastByte) this.resume(last)
    else this.revoked = true
    return begun
  }

  resume(last: number): void {
    this.#lastByte = this.#count()
    this.#runs = [{ byte: this.#lastByte, place: last }]
    this.revoked = false
  }

  ask(asked: number, from: number): void {
    this.#asked = asked === 0 ? 0 : (asked % (LATER - 1)) + 1
    this.#marked = 0
    if (asked === 0 || this.revoked) return
    this.#mark(this.#count() + 1, this.#byteOf(from))
    // A claim that is under way may have read its byte before, and not have moved the offset.
    this.#settle()
  }

  /** Waits for a claim that is under way: it holds the lock of the offset until it is over. A read of no bytes takes that lock, too. */
  #settle(): void {
    readvSync(this.file, nothing)
  }

  /** Writes into the bytes from `first` to `#lastByte`, 1,024 at most: what is asked from `from` on, LATER before. */
  #mark(first: number, from: number): void {
    const count = Math.min(this.#lastByte - first + 1, marks.length)
    if (count <= 0) return
    const before = Math.min(Math.max(0, from - first), count)
    marks.fill(LATER, 0, before)
    marks.fill(this.#asked, before, count)
    writeSync(this.file, marks, 0, count, HEAD + first - 1)
    this.#written ??= first
    this.#marked = first + count - 1
  }

  #cut(): void {
    ftruncateSync(this.file, HEAD)
    this.#size = HEAD
    this.#written = undefined
    this.#marked = 0
  }

  /** The last place that is claimed if `count` bytes are. */
  #placeOf(count: number): number {
    const runs = this.#runs
    while (runs.length > 1 && (runs[1] as Run).byte < count) runs.shift()
    const { byte, place } = runs[0] as Run
    return (place + count - byte) >>> 0
  }

  /** The byte that stands for the place; if none does, for the next one that has a byte. 0 if the place was claimed long ago. */
  #byteOf(place: number): number {
    const run = this.#runs.findLast(each => isLater(place, each.place))
    return run ? run.byte + ((place - run.place) >>> 0) : 0
  }

  /** How many bytes were claimed since the file was made. */
  #count(): number {
    // "pos:\t64\n..."
    const length = readSync(this.#info, text, 0, text.length, 0)
    let offset = 0
    for (let i = 5; i < length; i++) {
      const digit = (text[i] as number) - 48
      if (digit < 0 || digit > 9) break
      offset = offset * 10 + digit
    }
    return offset - HEAD
  }
}

/** The file as the child uses it. */
export class InheritedBoard implements HolderBoard {
  readonly #file: number
  asked = 0
  waitedFor = false
  revoked = false

  constructor(file: number) {
    this.#file = file
  }

  claim(): boolean {
    if (this.revoked) return false
    if (readSync(this.#file, one, 0, 1, null) === 1) {
      const mark = one[0] as number
      this.waitedFor = mark !== 0
      this.asked = mark === LATER ? 0 : mark
      return true
    }
    this.revoked = true
    return false
  }

  /** Home has answered. What comes from now on can be claimed. */
  resume(): void {
    this.revoked = false
  }
}
