import { readSync, writeSync } from 'node:fs'
import { FrameReader, headerOf } from './frame.js'

/** A TCP connection as a wire. The socket may come later: until then, what is sent waits. */
export class SocketWire {
  /** Bytes. What is larger, core cuts. */
  maxFrame = 1024 * 1024
  #reader = new FrameReader()
  #early = []
  #kept = []
  #closed = false
  #socket
  /** Known where this process inherited the socket. */
  #fd
  #write
  #sink

  attach(socket, fd) {
    this.#socket = socket
    this.#fd = fd
    this.#write = fd === undefined ? streamed(socket) : blocking(fd)
    // ECONNRESET, EPIPE: the peer is gone, and 'close' follows. Without a listener they would end this process.
    socket.on('error', () => {})
    socket.unref()
    for (const bytes of this.#early.splice(0)) this.send(bytes)
    if (this.#sink) this.#listen()
    if (this.#closed) socket.destroySoon()
  }

  /** The medium failed before there was a socket. */
  fail(error) {
    this.#end(error)
  }

  start(sink) {
    this.#sink = sink
    // Nothing has been read so far: a socket waits for its first listener.
    if (this.#socket) this.#listen()
  }

  send(bytes) {
    if (!this.#socket) this.#early.push(bytes)
    else if (!this.#socket.destroyed) return this.#write(headerOf(bytes), bytes)
    return true
  }

  close() {
    this.#closed = true
    // After what was written.
    this.#socket?.destroySoon()
  }

  unref() {
    // Done: a socket never keeps the event loop alive here.
  }

  /** Only in a process that exits, which reads what others had sent before they knew. */
  receiveSync(timeoutMs) {
    const end = performance.now() + timeoutMs
    while (this.#kept.length === 0) {
      try {
        const length = readSync(this.#fd, chunk)
        if (length === 0) return false
        this.#kept.push(...this.#reader.feed(chunk.subarray(0, length)))
      } catch (error) {
        if (error.code !== 'EAGAIN' || performance.now() > end) return false
        Atomics.wait(never, 0, 0, 1)
      }
    }
    this.#sink.frame(this.#kept.shift())
    return true
  }

  #listen() {
    this.#socket.on('data', chunk => this.#read(chunk))
    this.#socket.on('drain', () => this.#sink.drain())
    this.#socket.on('close', () => this.#end())
  }

  #read(chunk) {
    try {
      this.#kept.push(...this.#reader.feed(chunk))
      while (this.#kept.length > 0 && !this.#closed) this.#sink.frame(this.#kept.shift())
    } catch (error) {
      this.#end(error)
      this.#socket.destroy()
    }
  }

  #end(error) {
    if (this.#closed) return
    this.#closed = true
    this.#sink.close(error)
  }
}

/** Writes as streams do: false asks core to wait for 'drain'. */
function streamed(socket) {
  return (header, bytes) => {
    socket.cork()
    socket.write(header)
    const hasRoom = socket.write(bytes)
    socket.uncork()
    return hasRoom
  }
}

/**
 * Writes at once, and blocks while the kernel has no room: what a process says while it exits, when its event loop turns no
 * more, must get out as well. The other side reads without ever blocking, so the wait is short.
 */
function blocking(fd) {
  return (header, bytes) => {
    for (const part of [header, bytes]) {
      for (let at = 0; at < part.length; ) {
        try {
          at += writeSync(fd, part, at)
        } catch (error) {
          // Nobody reads any more: dropped.
          if (error.code !== 'EAGAIN') return true
          Atomics.wait(never, 0, 0, 1)
        }
      }
    }
    return true
  }
}

const chunk = Buffer.alloc(64 * 1024)
const never = new Int32Array(new SharedArrayBuffer(4))
