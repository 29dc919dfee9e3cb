import { rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'
import { isParentGone } from './parent.js'
import { pause } from './pause.js'

export interface WatchdogData {
  readonly lifeline: number
  /** Its pid. */
  readonly parent: number
  /** A directory to remove when the parent is gone. */
  readonly leftover: string | undefined
}

/** ms. The descriptors of a process that dies close one after the other; then its children get another parent. */
const LONGEST_DEATH = 100

const { lifeline: fd, parent, leftover } = workerData as WatchdogData

// Nothing is ever sent here. The lifeline closes when the parent has ended, however it did.
const lifeline = new Socket({ fd })
lifeline.on('error', () => {})
lifeline.on('close', () => {
  try {
    // This process may have closed the lifeline itself. Only a parent that is gone leaves anything behind.
    for (let waited = 0; leftover !== undefined && waited < LONGEST_DEATH && !isParentGone(parent); waited++) pause()
    if (leftover !== undefined && isParentGone(parent)) rmSync(leftover, { recursive: true, force: true })
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
})
lifeline.resume()
