import { runChild } from './child.js'
import { LIFELINE, WIRE } from './transport.js'
import { PipeWire } from './wire.js'

/**
 * In a thread of its own, since this one may be busy when the parent dies; and before anything of the user's is imported, since
 * that may be what keeps it busy. The thread needs nothing of this one to start. 4 ms, 10 MB.
 */
function watch(): void {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: LIFELINE,
    // Neither the flags nor the preloaded modules of the program.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  })
  watchdog.unref()
  // Out of memory, most likely: the daemon then lives without.
  watchdog.on('error', () => {})
}

watch()
await runChild(new PipeWire({ fd: WIRE }, true))
