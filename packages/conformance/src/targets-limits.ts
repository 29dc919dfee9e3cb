import type { Connection, Queue } from '@mp/core'

/** Puts, each with a limit, until one put gives up. Tells how many were put, and what the last one rejected with. */
export async function putUntilRefused(queue: Queue, report: Connection, how: 'timeout' | 'signal'): Promise<void> {
  const text = 'x'.repeat(100_000)
  for (let number = 0; ; number++) {
    const options = how === 'timeout' ? { timeout: 100 } : { signal: AbortSignal.timeout(100) }
    try {
      await queue.put([number, text], options)
    } catch (error) {
      const { code, name } = error as Error & { code?: unknown }
      await report.send([number, typeof code === 'string' ? code : name])
      return
    }
  }
}

export function putAtExit(queue: Queue, end: 'return' | 'exit'): void {
  process.on('exit', () => void queue.put('from the exit handler'))
  if (end === 'exit') process.exit(3)
}
