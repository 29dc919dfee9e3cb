import { writeSync, writevSync } from 'node:fs'
import type { Socket } from 'node:net'
import { recycle } from '@mp/core/spi'
import { LONGEST_FLUSH } from './exit-flush.js'
import { HEADER } from './frame-reader.js'
import { COPIED, writeLength } from './frame-writer.js'
import { tellLoss } from './last-words.js'
import { pause } from './pause.js'
import { DESCRIPTORS } from './pipe-handle.js'

/**
 * Bytes that wait for the kernel. From HIGH_WATER on core is asked to wait; below LOW_WATER it may go on. They are small, since
 * what waits is written in later turns of the event loop only. If core encodes 4 MiB ahead in one turn, the other side idles
 * meanwhile, and this one idles while the kernel takes them. In turns of 128 KiB the two work side by side, a third faster.
 */
const HIGH_WATER = 128 * 1024
const LOW_WATER = 32 * 1024
/** Buffers per system call; the kernel takes 1,024. */
const GATHERED = 64

/** Every small frame leaves from here. */
const writeBuffer = new Uint8Array(new ArrayBuffer(HEADER + COPIED))

/** What the writer needs of its wire. */
export interface PipeWriterHost {
  /** The kernel has taken bytes that waited. */
  moved(): void
  /** The queue was written to its end. */
  emptied(): void
  /** Core may send again. */
  drain(): void
  /** The kernel has refused a write, for another reason than that it is full. Called from inside a send. */
  failed(error: Error): void
  /** The stream could not write, and is about to be destroyed. */
  streamFailed(error: Error): void
  /** Reads what is there, and keeps it for later. Whether there was anything. */
  keepWhatCame(): boolean
}

/**
 * The writing half of a {@link PipeWire}. Invariants:
 *
 * - Bytes leave in one order. `#queue` holds what the kernel has not taken. While it holds something, nothing overtakes it.
 * - This class makes the system calls itself, at once. The stream is given one byte at most: it writes that when the kernel has
 *   room again, which wakes this class. So an exit of the process, during which no event loop turns, needs to know one thing
 *   only: whether the kernel has taken that byte. What follows the byte is then written synchronously.
 * - Without descriptors the stream is given the whole queue at a time, and nothing more until it has written that.
 */
export class PipeWriter {
  readonly #socket: Socket
  readonly #fd: number
  readonly #host: PipeWriterHost
  #queue: Uint8Array[] = []
  #queued = 0
  /** Buffers beside frames of which a part is in the queue. */
  readonly #beside = new Set<ArrayBufferLike>()
  /** Bytes at the start of the queue that the stream was given. */
  #given = 0
  /** Core waits for `drain`. */
  #full = false
  /** Nobody will read what is written. */
  #unheard = false
  #exiting = false
  #onWritten: () => void = () => {}
  /** ms that this process, when it exits, waits for the other side to read. */
  #patience = LONGEST_FLUSH

  constructor(socket: Socket, fd: number, host: PipeWriterHost) {
    this.#socket = socket
    this.#fd = fd
    this.#host = host
  }

  /** Whether nothing is left that anybody will read. */
  get idle(): boolean {
    return this.#queued === 0 || this.#unheard
  }

