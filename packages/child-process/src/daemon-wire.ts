import { LIFELINE } from './transport.js'
import { PipeWire } from './wire.js'

/** A daemon's wire: with its first word, that the target was found, the watch begins. Earlier, it would delay that word. */
export class DaemonWire extends PipeWire {
  #watched = false

  override send(bytes: Uint8Array<ArrayBuffer>): boolean {
    const hasRoom = super.send(bytes)
    if (!this.#watched) {
      this.#watched = true
      watch()
    }
    return hasRoom
  }
}

/** In a thread of its own: the target may be busy when the parent dies. 4 ms, 10 MB. */
function watch(): void {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: LIFELINE,
    // Neither the flags nor the preloaded modules of the program.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  })
  watchdog.unref()
  // Out of memory, most likely: the daemon then lives without.
  watchdog.on('error', () => {})
}
