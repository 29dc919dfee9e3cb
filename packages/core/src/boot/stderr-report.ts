import { writeSync } from 'node:fs'

/** ms that a reader of stderr who does not read may hold the context up. */
const LONGEST_WAIT = 30_000

const never = new Int32Array(new SharedArrayBuffer(4))

/** Writes straight to the descriptor: a thread's own stderr goes through its parent, and an exit cuts it off. */
export function report(name: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
  try {
    writeAll(Buffer.from(`Process ${name}:\n${text}\n`))
  } catch {
    // A closed stderr must not change how the process ends.
  }
}

function writeAll(bytes: Buffer): void {
  const deadline = performance.now() + LONGEST_WAIT
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(2, bytes, at)
    } catch (error) {
      // A pipe that is full, until its reader has read.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > deadline) throw error
      Atomics.wait(never, 0, 0, 1)
    }
  }
}
