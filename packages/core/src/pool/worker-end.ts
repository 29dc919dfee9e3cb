import { MpError } from '../errors.js'
import type { Task } from './task.js'
import type { WorkerHandle } from './worker-handle.js'

/** ms that a terminated worker has until it is killed. */
const TERMINATION = 1000
/** ms that a worker which is being started has to see that it is not needed. */
const START = 5000

/**
 * Ends a worker whatever it is at. One that is being started may finish that: it then finds its link closed, and leaves. Node
 * loses the descriptor of the file that a thread is loading when that thread is terminated.
 */
export function endWorker(worker: WorkerHandle): void {
  setTimeout(() => killWorker(worker), worker.isReady ? TERMINATION : START).unref()
  if (!worker.isReady) return worker.retire()
  try {
    worker.process.terminate()
  } catch {
    // It has ended, or could not be started.
  }
}

export function killWorker(worker: WorkerHandle): void {
  try {
    worker.process.kill()
  } catch {
    // It has ended, or could not be started.
  }
}

/** The error of a worker that ended, and of the task that it was at. */
export function lostError({ name }: WorkerHandle, exitCode: number | null, error: unknown, task?: Task): MpError {
  // MP_WORKER_LOST says no more than the exit code. What led to the end is its cause.
  const cause = error instanceof MpError && error.code === 'MP_WORKER_LOST' ? error.cause : error
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  const at = task ? ` while it ran ${task.callee.name}` : ''
  const how = exitCode === null ? 'could not be started' : `ended with exit code ${exitCode}`
  const lost = new MpError('MP_WORKER_LOST', `${name} ${how}${at}${why}`, cause === undefined ? undefined : { cause })
  if (exitCode !== null) lost.exitCode = exitCode
  return lost
}
