import { writeSync } from 'node:fs'

/** Writes straight to the descriptor: a thread's own stderr goes through its parent, and an exit cuts it off. */
export function report(name: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
  try {
    writeSync(2, `Process ${name}:\n${text}\n`)
  } catch {
    // A closed stderr must not change how the process ends.
  }
}
