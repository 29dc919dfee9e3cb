import { readSync } from 'node:fs'
import type { OnReadOpts, Socket, SocketConstructorOpts } from 'node:net'
import type { Wire, WireSink } from '@mp/core/spi'
import { flushAtExit, forget, LONGEST_FLUSH } from './exit-flush.js'
import { FrameReader } from './frame-reader.js'
import { COPIED, gathered } from './frame-writer.js'
import { pause } from './pause.js'
import { connect, DESCRIPTORS, PipeSocket, type PipeWireSource } from './pipe-handle.js'
import { PipeWriter, type PipeWriterHost } from './pipe-writer.js'
import { Spin } from './spin.js'

/** Bytes. Core cuts what is larger. */
export const MAX_FRAME = 2 * 1024 * 1024
/** Bytes. Core counts the message alone; the table of the pipe ends that come with it is added to it. */
const LONGEST_RECEIVED = 2 * MAX_FRAME
/** Bytes: one read takes a batch of core's, or an array of 64 KiB with what goes beside it. */
const READ_BUFFER = 72 * 1024

/**
 * Whatever the event loop reads, over any wire, goes through this buffer, one read at a time: frames are copied out of it. With a buffer
 * of its own an idle wire would cost 82 KB instead of 10.
 */
const loopBuffer = Buffer.allocUnsafeSlow(READ_BUFFER)

/** ms. So long after a write has failed, reading has found the end of a side that is gone. */
const END_FOUND = 50

const NONE: readonly ArrayBuffer[] = []

interface Kept {
  readonly bytes: Uint8Array
  readonly beside: readonly ArrayBuffer[] | undefined
}

/**
 * One end of a socket pair as a wire: the reading half, and how the wire begins and ends. {@link PipeWriter} is the writing half.
 * A failed write says nothing about what can still be read. If the other side is gone, the wire ends when reading ends. If it
 * lives, the wire ends with the error of the write, since nothing more can be sent.
 */
export class PipeWire implements Wire {
  readonly maxFrame = MAX_FRAME
  readonly #fd: number
  readonly #socket: Socket
  readonly #writer: PipeWriter
  /** For reads within a call. User code may make such a call while it is given what is in the buffer of the loop. */
  #callBuffer: Buffer<ArrayBuffer> | undefined
  readonly #spin = new Spin()
  readonly #reader: FrameReader
  #sink: WireSink | undefined
  /** Frames that were read before the start, or while the process waited, at its exit, to write. */
  readonly #kept: Kept[] = []
  /** This side has closed it, or was told of the close. */
  #closed = false
  /** Something was read. */
  #heard = false
  /** There is nothing more to read. */
  #ended = false
  /** Fulfils when the other side has closed, or died, or broke the protocol. */
  readonly ended: Promise<void>
  #tellEnded!: () => void
  #error: Error | undefined

  /**
   * `flushed`: this process must not exit before the kernel has all that was sent here. `longest`: bytes that a frame may have
   * until `trust` is called, for a wire to somebody who is not authenticated yet. `mostBeside`: as in {@link FrameReader}.
   */
  constructor(
    source: PipeWireSource,
    flushed: boolean,
    { longest = LONGEST_RECEIVED, mostBeside }: { longest?: number; mostBeside?: number } = {},
  ) {
    this.#reader = new FrameReader(longest, mostBeside)
    const options = {
      ...('path' in source ? {} : source),
      // This wire decides when to close.
      allowHalfOpen: true,
      onread: { buffer: loopBuffer, callback: (length: number) => this.#read(loopBuffer, length) },
    } as SocketConstructorOpts & { onread: OnReadOpts }
    this.#socket = new PipeSocket(options, () => this.#closing())
    if ('path' in source) this.#fd = connect(this.#socket, source.path)
    else this.#fd = 'fd' in source ? source.fd : source.handle.fd
    this.#writer = new PipeWriter(this.#socket, this.#fd, this.#host())
    this.ended = new Promise(resolve => {
      this.#tellEnded = resolve
    })
    this.#socket.on('end', () => this.#end())
    this.#socket.on('close', () => this.#end())
    // After ECONNRESET and EPIPE the other side is gone, and 'close' follows. That nobody listens at the path must be told.
    this.#socket.on('error', error => {
      if ((error as NodeJS.ErrnoException).syscall === 'connect' && !this.#heard) this.#error = error
    })
    if (flushed) flushAtExit(this)
  }

