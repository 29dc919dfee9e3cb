import { readSync, writeSync } from 'node:fs'
import { type HolderBoard, type HomeBoard, isLater } from './board.js'
import { HEAD } from './memory-file.js'

// Words of a slot (u32). The holder writes the first, home writes the others.

/** The last place that the holder has claimed, or tried to. */
const BEGUN = 0
/** Up to this place everything is claimed or taken back. */
const VOID = 1
/** The verdict: the `void` that it is about, and in the word behind it `begun` at that time. */
const VERDICT_FOR = 2
/** If not 0, home asks to be told of the next claim. */
const ASKED = 4

const SLOT = 16
const SLOTS = 256

/** Buffers for one word, and for the four from `VOID` on. */
const one = new Uint32Array(1)
const oneBytes = new Uint8Array(one.buffer)
const four = new Uint32Array(4)
const fourBytes = new Uint8Array(four.buffer)

/**
 * A board between processes: words in a file in memory. Nothing can swap such a word.
 *
 * - The holder writes `begun`, then reads `void`.
 * - Home writes `void`, then reads `begun`, then writes the verdict.
 *
 * So one of them must see the other. A holder that finds a new `void` obeys the verdict, which home writes within its next three
 * system calls. There is one verdict at a time: home sends nothing, and so takes nothing back, until the holder has said that it
 * has noticed.
 *
 * Reads and writes of 4 bytes go through the page cache. They are not torn, and what was written survives a SIGKILL. The locks
 * that the kernel takes for a write order it before the read that follows. A write takes 1 to 2 us, a read 1 us.
 */
export class FileBoard implements HomeBoard, HolderBoard {
  static readonly slots: number = SLOTS
  static readonly bytes: number = SLOTS * SLOT * 4
  revoked = false
  readonly #file: number
  readonly #at: number
  #void = 0
  asked = 0

  constructor(file: number, slot: number) {
    this.#file = file
    this.#at = HEAD + slot * SLOT * 4
  }

  get begun(): number {
    const begun = this.#read(BEGUN)
    // The holder also writes a claim that comes too late.
    return isLater(this.#void, begun) ? this.#void : begun
  }

  sent(): void {}

  takeBack(last: number): number {
    // Everything is claimed or taken back. A second verdict would take a late attempt to claim for a claim.
    if (this.revoked) return this.#void
    const before = this.#void
    this.#write(VOID, last)
    const begun = this.#read(BEGUN)
    // In this order, so that a holder that finds the verdict for this `void` also finds what it says.
    this.#write(VERDICT_FOR + 1, begun)
    this.#write(VERDICT_FOR, last)
    this.#void = last
    const claimed = isLater(before, begun) ? before : begun
    this.revoked = claimed !== last
    return claimed
  }

  resume(): void {
    this.revoked = false
  }

  ask(asked: number): void {
    this.#write(ASKED, asked)
  }

  claim(place: number): boolean | undefined {
    if (this.revoked) return false
    this.#write(BEGUN, place)
    readSync(this.#file, fourBytes, 0, 16, this.#at + VOID * 4)
    const end = four[0] as number
    this.asked = four[ASKED - VOID] as number
    if (isLater(place, end)) return true
    if (four[VERDICT_FOR - VOID] !== end) return undefined
    this.revoked = isLater(place, this.#read(VERDICT_FOR + 1))
    return !this.revoked
  }

  #read(word: number): number {
    readSync(this.#file, oneBytes, 0, 4, this.#at + word * 4)
    return one[0] as number
  }

  #write(word: number, value: number): void {
    one[0] = value
    writeSync(this.#file, oneBytes, 0, 4, this.#at + word * 4)
  }
}
