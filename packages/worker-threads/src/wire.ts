import { MessageChannel, MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads'
import { isTransferred, type Wire, type WireSink } from '@mp/core/spi'

/**
 * Bytes from which on a frame is moved. A smaller frame travels as a string with one byte a character: an ArrayBuffer costs each
 * thread an allocation outside its heap, 0.6 us each way of a round trip of 4.5 us.
 */
const MOVED_FROM = 1024

/**
 * The last that is posted. A port that closes tells its other side only when its own thread's event loop turns. This comes
 * before all that the thread posts afterwards, to whomever.
 */
const CLOSED = 0

/** A small frame, a larger one, or a frame with attachments. */
type Posted = string | Uint8Array | { frame: Uint8Array; attachments: readonly object[] } | typeof CLOSED

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
}

/** A MessagePort as a wire. A port keeps what arrives until somebody listens, and survives a transfer. */
export class PortWire implements Wire {
  readonly #port: MessagePort
  #closed = false
  #sink: WireSink | undefined

  constructor(port: MessagePort) {
    this.#port = port
  }

  start(sink: WireSink): void {
    const port = this.#port
    this.#sink = sink
    port.on('message', (posted: Posted) => this.#deliver(posted))
    const onClose = () => this.#ended()
    port.on('close', onClose)
    port.on('messageerror', error => {
      this.close()
      sink.close(error as Error)
    })
    // If the other side was gone before anyone listened here, the port has emitted 'close' already.
    if (!(port as MessagePort & { hasRef(): boolean }).hasRef()) setImmediate(onClose)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (attachments) {
      post(this.#port, objects => ({ frame: bytes, attachments: objects }), attachments)
    } else if (bytes.length >= MOVED_FROM) {
      this.#port.postMessage(bytes, [bytes.buffer])
    } else {
      this.#port.postMessage(latin1Slice.call(bytes, 0, bytes.length))
    }
    return true
  }

  receiveSync(timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const received: { message: Posted } | undefined = receiveMessageOnPort(this.#port)
      if (received) {
        this.#deliver(received.message)
        return true
      }
      if (performance.now() >= deadline) return false
      // While the event loop stands still, nothing tells of a message.
      Atomics.wait(never, 0, 0, 1)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    // A port in a message that nobody takes would stay open, and its other side would never hear of it.
    for (let left = receiveMessageOnPort(this.#port); left; left = receiveMessageOnPort(this.#port)) {
      const { message } = left as { message: Posted }
      if (typeof message === 'object' && !ArrayBuffer.isView(message)) closePorts(message.attachments)
    }
    this.#port.postMessage(CLOSED)
    this.#port.close()
  }

  unref(): void {
    this.#port.unref()
  }

  #deliver(posted: Posted): void {
    const sink = this.#sink as WireSink
    if (typeof posted === 'string') sink.frame(bytesOf(posted))
    else if (posted === CLOSED) this.#ended()
    else if (ArrayBuffer.isView(posted)) sink.frame(posted)
    else sink.frame(posted.frame, posted.attachments)
  }

  /** The other side has closed, or is gone. */
  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    this.#port.close()
    this.#sink?.close()
  }
}

/** Posts what `wrap` makes of the objects. Shared memory stays shared, and copies are copied again; all other objects are moved. */
export function post(
  port: MessagePort,
  wrap: (objects: readonly object[]) => unknown,
  objects: readonly object[],
): void {
  try {
    postAll(port, wrap, objects)
  } catch {
    // What cannot be moved makes the whole message fail: a port whose other side is gone, or what a thread that breaks the
    // protocol has let ride along twice. Something that is found closed, or empty, takes its place.
    const seen = new Set<object>()
    const movable = objects.map(object => {
      const twice = seen.has(object)
      seen.add(object)
      return object instanceof ArrayBuffer ? liveBuffer(object, twice) : livePort(object)
    })
    postAll(port, wrap, movable)
  }
}

function liveBuffer(buffer: ArrayBuffer, twice: boolean): ArrayBuffer {
  // One that has been moved has no bytes.
  return twice || buffer.byteLength === 0 ? new ArrayBuffer(0) : buffer
}

function postAll(port: MessagePort, wrap: (objects: readonly object[]) => unknown, objects: readonly object[]): void {
  const moved = objects.filter(isTransferred) as Transferable[]
  port.postMessage(wrap(objects), moved)
}

export function closePorts(objects: readonly object[]): void {
  for (const each of objects) if (each instanceof MessagePort) each.close()
}

function livePort(object: object): object {
  if (!(object instanceof MessagePort)) return object
  try {
    return structuredClone(object, { transfer: [object] })
  } catch {
    const { port1, port2 } = new MessageChannel()
    port1.close()
    return port2
  }
}

const never = new Int32Array(new SharedArrayBuffer(4))

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  latin1Write.call(bytes, text, 0, text.length)
  return bytes
}
