import { readSync, writeSync, writevSync } from 'node:fs'
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { recycle, type Wire, type WireSink } from '@mp/core/spi'
import { FrameReader, HEADER } from './frame-reader.js'
import { COPIED, gathered, writeLength } from './frame-writer.js'
import { Spin } from './spin.js'

/** Bytes. What is larger, core cuts. */
export const MAX_FRAME = 2 * 1024 * 1024
/** Bytes. Core counts a message; the table of the ends of pipes that ride along comes on top. */
const LONGEST_RECEIVED = 2 * MAX_FRAME
/**
 * Bytes that wait for the kernel: above the first figure core is asked to wait, below the second it may go on. Few: what waits
 * is written in later turns of the event loop only, so who encodes 4 MiB ahead in one turn lets the other side idle meanwhile,
 * and idles while the kernel takes them; in turns of 128 KiB the two go on side by side, a third faster.
 */
const HIGH_WATER = 128 * 1024
const LOW_WATER = 32 * 1024
/** Buffers per system call; the kernel takes 1,024. */
const GATHERED = 64
/** How long a process that exits waits for the other side to read, ms. */
const LONGEST_FLUSH = 30_000

/** Bytes: a batch of core's, or an array of 64 KiB with what goes beside it, in one read. */
const READ_BUFFER = 72 * 1024
/** Every small frame leaves from here. */
const writeBuffer = new Uint8Array(new ArrayBuffer(HEADER + COPIED))

/**
 * Whether Node gives the descriptors of pipes, to be written and read at once. On Windows everything goes through its streams:
 * nothing can be written when the event loop stands still.
 */
export const DESCRIPTORS = process.platform !== 'win32'

/** The part of Node's own handle of a pipe that is used here. */
export interface PipeHandle {
  /** Where there are {@link DESCRIPTORS}. */
  readonly fd: number
}

/** A descriptor, Node's handle of one, or the path of a listening socket to connect to. */
export type PipeWireSource = { readonly fd: number } | { readonly handle: PipeHandle } | { readonly path: string }

interface Kept {
  readonly bytes: Uint8Array
  readonly beside: readonly ArrayBuffer[] | undefined
}

/**
 * One end of a socket pair as a wire. Invariants:
 *
 * - Bytes leave in one order. `#queue` holds what the kernel has not taken, and while it holds something, nothing passes it.
 * - Writes are system calls of ours, made at once; the stream never has more than one byte, which it writes when the kernel
 *   has room again: that wakes us. So the exit of the process, when no event loop turns, needs to know one bit only: has
 *   the kernel taken that byte. What follows it is written synchronously.
 * - Without descriptors the stream has what it was given last, all of the queue at that time, and nothing else.
 * - A failed write says nothing of what can still be read: the wire ends when reading ends.
 */
export class PipeWire implements Wire {
  readonly maxFrame = MAX_FRAME
  readonly #fd: number
  readonly #socket: Socket
  /** Used again for every read; frames are copied out of it. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BUFFER)
  readonly #spin = new Spin()
  readonly #reader: FrameReader
  #sink: WireSink | undefined
  /** Frames that were read before the start, or while the exiting process waited to write. */
  readonly #kept: Kept[] = []
  /** By this side, or told to it. */
  #closed = false
  /** There is nothing more to read. */
  #ended = false
  /** Fulfils when the other side has closed, or died, or broke the protocol. */
  readonly ended: Promise<void>
  #tellEnded!: () => void
  #error: Error | undefined

  #queue: Uint8Array[] = []
  #queued = 0
  /** Buffers beside frames of which a part is in the queue. */
  readonly #beside = new Set<ArrayBufferLike>()
  /** How much of the queue, from its start, is with the stream, bytes. */
  #given = 0
  /** Core waits for `drain`. */
  #full = false
  /** Nobody will read what is written. */
  #unheard = false
  #exiting = false
  #onWritten: () => void = () => {}
  /** How long this process, when it exits, waits for the other side to read, ms. */
  #patience = LONGEST_FLUSH

