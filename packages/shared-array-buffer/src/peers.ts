import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/**
 * Tells every thread of the program, at any time, which threads live: one word for each peer that ever was.
 *
 *     word 0  the next peer's id              word 16  DEATHS: changes, and is notified, after each death
 *     word 32 + id: parent's id << 3 | state
 *
 * The main thread is peer 1. A peer's own 'exit' handler changes ALIVE to ENDING, while its code still runs. The parent changes
 * that to ENDED when it has seen the thread's end, and changes ALIVE to KILLED for a peer that was terminated. Only the parent
 * does so, hence a peer that is ENDED or KILLED runs no more instruction. A thread always ends after its children's threads.
 */
const NEXT = 0
const DEATHS = 16
const FIRST = 32

const ALIVE = 1
const ENDING = 2
const ENDED = 3
const KILLED = 4

/** Bytes: room for 16 million peers, of which little is used. */
const LARGEST = 64 * 1024 * 1024
const STEP = 16 * 1024

const STATE_BITS = 3

/** A child of this thread, and a port whose other end the child holds. When that end is gone, so is the child's thread. */
interface Child {
  readonly id: number
  readonly port: MessagePort
}

export interface PeerData {
  readonly peers: SharedArrayBuffer
  readonly id: number
  /** The other end of the parent's port. */
  readonly life?: MessagePort
}

export class Peers {
  readonly memory: SharedArrayBuffer
  readonly self: number
  #words: Int32Array
  readonly #life: MessagePort | undefined
  readonly #children = new Set<Child>()
  readonly #listeners = new Set<() => void>()
  #waiting = false

  static create(): Peers {
    const memory = new SharedArrayBuffer(STEP, { maxByteLength: LARGEST })
    const words = new Int32Array(memory, 0, STEP / 4)
    words[NEXT] = 2
    words[FIRST + 1] = ALIVE
    return new Peers({ peers: memory, id: 1 })
  }

  constructor({ peers, id, life }: PeerData) {
    this.memory = peers
    this.self = id
    this.#life = life
    // The parent's messages need no answer, but must not pile up.
    life?.on('message', () => {})
    life?.unref()
    this.#words = new Int32Array(peers, 0, peers.byteLength >>> 2)
  }

  /** A count that changes with every death. */
  get deaths(): number {
    return Atomics.load(this.#words, DEATHS)
  }

  /** A new child of this thread. */
  add(port: MessagePort): Child {
    const id = Atomics.add(this.#words, NEXT, 1)
    Atomics.store(this.#wordsWith(id), FIRST + id, (this.self << STATE_BITS) | ALIVE)
    const child = { id, port }
    this.#children.add(child)
    return child
  }

  /** In the peer's 'exit' handler: it ends in order. */
  ending(): void {
    this.#change(this.self, ALIVE, ENDING)
  }

  /** The child's thread has ended. Idempotent. */
  ended(child: Child): void {
    if (!this.#children.delete(child)) return
    child.port.close()
    this.#change(child.id, ENDING, ENDED)
    this.#change(child.id, ALIVE, KILLED)
    Atomics.add(this.#words, DEATHS, 1)
    Atomics.notify(this.#words, DEATHS)
  }

  /**
   * For a blocked thread, which hears no 'exit' event: looks whether its children live. A port whose other end is gone takes
   * nothing.
   */
  check(): void {
    while (this.#life && receiveMessageOnPort(this.#life));
    for (const child of this.#children) {
      if ((child.port.postMessage(0) as unknown) === false) this.ended(child)
    }
  }

  /** Whether the peer's thread has ended. */
  gone(id: number): boolean {
    for (let each = id; each !== 0; each = this.#parent(each)) if (this.#state(each) >= ENDED) return true
    return false
  }

  /** Whether what the peer had made is lost. If a peer ends in order, its parent takes over what it made. */
  lost(id: number): boolean {
    let heir = id
    while (heir !== 0 && this.#state(heir) === ENDED) heir = this.#parent(heir)
    return heir === 0 || this.gone(heir)
  }

  /** Calls `listener` in a separate turn after each death, until `unlisten`. Does not keep the event loop alive. */
  listen(listener: () => void): void {
    this.#listeners.add(listener)
    this.#wait(this.deaths)
  }

  unlisten(listener: () => void): void {
    this.#listeners.delete(listener)
  }

  #wait(deaths: number): void {
    if (this.#waiting || this.#listeners.size === 0) return
    const wait = Atomics.waitAsync(this.#words, DEATHS, deaths)
    const heard = () => {
      this.#waiting = false
      const now = this.deaths
      for (const listener of [...this.#listeners]) listener()
      this.#wait(now)
    }
    this.#waiting = true
    if (wait.async) void wait.value.then(heard)
    else setImmediate(heard)
  }

  #change(id: number, from: number, to: number): void {
    const words = this.#wordsWith(id)
    const word = Atomics.load(words, FIRST + id)
    if ((word & 7) === from) Atomics.compareExchange(words, FIRST + id, word, (word & ~7) | to)
  }

  #state(id: number): number {
    return Atomics.load(this.#wordsWith(id), FIRST + id) & 7
  }

  #parent(id: number): number {
    return Atomics.load(this.#wordsWith(id), FIRST + id) >>> STATE_BITS
  }

  #wordsWith(id: number): Int32Array {
    while (FIRST + id >= this.#words.length) {
      const needed = (FIRST + id + 1) * 4
      if (this.memory.byteLength < needed) {
        try {
          this.memory.grow(Math.ceil(needed / STEP) * STEP)
        } catch (error) {
          // Another thread may have made the memory larger in between.
          if (this.memory.byteLength < needed) throw error
        }
      }
      this.#words = new Int32Array(this.memory, 0, this.memory.byteLength >>> 2)
    }
    return this.#words
  }
}

let peers: Peers | undefined

/** The peers as this thread sees them. A thread that was not told of any becomes peer 1 of a new program. */
export function ourPeers(): Peers {
  peers ??= Peers.create()
  return peers
}

/** For a child's boot module: joins the peers of its parent. */
export function joinPeers(data: PeerData): Peers {
  peers = new Peers(data)
  return peers
}
