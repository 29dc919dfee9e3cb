import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sit, standUp } from '../core.js'
import type { Session } from '../session.js'

/** The session of a raw child. `end` makes the child end by itself. */
export function sessionOf(child: ChildProcess, run: Session['run'], end: () => void): Session {
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  const lost = exited.then(code => {
    throw new Error(`a raw process ended with exit code ${code} while its messages were awaited`)
  })
  lost.catch(() => {}) // `run` tells it to whoever waits
  return {
    ready: sit,
    run: count => Promise.race([run(count), lost]),
    async close() {
      standUp()
      end()
      const code = await exited
      if (code !== 0) throw new Error(`a raw process ended with exit code ${code}`)
    },
  }
}

export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
