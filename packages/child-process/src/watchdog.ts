import { rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'

export interface WatchdogData {
  readonly lifeline: number
  /** A directory to remove when the parent is gone. */
  readonly leftover: string | undefined
}

const { lifeline: fd, leftover } = workerData as WatchdogData

// Nothing is ever sent here. The lifeline closes when the parent has ended, however it did.
const lifeline = new Socket({ fd })
lifeline.on('error', () => {})
lifeline.on('close', () => {
  try {
    if (leftover !== undefined) rmSync(leftover, { recursive: true, force: true })
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
})
lifeline.resume()
