import { constants } from 'node:os'

/** Has `end` called when the program ends, also by a signal. */
export function atEnd(end: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      end()
      process.exit(128 + constants.signals[signal])
    })
  }
  process.once('exit', end)
}
