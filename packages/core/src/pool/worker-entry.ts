import { registerHandle } from '../context/message-reader.js'
import { SharedProgress } from './shared-progress.js'
import { type FunctionReference, openWorkerLoop, type WorkerLoop } from './worker-loop.js'

// Only workers open desks: the children of a Process do not load them.
registerHandle('desk', openWorkerLoop)

/** The target of a pool's workers. */
export function work(
  desk: WorkerLoop,
  claims: SharedArrayBuffer | null,
  initializer: FunctionReference | null,
  initargs: readonly unknown[],
): Promise<void> {
  return desk.serve(claims && new SharedProgress(claims), initializer, initargs)
}
