import type { Server } from 'node:net'
import { DESCRIPTORS, type PipeHandle } from '@mp/child-process/spi'
import type { AcceptThreadData } from './accept-thread.js'

/** Connections that are accepted during one exit. */
const MOST = 4096

/** Accepts connections while this process exits, and its event loop turns no more. A thread does it, which costs 40 ms. */
export class ExitAcceptor {
  readonly #accepted = new Int32Array(new SharedArrayBuffer((1 + MOST) * Int32Array.BYTES_PER_ELEMENT))
  #given = 0

  constructor(server: Server & { readonly _handle?: PipeHandle | null }) {
    const listening = server._handle?.fd ?? -1
    if (!DESCRIPTORS || listening < 0) return
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const workerData: AcceptThreadData = { listening, accepted: this.#accepted }
    // The thread gets neither the flags nor the preloaded modules of the program.
    const thread = new Worker(new URL('./accept-thread.js', import.meta.url), { workerData, execArgv: [], env: {} })
    thread.unref()
    thread.on('error', () => {})
  }

  /** The descriptor of the next connection. Blocks for `timeoutMs` at most. */
  next(timeoutMs: number): number | undefined {
    if (Atomics.load(this.#accepted, 0) === this.#given) Atomics.wait(this.#accepted, 0, this.#given, timeoutMs)
    if (Atomics.load(this.#accepted, 0) === this.#given) return undefined
    return this.#accepted[++this.#given]
  }
}
