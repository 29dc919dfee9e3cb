import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { HolderBoard, HomeBoard } from './board.js'
import { HEAD, makeMemoryFile } from './memory-file.js'

/** How far the file reaches beyond what was sent, so that it need not be made longer for each item. */
const AHEAD = 64 * 1024
/** Bytes that may have been written to, and take memory, before they are given back. */
const LARGEST = 1024 * 1024

const one = new Uint8Array(1)
const text = Buffer.alloc(64)
const marks = new Uint8Array(1024)

interface Run {
  readonly byte: number
  readonly place: number
}

/**
 * A board between a parent and its child, of half the cost of words in a file: the child inherits a descriptor, and so shares the
 * file's *offset* with its parent. Each byte of the file stands for one place, and reading one byte claims it: the kernel moves
 * the offset under a lock, in one system call (0.8 us), and the parent finds it there whatever becomes of the child.
 *
 * - To take back, home cuts the file off. From then on a read finds the end, and claims nothing. A read of home's own waits for
 *   one that is under way. Then home asks for the offset: it does not move any more.
 * - The child then says that it has noticed (RESUMED); until home has answered that, what comes is void. So no number need stand
 *   in the bytes. They are holes, which take no memory, and a 0.
 * - To ask for word of the next claim, home writes something else into the bytes that may be claimed next.
 *
 * A file serves one holder's use of one queue, once: a late claim for another one could not be told apart.
 */
export class ClaimFile implements HomeBoard {
  readonly file: number
  readonly nonce: string
  /** The descriptor of `/proc/self/fdinfo`, where the offset stands. */
  readonly #info: number
  /** Where the file ends. */
  #size = HEAD
  /** The last byte that may be claimed, counted from 1. */
  #lastByte = 0
  /**
   * Which bytes stand for which places: from behind `byte` on they stand for those behind `place`, one by one. Mostly there is
   * one run; places that are claimed by a message have no byte, and begin another one.
   */
  #runs: Run[] = [{ byte: 0, place: 0 }]
  /** What is written into bytes that may be claimed next; 0: nothing. */
  #asked = 0
  /** The last byte that was written, and the first that takes memory. */
  #marked = 0
  #written: number | undefined
  #users = 1
  revoked = false
  /** Once. */
  #taken = false

  private constructor(file: number, nonce: string, info: number) {
    this.file = file
    this.nonce = nonce
    this.#info = info
    // The offset is behind the head.
    readSync(file, new Uint8Array(HEAD), 0, HEAD, null)
  }

  /** Undefined where the system cannot do this. */
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

  /** For one holder; false where it was used before. */
  take(): boolean {
    if (this.#taken) return false
    this.#taken = true
    this.#users++
    return true
  }

  /** The child is gone, or the holder is. After both nothing of the file is left. */
  release(): void {
    if (--this.#users > 0) return
    closeSync(this.#info)
    closeSync(this.file)
  }

  get begun(): number {
    return this.#placeOf(this.#count())
  }

  sent(last: number, count: number): void {
    // What was written to takes memory. If nothing is out, nothing is lost by cutting it off.
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
    if (this.#asked !== 0) this.#mark(Math.max(first, this.#marked + 1))
  }

  takeBack(last: number): number {
    if (this.#count() === this.#lastByte) return this.begun
    this.#cut()
    // A claim that is under way holds the lock of the offset until it is over.
    readSync(this.file, one, 0, 1, null)
    const begun = this.begun
    // If all was claimed meanwhile, the holder has nothing by which it would notice.
    if (this.#count() === this.#lastByte) this.resume(last)
    else this.revoked = true
    return begun
  }

  resume(last: number): void {
    this.#lastByte = this.#count()
    this.#runs = [{ byte: this.#lastByte, place: last }]
    this.revoked = false
  }

  ask(asked: number): void {
    this.#asked = asked === 0 ? 0 : (asked % 255) + 1
    this.#marked = 0
    if (asked !== 0 && !this.revoked) this.#mark(this.#count() + 1)
  }

  /** Writes what is asked into the bytes from this one on, up to that of the last place that was sent. */
  #mark(first: number): void {
    const count = Math.min(this.#lastByte - first + 1, marks.length)
    if (count <= 0) return
    marks.fill(this.#asked, 0, count)
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

  /** The place that is claimed last when `count` bytes are. */
  #placeOf(count: number): number {
    const runs = this.#runs
    while (runs.length > 1 && (runs[1] as Run).byte < count) runs.shift()
    const { byte, place } = runs[0] as Run
    return (place + count - byte) >>> 0
  }

  /** How many claims there were, ever. */
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

/** The child's side. */
export class InheritedBoard implements HolderBoard {
  readonly #file: number
  asked = 0
  revoked = false

  constructor(file: number) {
    this.#file = file
  }

  claim(): boolean {
    if (this.revoked) return false
    if (readSync(this.#file, one, 0, 1, null) === 1) {
      this.asked = one[0] as number
      return true
    }
    this.revoked = true
    return false
  }

  /** Home has answered: what comes from here on can be claimed again. */
  resume(): void {
    this.revoked = false
  }
}