  /**
   * `flushAtExit`: this process must not exit before what it sent here was taken. `longest`: bytes that a frame may have
   * until `trust` is called, for a wire to somebody who has not said yet who he is.
   */
  constructor(source: PipeWireSource, flushAtExit: boolean, longest: number = LONGEST_RECEIVED) {
    this.#reader = new FrameReader(longest)
    this.#socket = new Socket({
      ...('path' in source ? {} : source),
      // Closing is this wire's decision.
      allowHalfOpen: true,
      onread: { buffer: this.#buffer, callback: length => this.#read(length) },
    } as SocketConstructorOpts & { onread: OnReadOpts })
    if ('path' in source) this.#fd = connect(this.#socket, source.path)
    else this.#fd = 'fd' in source ? source.fd : source.handle.fd
    this.ended = new Promise(resolve => {
      this.#tellEnded = resolve
    })
    this.#socket.on('end', () => this.#end())
    this.#socket.on('close', () => this.#end())
    // ECONNRESET, EPIPE: the other side is gone, and 'close' follows. Nobody listens at the path: that must be told.
    this.#socket.on('error', error => {
      if ((error as NodeJS.ErrnoException).syscall === 'connect') this.#error = error
    })
    if (flushAtExit) flushedAtExit.add(this)
  }

  /** The other side has said who it is: from here on its frames may be as long as they get. */
  trust(): void {
    this.#reader.longest = LONGEST_RECEIVED
  }

  start(sink: WireSink): void {
    this.#sink = sink
    if (this.#kept.length > 0 || this.#ended) setImmediate(() => this.#deliverKept())
  }

  /** `beside`: ArrayBuffers. */
  send(bytes: Uint8Array<ArrayBuffer>, beside?: readonly object[]): boolean {
    const { length } = bytes
    if (beside || length > COPIED) {
      const buffers = (beside ?? []) as readonly ArrayBuffer[]
      return this.#sendAll(gathered([bytes], buffers), buffers)
    }
    if (this.#closed || this.#unheard || this.#socket.destroyed) return true
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

  sendParts(parts: readonly Uint8Array<ArrayBuffer>[]): boolean {
    return this.#sendAll(gathered(parts, []))
  }

  #sendAll(buffers: readonly Uint8Array[], beside: readonly ArrayBuffer[] = []): boolean {
    if (this.#closed || this.#unheard || this.#socket.destroyed) return true
    for (const each of beside) if (each.byteLength > 0) this.#beside.add(each)
    let taken = 0
    if (this.#queued === 0) {
      // What is more than one call takes waits for the next.
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

  /** All of it is with the kernel. */
  #written({ buffer }: Uint8Array): void {
    if (this.#beside.size > 0 && this.#beside.delete(buffer)) recycle(buffer as ArrayBuffer)
  }

  receiveSync(timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const frame = this.#kept.shift() ?? this.#nextKept()
      if (frame) {
        this.#sink?.frame(frame.bytes, frame.beside)
        return true
      }
      const length = this.#readSync()
      if (length > 0) this.#reader.feed(this.#buffer, length)
      else if (length === 0 || performance.now() >= deadline) return false
      else pause()
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#queued === 0 || this.#unheard) this.#socket.destroy()
  }

  unref(): void {
    this.#socket.unref()
  }

  /** Fulfils when the kernel has all that was sent, or nobody will read it. */
  written(): Promise<void> {
    if (this.#queued === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#onWritten = resolve
    })
  }

  /** The process exits: no event loop turns from here on. Everything sent is written now, also what is still to be sent. */
  exit(patience: number = LONGEST_FLUSH): void {
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

  #flushSync(): void {
    const deadline = performance.now() + this.#patience
    while (this.#queued > 0) {
      if (this.#writeQueue()) return
      if (performance.now() >= deadline) {
        this.#loseQueue()
        tell(
          `${Math.ceil(this.#patience / 1000)} s after its end another process still does not read: what was sent to it is lost`,
        )
        return
      }
      // The other side may be exiting as well, and wait for this one to read.
      if (!this.#keepWhatCame()) pause()
    }
  }

  #keepWhatCame(): boolean {
    for (let frame = this.#nextKept(); frame; frame = this.#nextKept()) this.#kept.push(frame)
    const length = this.#readSync()
    if (length <= 0) return false
    this.#reader.feed(this.#buffer, length)
    for (let frame = this.#nextKept(); frame; frame = this.#nextKept()) this.#kept.push(frame)
    return true
  }

  /** Whether core may go on. */
  #queueGrew(): boolean {
    if (this.#exiting) this.#flushSync()
    else this.#ring()
    // It stays full, whatever else is sent, until `drain` has told otherwise.
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

  #loseQueue(): void {
    this.#unheard = true
    this.#given = 0
    this.#queue = []
    this.#queued = 0
    this.#beside.clear()
    this.#onWritten()
  }

  /** Gives the kernel what it takes at once. Whether it took all. */
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

  /** How many bytes the kernel took. The descriptor of a destroyed stream is closed, and may be another's by now. */
  #write(call: () => number): number {
    if (this.#socket.destroyed) this.#loseQueue()
    if (this.#unheard || !DESCRIPTORS) return 0
    try {
      return call()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#loseQueue()
      return 0
    }
  }

  /** Gives the stream what wakes us when the kernel has room again. */
  #ring(): void {
    if (this.#given > 0) return
    const [first] = this.#queue as [Uint8Array]
    this.#given = DESCRIPTORS ? 1 : this.#queued
    this.#stream(DESCRIPTORS ? [first.subarray(0, 1)] : this.#queue, error => {
      if (this.#given === 0) return
      const taken = this.#given
      this.#given = 0
      if (error) this.#fail()
      else this.#dequeue(taken)
      this.#spin.sign()
      if (!this.#writeQueue()) this.#ring()
      else this.#emptied()
      this.#drained()
    })
  }

  #emptied(): void {
    this.#onWritten()
    if (this.#closed) this.#socket.destroy()
  }

  #stream(buffers: readonly Uint8Array[], written: (error?: Error | null) => void): void {
    this.#socket.cork()
    for (const [i, each] of buffers.entries()) this.#socket.write(each, i === buffers.length - 1 ? written : undefined)
    this.#socket.uncork()
  }

  /** Tells core, where it waits for that. */
  #drained(): void {
    if (!this.#full || this.#queued >= LOW_WATER) return
    this.#full = false
    if (!this.#closed) this.#sink?.drain()
  }

  /** The stream could not write, and is about to be destroyed: what is still to be read is read first. */
  #fail(): void {
    this.#loseQueue()
    for (;;) {
      const length = this.#readSync()
      if (length <= 0) return
      this.#read(length)
    }
  }

  /** `length` bytes are in the read buffer. */
  #read(length: number): boolean {
    this.#reader.feed(this.#buffer, length)
    for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) this.#deliver(frame)
    if (length === READ_BUFFER) this.#readOn()
    this.#spin.sign()
    return true
  }

  /** More is there, and it belongs to a large frame: it is read into its place, up to the frame's end. */
  #readOn(): void {
    for (;;) {
      const room = this.#reader.room
      if (room.length < READ_BUFFER || this.#ended || this.#socket.destroyed) return
      const length = this.#readInto(room)
      if (length <= 0) return
      const frame = this.#reader.filled(length)
      if (frame) this.#deliver(frame)
      // The kernel had no more.
      if (length < room.length) return
    }
  }

  #deliver(bytes: Uint8Array): void {
    const beside = this.#reader.takeBeside()
    if (this.#closed) return
    if (this.#sink && this.#kept.length === 0) this.#sink.frame(bytes, beside)
    else this.#kept.push({ bytes, beside })
  }

  #deliverKept(): void {
    for (let next = this.#kept.shift(); next && !this.#closed; next = this.#kept.shift()) {
      this.#sink?.frame(next.bytes, next.beside)
    }
    if (this.#ended) this.#tellClose()
  }

  #tellClose(): void {
    if (this.#closed || !this.#sink || this.#kept.length > 0) return
    this.#closed = true
    this.#sink.close(this.#error)
  }

  #nextFrame(): Uint8Array | undefined {
    if (this.#ended) return undefined
    try {
      return this.#reader.next()
    } catch (error) {
      this.#end(error as Error)
      return undefined
    }
  }

  #nextKept(): Kept | undefined {
    const bytes = this.#nextFrame()
    return bytes && { bytes, beside: this.#reader.takeBeside() }
  }

  /** How many bytes came into the read buffer: 0 when none can come this way, -1 when none are here yet. */
  #readSync(): number {
    if (this.#ended || this.#socket.destroyed) return 0
    return this.#readInto(this.#buffer)
  }

  #readInto(room: Uint8Array): number {
    if (!DESCRIPTORS) return 0
    try {
      return readSync(this.#fd, room)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? -1 : 0
    }
  }

  #end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error ??= error
    this.#loseQueue()
    flushedAtExit.delete(this)
    this.#socket.destroy()
    this.#tellEnded()
    this.#tellClose()
  }
}

/**
 * Gives the descriptor. The kernel connects a Unix socket within the call: what is written at once, even by a process that
 * exits at once, is there when the other side accepts.
 */
function connect(socket: Socket & { _handle?: PipeHandle | null }, path: string): number {
  socket.connect(path)
  return socket._handle?.fd ?? -1
}

const flushedAtExit = new Set<PipeWire>()
process.on('exit', () => {
  for (const wire of flushedAtExit) wire.exit()
})

/** Before an exit of which `exit` could not see to the wires: fulfils when what they were to flush is with the kernel. */
export async function flushWires(): Promise<void> {
  if (DESCRIPTORS) return
  const late = new Promise<void>(resolve => setTimeout(resolve, LONGEST_FLUSH).unref())
  await Promise.race([late, Promise.all([...flushedAtExit].map(wire => wire.written()))])
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** 1 ms: nothing tells of room, or of bytes, while the event loop stands still. */
function pause(): void {
  Atomics.wait(never, 0, 0, 1)
}

function tell(text: string): void {
  try {
    writeSync(2, `Process ${process.pid}: ${text}\n`)
  } catch {
    // A closed stderr must not change how the process ends.
  }
}
