import { LIFELINE } from './transport.js'
import type { WatchdogData } from './watchdog.js'

/**
 * Ends this process, a daemon, when its parent is gone. A separate thread does so, since this one may be busy then. It must be
 * called before anything of the user's is imported, since that may be what keeps this thread busy. The watching thread needs no
 * help of this one to start. It costs 4 ms and 10 MB. `leftover`: a directory for the thread to remove as well.
 */
export function watch(leftover?: string): void {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { lifeline: LIFELINE, parent: process.ppid, leftover } satisfies WatchdogData,
    // The thread gets neither the flags nor the preloaded modules of the program.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  })
  watchdog.unref()
  // Most likely there is no memory for the thread: then nothing watches the parent.
  watchdog.on('error', () => {})
}
