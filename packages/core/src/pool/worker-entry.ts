import { registerHandle } from '../context/message-reader.js'
import type { FunctionReference } from '../process/function-reference.js'
import * as protocol from './protocol.js'
import { SharedProgress } from './shared-progress.js'
import { openWorkerLoop, type WorkerLoop } from './worker-loop.js'

// Only workers open this kind. The children of a Process do not load it.
registerHandle(protocol.WORKER_LOOP, openWorkerLoop)

/** The target of a pool's workers. */
export function work(
  loop: WorkerLoop,
  progress: SharedArrayBuffer | null,
  initializer: FunctionReference | null,
  initargs: readonly unknown[],
): Promise<void> {
  return loop.serve(progress && new SharedProgress(progress), initializer, initargs)
}