  #host(): PipeWriterHost {
    return {
      moved: () => this.#spin.sign(),
      emptied: () => {
        if (this.#closed) this.#socket.destroy()
      },
      drain: () => {
        if (!this.#closed) this.#sink?.drain()
      },
      failed: error => this.#writeFailed(error),
      streamFailed: error => {
        if (this.#readRest()) this.#error ??= error
      },
      keepWhatCame: () => this.#keepWhatCame(),
    }
  }

  /** The other side is authenticated: from here on its frames may be as long as frames get. */
  trust(): void {
    this.#reader.longest = LONGEST_RECEIVED
  }

  start(sink: WireSink): void {
    this.#sink = sink
    if (this.#kept.length > 0 || this.#ended) setImmediate(() => this.#deliverKept())
  }

  /** `beside`: ArrayBuffers. */
  send(bytes: Uint8Array<ArrayBuffer>, beside?: readonly object[]): boolean {
    if (this.#closed) return true
    if (beside === undefined && bytes.length <= COPIED) return this.#writer.send(bytes)
    const buffers = (beside ?? NONE) as readonly ArrayBuffer[]
    return this.#writer.sendAll(gathered([bytes], buffers), buffers)
  }

  sendParts(parts: readonly Uint8Array<ArrayBuffer>[]): boolean {
    return this.#closed || this.#writer.sendAll(gathered(parts, NONE), NONE)
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
    if (this.#writer.idle) this.#socket.destroy()
  }

  unref(): void {
    this.#socket.unref()
  }

  /** Fulfils when the kernel has all that was sent, or nobody will read it. */
  written(): Promise<void> {
    return this.#writer.written()
  }

  /** The process exits, and no event loop turns any more: all that was sent, or will be, is written within the call. */
  exit(patience: number = LONGEST_FLUSH): void {
    this.#writer.exit(patience)
  }

  #keepWhatCame(): boolean {
    for (let frame = this.#nextKept(); frame; frame = this.#nextKept()) this.#kept.push(frame)
    const length = this.#readSync()
    if (length <= 0) return false
    this.#reader.feed(this.#buffer, length)
    for (let frame = this.#nextKept(); frame; frame = this.#nextKept()) this.#kept.push(frame)
    return true
  }

  /** Delivers what can still be read. Whether the other side lives: there may be more later. */
  #readRest(): boolean {
    // Twice: the kernel may tell a writer of the end a moment before it tells a reader.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (attempt > 0) pause()
      let length = this.#readSync()
      for (; length > 0; length = this.#readSync()) this.#read(this.#buffer, length)
      if (length === 0) return false
    }
    return true
  }

  /**
   * The descriptor is about to be closed. The other side may have accepted the connection, and closed it with something of ours
   * unread, before Node looked at the connection. Node then tells that it could not connect, and reads nothing. But what the other side
   * had sent is still there.
   */
  #closing(): void {
    if (this.#closed || this.#ended) return
    for (let length = this.#readInto(this.#buffer); length > 0; length = this.#readInto(this.#buffer))
      this.#read(this.#buffer, length)
  }

  #writeFailed(error: Error): void {
    const end = () => {
      // Whether the connection was made is told first.
      if (this.#socket.connecting) this.#socket.once('connect', end)
      else if (!this.#ended && this.#readRest()) this.#end(error)
    }
    setTimeout(end, END_FOUND).unref()
  }

  get #buffer(): Buffer<ArrayBuffer> {
    this.#callBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER)
    return this.#callBuffer
  }

  /** `length` bytes were read into `buffer`. */
  #read(buffer: Buffer<ArrayBuffer>, length: number): boolean {
    this.#heard = true
    this.#reader.feed(buffer, length)
    for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) this.#deliver(frame)
    if (length === READ_BUFFER) this.#readOn()
    this.#spin.sign()
    return true
  }

  /** More bytes of a large frame are there: reads them straight to their place, up to the frame's end. */
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

  /** How many bytes came into `#buffer`: 0 when none can come this way, -1 when none are here yet. */
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
    this.#writer.lose()
    forget(this)
    this.#socket.destroy()
    this.#tellEnded()
    this.#tellClose()
  }
}
