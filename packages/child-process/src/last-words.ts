import { writeSync } from 'node:fs'

/** Tells the user, also while the process exits, of a loss that no call can reject for. */
export function tellLoss(text: string): void {
  try {
    writeSync(2, `Process ${process.pid}: ${text}\n`)
  } catch {
    // A closed stderr must not change how the process ends.
  }
}
