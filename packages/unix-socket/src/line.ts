import type { PipeWire } from '@mp/child-process/spi'

/** A frame, and the buffers beside it. */
export interface Frame {
  readonly bytes: Uint8Array
  readonly beside: readonly object[] | undefined
}

/** Who listens to a line. */
export interface LineUser {
  frame(bytes: Uint8Array, beside: readonly object[] | undefined): void
  drain(): void
  close(error: Error | undefined): void
}

/** A connection whose listener changes: what comes while it has none is kept, in order, the end included. */
export class Line {
  readonly wire: PipeWire
  #user: LineUser | undefined
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

  /** From here on `user` listens; what was kept comes within the call. */
  give(user: LineUser | undefined): void {
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
