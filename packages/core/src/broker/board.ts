import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../context/context.js'
import { LiveObject, type Parcel } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'

/**
 * A board is a few words that a home and one of its holders both see, and that outlive either. On it the holder notes how far
 * it has claimed what home has sent it, and home takes the rest back, at any moment, without an answer of the holder.
 *
 * What home sends to one holder is numbered: 1, 2, 3 ... (modulo 2 ** 32); a number is its *place*. Invariants:
 *
 * - The holder claims places in their order, each before user code sees what is there.
 * - A place is claimed or taken back, never both, wherever either side is stopped or killed.
 * - A place that was taken back is never used again: what the holder still has from there can never be claimed.
 *
 * Words of a slot (u32), and who writes them:
 *
 *     0 begun         the last place that the holder has claimed             holder; between threads home, too
 *     1 void          up to here everything is taken back or claimed         home
 *     2 verdictFor    the `void` that the verdict is about                   home
 *     3 verdictBegun  what was claimed then                                  home
 *     4 waited        not 0: somebody waits for the next claim; see `asked`  home
 *
 * *Between threads* the words are a SharedArrayBuffer, and one word decides: a claim swaps `begun` to its place, a take-back
 * swaps it to the last place that was sent.
 *
 * *Between processes* they are bytes of a small file in memory. There is no swap. The holder writes `begun`, then reads `void`;
 * home writes `void`, then reads `begun`, then writes the verdict. One of them must see the other. A holder that finds a new
 * `void` obeys the verdict, which comes two system calls of home later. Reads and writes of 4 bytes go through the page cache:
 * they take about a microsecond, are whole, and what was written survives SIGKILL.
 */
const BEGUN = 0
const VOID = 1
const VERDICT_FOR = 2
const WAITED = 4

/** Words of a slot: a cache line, so that two holders do not disturb each other. */
const SLOT = 16
const SLOTS = 256

/** The side of the home. */
export interface HomeBoard {
  /** The last place that was claimed, or that lies before one that was taken back. */
  readonly begun: number
  /** Takes back whatever is not claimed up to `last`, the last place that was sent. Gives the last place that was claimed. */
  takeBack(last: number): number
  /** Asks the holder to tell of its next claim (`ask` counts up, and is not 0), or with 0 not to. Then look at `begun` again. */
  ask(asked: number): void
}

/** The side of the holder. */
export interface HolderBoard {
  /** Whether `place` is this context's now. Undefined: home is about to decide, try again in a moment. */
  claim(place: number): boolean | undefined
  /** What home has asked with, as the last `claim` found it; 0 where nobody waits. */
  readonly asked: number
}

/** Whether `a` is a later place than `b`. */
export function isLater(a: number, b: number): boolean {
  return ((a - b) | 0) > 0
}

class SharedBoard implements HomeBoard, HolderBoard {
  readonly #words: Int32Array
  readonly #at: number

  constructor(words: Int32Array, slot: number) {
    this.#words = words
    this.#at = slot * SLOT
  }