  /** Sends a frame of up to COPIED bytes. Whether core may go on. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#unheard || this.#socket.destroyed) return true
    const { length } = bytes
    writeLength(writeBuffer, length)
    let taken = 0
    if (this.#queued === 0) {
      writeBuffer.set(bytes, HEADER)
      taken = this.#write(() => writeSync(this.#fd, writeBuffer, 0, HEADER + length))
      if (taken === HEADER + length || this.#unheard) return true
    }
    if (taken < HEADER) this.#enqueue(writeBuffer.slice(taken, HEADER))
    this.#enqueue(taken > HEADER ? bytes.subarray(taken - HEADER) : bytes)
    return this.#queueGrew()
  }

  /** Sends what `gathered` gave for a frame and the buffers beside it. Whether core may go on. */
  sendAll(buffers: readonly Uint8Array[], beside: readonly ArrayBuffer[]): boolean {
    if (this.#unheard || this.#socket.destroyed) return true
    for (const each of beside) if (each.byteLength > 0) this.#beside.add(each)
    let taken = 0
    if (this.#queued === 0) {
      // What one call cannot take is queued.
      const first = buffers.length > GATHERED ? buffers.slice(0, GATHERED) : buffers
      taken = this.#write(() => writevSync(this.#fd, first))
      if (this.#unheard) return true
    }
    for (const each of buffers) {
      if (taken < each.length) this.#enqueue(taken > 0 ? each.subarray(taken) : each)
      else this.#written(each)
      taken = Math.max(0, taken - each.length)
    }
    return this.#queued === 0 || this.#queueGrew()
  }

  /** Fulfils when the kernel has all that was sent, or nobody will read it. */
  written(): Promise<void> {
    if (this.#queued === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#onWritten = resolve
    })
  }

  /** The process exits, and no event loop turns any more: writes the queue now, and later frames within their `send`. */
  exit(patience: number): void {
    if (!DESCRIPTORS) return
    this.#exiting = true
    this.#patience = patience
    if (this.#given > 0) {
      if (this.#socket.writableLength === 0) this.#dequeue(this.#given)
      this.#given = 0
    }
    this.#flushSync()
    this.#drained()
  }

  /** Nobody will read what is written: drops the queue, and what is sent from here on. */
  lose(): void {
    this.#unheard = true
    this.#given = 0
    this.#queue = []
    this.#queued = 0
    this.#beside.clear()
    this.#onWritten()
  }

  #flushSync(): void {
    const deadline = performance.now() + this.#patience
    while (this.#queued > 0) {
      if (this.#writeQueue()) return
      if (performance.now() >= deadline) {
        this.lose()
        tellLoss(
          `${Math.ceil(this.#patience / 1000)} s after its end another process still does not read: what was sent to it is lost`,
        )
        return
      }
      // The other side may be exiting too, and wait until this one reads.
      if (!this.#host.keepWhatCame()) pause()
    }
  }

  /** Whether core may go on. */
  #queueGrew(): boolean {
    if (this.#exiting) this.#flushSync()
    else this.#ring()
    // It stays full until `drain` is called, whatever else is sent.
    if (this.#queued >= HIGH_WATER) this.#full = true
    return !this.#full
  }

  #enqueue(bytes: Uint8Array): void {
    this.#queue.push(bytes)
    this.#queued += bytes.length
  }

  #dequeue(count: number): void {
    this.#queued -= count
    let left = count
    while (left > 0) {
      const first = this.#queue[0] as Uint8Array
      if (first.length > left) {
        this.#queue[0] = first.subarray(left)
        return
      }
      left -= first.length
      this.#queue.shift()
      this.#written(first)
    }
  }

  /** The kernel has all of it. */
  #written({ buffer }: Uint8Array): void {
    if (this.#beside.size > 0 && this.#beside.delete(buffer)) recycle(buffer as ArrayBuffer)
  }

  /** Gives the kernel what it takes at once. Whether it took everything. */
  #writeQueue(): boolean {
    while (this.#queued > 0) {
      const buffers = this.#queue.length > GATHERED ? this.#queue.slice(0, GATHERED) : this.#queue
      let wanted = 0
      for (const each of buffers) wanted += each.length
      const taken = this.#write(() => writevSync(this.#fd, buffers))
      if (this.#unheard) return true
      this.#dequeue(taken)
      if (taken < wanted) return false
    }
    return true
  }

  /** How many bytes the kernel took. A destroyed stream has closed its descriptor, which may be another file's by now. */
  #write(call: () => number): number {
    if (this.#socket.destroyed) this.lose()
    if (this.#unheard || !DESCRIPTORS) return 0
    try {
      return call()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
      this.lose()
      this.#host.failed(error as Error)
      return 0
    }
  }

  /** Gives the stream the byte that wakes this class when the kernel has room again. */
  #ring(): void {
    if (this.#given > 0) return
    const [first] = this.#queue as [Uint8Array]
    this.#given = DESCRIPTORS ? 1 : this.#queued
    this.#stream(DESCRIPTORS ? [first.subarray(0, 1)] : this.#queue, error => {
      if (this.#given === 0) return
      const taken = this.#given
      this.#given = 0
      if (error) {
        this.lose()
        this.#host.streamFailed(error)
      } else this.#dequeue(taken)
      this.#host.moved()
      if (!this.#writeQueue()) this.#ring()
      else this.#emptied()
      this.#drained()
    })
  }

  #stream(buffers: readonly Uint8Array[], written: (error?: Error | null) => void): void {
    this.#socket.cork()
    for (const [i, each] of buffers.entries()) this.#socket.write(each, i === buffers.length - 1 ? written : undefined)
    this.#socket.uncork()
  }

  #emptied(): void {
    this.#onWritten()
    this.#host.emptied()
  }

  /** Tells core that there is room, where it waits for that. */
  #drained(): void {
    if (!this.#full || this.#queued >= LOW_WATER) return
    this.#full = false
    this.#host.drain()
  }
}
