import type { PipeWire } from '@mp/child-process/spi'

/** A frame, and the buffers beside it. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly beside: readonly object[] | undefined
}

/** Who has the wire at the moment, and hears what comes over it. */
export interface WireUser {
  frame(bytes: Uint8Array, beside: readonly object[] | undefined): void
  drain(): void
  close(error: Error | undefined): void
}

/** A wire that is handed from one user to the next. While it has none, it keeps what comes, in order, and the close too. */
export class HandOffWire {
  readonly wire: PipeWire
  #user: WireUser | undefined
  #kept: Frame[] = []
  #ended: { readonly error: Error | undefined } | undefined

  constructor(wire: PipeWire) {
    this.wire = wire
    wire.start({
      frame: (bytes, beside) => {
        if (this.#user) this.#user.frame(bytes, beside)
        else this.#kept.push({ bytes, beside })
      },
      drain: () => this.#user?.drain(),
      close: error => {
        this.#ended = { error }
        this.#user?.close(error)
      },
    })
    wire.unref()
  }

  /** From here on `user` hears what comes. It gets what was kept within this call. */
  handTo(user: WireUser | undefined): void {
    this.#user = user
    if (!user) return
    while (this.#kept.length > 0 && this.#user === user) {
      const { bytes, beside } = this.#kept.shift() as Frame
      user.frame(bytes, beside)
    }
    if (this.#ended && this.#user === user) user.close(this.#ended.error)
  }

  send(bytes: Uint8Array, beside?: readonly object[]): boolean {
    return this.wire.send(bytes as Uint8Array<ArrayBuffer>, beside)
  }

  close(): void {
    this.wire.close()
  }
}
