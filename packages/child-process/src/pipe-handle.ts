import { Socket, type SocketConstructorOpts } from 'node:net'

/**
 * Whether Node gives the descriptors of pipes, so that they can be written and read at once. On Windows everything goes through
 * its streams: while the event loop stands still, nothing can be written.
 */
export const DESCRIPTORS = process.platform !== 'win32'

/** The part of Node's own handle of a pipe that is used here. */
export interface PipeHandle {
  /** Only where there are {@link DESCRIPTORS}. */
  readonly fd: number
}

/** A descriptor, Node's handle of one, or the path of a listening socket to connect to. */
export type PipeWireSource = { readonly fd: number } | { readonly handle: PipeHandle } | { readonly path: string }

/** A socket that tells when it is about to close its descriptor. */
export class PipeSocket extends Socket {
  readonly #closing: () => void

  constructor(options: SocketConstructorOpts, closing: () => void) {
    super(options)
    this.#closing = closing
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#closing()
    super._destroy(error, done)
  }
}

/**
 * Gives the descriptor. The kernel connects a Unix socket within the call, so what is written at once reaches the other side
 * when it accepts, even if this process has exited by then.
 */
export function connect(socket: Socket & { _handle?: PipeHandle | null }, path: string): number {
  socket.connect(path)
  return socket._handle?.fd ?? -1
}
