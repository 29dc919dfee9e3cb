import { MessageChannel, MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads'
import type { Wire, WireSink } from '@mp/core/spi'

/**
 * Frames of fewer bytes travel as strings of one byte a character: an ArrayBuffer costs either thread an allocation outside
 * its heap, 0.6 us of a round trip's 4.5 a way. Larger ones are moved.
 */
const MOVED_FROM = 1024

/** A small frame, a frame, or a frame with what rides beside it. */
type Posted = string | Uint8Array | { frame: Uint8Array; attachments: readonly object[] }

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
}

/** A MessagePort as a wire. Ports keep what arrives until they are listened to, and outlive a transfer. */
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
    port.on('message', (posted: Posted) => deliver(posted, sink))
    const onClose = () => {
      if (this.#closed) return
      this.#closed = true
      sink.close()
    }
    port.on('close', onClose)
    port.on('messageerror', error => {
      this.close()
      sink.close(error as Error)
    })
    // A port whose other side was gone before anyone listened here has had its close event already.
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
        deliver(received.message, this.#sink as WireSink)
        return true
      }
      if (performance.now() >= deadline) return false
      // Nothing tells of a message while the event loop stands still.
      Atomics.wait(never, 0, 0, 1)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    // A port that comes in a message which nobody takes would stay open, and its other side would never know.
    for (let left = receiveMessageOnPort(this.#port); left; left = receiveMessageOnPort(this.#port)) {
      const { message } = left as { message: Posted }
      if (typeof message !== 'string' && !ArrayBuffer.isView(message)) closePorts(message.attachments)
    }
    this.#port.close()
  }

  unref(): void {
    this.#port.unref()
  }
}

/** Posts what `wrap` makes of objects: shared memory stays shared, everything else is moved. */
export function post(
  port: MessagePort,
  wrap: (objects: readonly object[]) => unknown,
  objects: readonly object[],
): void {
  try {
    postAll(port, wrap, objects)
  } catch {
    // A port whose other side is gone would fail the whole message. It goes as one that is found closed where it is opened.
    postAll(port, wrap, objects.map(livePort))
  }
}

function postAll(port: MessagePort, wrap: (objects: readonly object[]) => unknown, objects: readonly object[]): void {
  const moved = objects.filter(each => !(each instanceof SharedArrayBuffer)) as Transferable[]
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

function deliver(posted: Posted, sink: WireSink): void {
  if (typeof posted === 'string') sink.frame(bytesOf(posted))
  else if (ArrayBuffer.isView(posted)) sink.frame(posted)
  else sink.frame(posted.frame, posted.attachments)
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  latin1Write.call(bytes, text, 0, text.length)
  return bytes
}
