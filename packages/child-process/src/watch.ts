import { LIFELINE } from './transport.js'
import type { WatchdogData } from './watchdog.js'

/**
 * Ends this process, a daemon, when its parent is gone. In a thread of its own, since this one may be busy then; and to be called
 * before anything of the user's is imported, since that may be what keeps it busy. The thread needs nothing of this one to
 * start. 4 ms, 10 MB. `leftover`: a directory that nobody else would remove then.
 */
export function watch(leftover?: string): void {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { lifeline: LIFELINE, leftover } satisfies WatchdogData,
    // Neither the flags nor the preloaded modules of the program.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  })
  watchdog.unref()
  // Out of memory, most likely: the daemon then lives without.
  watchdog.on('error', () => {})
}
