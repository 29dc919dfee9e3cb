import { DESCRIPTORS } from './pipe-handle.js'

/** ms that a process which exits waits for the other side to read. */
export const LONGEST_FLUSH = 30_000

/** What must not be lost when this process exits, such as a wire whose frames the kernel has not taken yet. */
export interface Flushed {
  /** Writes everything now, without the event loop. */
  exit(): void
  /** Fulfils when the kernel has everything, or nobody will read it. */
  written(): Promise<void>
}

const wires = new Set<Flushed>()
let exiting = false
process.on('exit', () => {
  exiting = true
  for (const wire of wires) wire.exit()
})

/** Also for a wire that is made while the process exits. */
export function flushAtExit(wire: Flushed): void {
  wires.add(wire)
  if (exiting) wire.exit()
}

/** The other side is gone: there is nothing to flush any more. */
export function forget(wire: Flushed): void {
  wires.delete(wire)
}

/** To be awaited before an exit, for systems where nothing can be written during it: fulfils when the wires are flushed. */
export async function flushWires(): Promise<void> {
  if (DESCRIPTORS) return
  const limit = new Promise<void>(resolve => setTimeout(resolve, LONGEST_FLUSH).unref())
  await Promise.race([limit, Promise.all([...wires].map(wire => wire.written()))])
}
