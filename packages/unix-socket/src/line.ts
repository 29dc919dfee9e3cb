import type { PipeWire } from '@mp/child-process/spi'

/** Who listens to a line. */
export interface LineUser {
  frame(bytes: Uint8Array): void
  drain(): void
  close(error: Error | undefined): void
}

/** A connection whose listener changes: what comes while it has none is kept, in order, the end included. */
export class Line {
  readonly wire: PipeWire
  #user: LineUser | undefined
  #kept: Uint8Array[] = []
  #ended: { readonly error: Error | undefined } | undefined

  constructor(wire: PipeWire) {
    this.wire = wire
    wire.start({
      frame: bytes => {
        if (this.#user) this.#user.frame(bytes)
        else this.#kept.push(bytes)
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
    while (this.#kept.length > 0 && this.#user === user) user.frame(this.#kept.shift() as Uint8Array)
    if (this.#ended && this.#user === user) user.close(this.#ended.error)
  }

  send(bytes: Uint8Array): boolean {
    return this.wire.send(bytes as Uint8Array<ArrayBuffer>)
  }

  close(): void {
    this.wire.close()
  }
}
