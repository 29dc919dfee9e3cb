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
/** If not 0, home asks to be told of the next claim of a place, from that in the word behind it on. */
const ASKED = 4

const SLOT = 16
const SLOTS = 256

/** Buffers for one word, for two, and for the five from `VOID` on. */
const one = new Uint32Array(1)
const oneBytes = new Uint8Array(one.buffer)
const two = new Uint32Array(2)
const twoBytes = new Uint8Array(two.buffer)
const five = new Uint32Array(5)
const fiveBytes = new Uint8Array(five.buffer)

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
  waitedFor = false

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

  ask(asked: number, from: number): void {
    two[0] = asked
    two[1] = from
    writeSync(this.#file, twoBytes, 0, 8, this.#at + ASKED * 4)
  }

  claim(place: number): boolean | undefined {
    if (this.revoked) return false
    this.#write(BEGUN, place)
    readSync(this.#file, fiveBytes, 0, 20, this.#at + VOID * 4)
    const end = five[0] as number
    const from = five[ASKED + 1 - VOID] as number
    const asked = five[ASKED - VOID] as number
    this.waitedFor = asked !== 0
    this.asked = isLater(from, place) ? 0 : asked
    if (isLater(place, end)) return true
    if (five[VERDICT_FOR - VOID] !== end) return undefined
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
