import type { MessagePort, Transferable } from 'node:worker_threads'
import type { Wire, WireSink } from '@mp/core/spi'

/** Bytes from which on a frame is moved to the other thread instead of copied there. */
const TRANSFERRED = 1024

/** A frame alone, or a frame with what rides beside it. */
type Posted = Uint8Array | { frame: Uint8Array; attachments: readonly object[] }

/** A MessagePort as a wire. Ports keep what arrives until they are listened to, and outlive a transfer. */
export class PortWire implements Wire {
  readonly #port: MessagePort
  #closed = false

  constructor(port: MessagePort) {
    this.#port = port
  }

  start(sink: WireSink): void {
    const port = this.#port
    port.on('message', (posted: Posted) => {
      if (ArrayBuffer.isView(posted)) sink.frame(posted)
      else sink.frame(posted.frame, posted.attachments)
    })
    const onClose = () => {
      if (this.#closed) return
      this.#closed = true
      sink.close()
    }
    port.on('close', onClose)
    port.on('messageerror', error => {
      port.close()
      sink.close(error as Error)
    })
    // A port whose other side was gone before anyone listened here has had its close event already.
    if (!(port as MessagePort & { hasRef(): boolean }).hasRef()) setImmediate(onClose)
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    if (attachments) {
      const moved = attachments.filter(each => !(each instanceof SharedArrayBuffer)) as Transferable[]
      this.#port.postMessage({ frame: bytes, attachments }, moved)
    } else if (bytes.length >= TRANSFERRED) {
      this.#port.postMessage(bytes, [bytes.buffer])
    } else {
      this.#port.postMessage(bytes)
    }
    return true
  }

  close(): void {
    this.#closed = true
    this.#port.close()
  }

  unref(): void {
    this.#port.unref()
  }
}