  get begun(): number {
    return Atomics.load(this.#words, this.#at + BEGUN) >>> 0
  }

  get asked(): number {
    return Atomics.load(this.#words, this.#at + WAITED)
  }

  takeBack(last: number): number {
    return Atomics.exchange(this.#words, this.#at + BEGUN, last) >>> 0
  }

  ask(asked: number): void {
    Atomics.store(this.#words, this.#at + WAITED, asked)
  }

  claim(place: number): boolean {
    const words = this.#words
    const at = this.#at + BEGUN
    const before = Atomics.load(words, at)
    // Only a take-back can come between, and it takes this place, too.
    return isLater(place, before) && Atomics.compareExchange(words, at, before, place | 0) === before
  }
}

/** One word, to be written, and several that were read. */
const one = new Uint32Array(1)
const oneBytes = new Uint8Array(one.buffer)
const four = new Uint32Array(4)
const fourBytes = new Uint8Array(four.buffer)

class FileBoard implements HomeBoard, HolderBoard {
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
    // A claim that came too late was written all the same.
    return isLater(this.#void, begun) ? this.#void : begun
  }

  takeBack(last: number): number {
    const before = this.#void
    this.#write(VOID, last)
    const begun = this.#read(BEGUN)
    // In this order: who finds the verdict for this `void` finds what it says.
    this.#write(VERDICT_FOR + 1, begun)
    this.#write(VERDICT_FOR, last)
    this.#void = last
    return isLater(before, begun) ? before : begun
  }

  ask(asked: number): void {
    this.#write(WAITED, asked)
  }

  claim(place: number): boolean | undefined {
    this.#write(BEGUN, place)
    readSync(this.#file, fourBytes, 0, 16, this.#at + VOID * 4)
    const end = four[0] as number
    this.asked = four[WAITED - VOID] as number
    if (isLater(place, end)) return true
    if (four[VERDICT_FOR - VOID] !== end) return undefined
    return !isLater(place, this.#read(VERDICT_FOR + 1))
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

/** Bytes at the head of a file: random ones, by which a holder knows that it has opened the right file. */
const HEAD = 64
const NONCE = 16

/** Where the boards of one context's homes are. */
interface Area {
  readonly text: string
  readonly parcels: readonly Parcel[] | undefined
  /** The holder's answer must be waited for: it may not be able to open the area. */
  readonly uncertain: boolean
  slots: number
  open(slot: number): HomeBoard
}

const areas = new WeakMap<Context, Area>()

/** A board as home offers it to a holder. */
export interface Offer {
  readonly board: HomeBoard
  /** Home may use it only when the holder has answered that it could open it. */
  readonly uncertain: boolean
  /** What the holder needs to open it. */
  readonly slot: number
  readonly text: string
  readonly parcels: readonly Parcel[] | undefined
}

/** A board for one more holder; undefined where the medium has none. */
export function offerBoard(context: Context, transport: Transport): Offer | undefined {
  let area = areas.get(context)
  if (!area || area.slots === SLOTS) {
    area = makeArea(transport)
    if (!area) return undefined
    areas.set(context, area)
  }
  const slot = area.slots++
  const { text, parcels, uncertain } = area
  return { board: area.open(slot), uncertain, slot, text, parcels }
}

function makeArea({ capabilities }: Transport): Area | undefined {
  if (capabilities.sharedMemory && capabilities.attachments) {
    const memory = new SharedArrayBuffer(SLOTS * SLOT * 4)
    const words = new Int32Array(memory)
    const parcels = [new LiveObject(memory)]
    return { text: '', parcels, uncertain: false, slots: 0, open: slot => new SharedBoard(words, slot) }
  }
  return capabilities.reach === 'process' ? makeFile() : undefined
}

/** The file has no name for longer than it takes to open it: others reach it through this process's descriptor. */
function makeFile(): Area | undefined {
  if (process.platform !== 'linux') return undefined
  for (const folder of ['/dev/shm', tmpdir()]) {
    const path = join(folder, `mp-board-${randomBytes(12).toString('hex')}`)
    let file: number
    try {
      file = openSync(path, 'wx+', 0o600)
    } catch {
      continue
    }
    unlinkSync(path)
    const nonce = randomBytes(NONCE)
    const zeros = new Uint8Array(HEAD + SLOTS * SLOT * 4)
    zeros.set(nonce)
    writeSync(file, zeros, 0, zeros.length, 0)
    const text = `${process.pid} ${file} ${nonce.toString('hex')}`
    return { text, parcels: undefined, uncertain: true, slots: 0, open: slot => new FileBoard(file, slot) }
  }
  return undefined
}

/** Files of other contexts' boards that are open here, by what their homes have told. */
const files = new Map<string, { readonly file: number; users: number }>()

export interface OpenBoard {
  readonly board: HolderBoard
  close(): void
}

/** A board that home has offered; undefined where it cannot be opened here. */
export function openBoard(slot: number, text: string, parcels: readonly Parcel[] | undefined): OpenBoard | undefined {
  const memory = parcels?.[0] instanceof LiveObject ? parcels[0].object : undefined
  if (slot >= SLOTS) return undefined
  if (memory instanceof SharedArrayBuffer && memory.byteLength === SLOTS * SLOT * 4) {
    return { board: new SharedBoard(new Int32Array(memory), slot), close() {} }
  }
  const known = files.get(text) ?? openFile(text)
  if (!known) return undefined
  files.set(text, known)
  known.users++
  const close = () => {
    if (--known.users > 0) return
    files.delete(text)
    closeSync(known.file)
  }
  return { board: new FileBoard(known.file, slot), close }
}

function openFile(text: string): { file: number; users: number } | undefined {
  const match = /^(\d{1,10}) (\d{1,10}) ([0-9a-f]{32})$/.exec(text)
  if (!match) return undefined
  const [, pid, descriptor, nonce] = match
  let file: number | undefined
  try {
    const path = `/proc/${pid}/fd/${descriptor}`
    // The number may mean something else by now, which to open could block, or do something.
    if (!statSync(path).isFile()) return undefined
    file = openSync(path, 'r+')
    const found = Buffer.alloc(NONCE)
    readSync(file, found, 0, NONCE, 0)
    if (found.toString('hex') === nonce) return { file, users: 0 }
  } catch {
    // Not reachable from here: another user, another namespace.
  }
  if (file !== undefined) closeSync(file)
  return undefined
}
