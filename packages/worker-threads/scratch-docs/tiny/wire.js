/** One end of a MessagePort pair. A port keeps what arrives until somebody listens. */
export class PortWire {
  #port
  #closed = false

  constructor(port) {
    this.#port = port
  }

  start(sink) {
    this.#port.on('message', bytes => sink.frame(bytes))
    this.#port.on('close', () => {
      if (this.#closed) return
      this.#closed = true
      sink.close()
    })
  }

  send(bytes) {
    this.#port.postMessage(bytes, [bytes.buffer])
    return true
  }

  close() {
    this.#closed = true
    this.#port.close()
  }

  unref() {
    this.#port.unref()
  }
}
