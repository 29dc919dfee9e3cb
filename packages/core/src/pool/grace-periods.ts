import { caughtUp } from '../runtime/turn.js'
import { LONGEST_TIMER } from '../runtime/wait-options.js'
import type { Dispatcher } from './dispatcher.js'
import type { Task } from './task.js'
import type { TaskQueue } from './task-queue.js'
import { killWorker } from './worker-end.js'
import type { WorkerHandle } from './worker-handle.js'
import type { Workers } from './workers.js'

/** ms between two looks at what a worker is at. */
const LOOK_AGAIN = 5
/** ms that a worker without shared memory has to give back what is behind the task that it will be killed for. */
const GIVE_BACK = 50

/**
 * Kills workers that are still at a task when its grace period is over. No other task may be lost with it:
 *
 * - Answers that have come are read first. This event loop may have stood still for long.
 * - A worker that has not come to the task is left alone until it has: it may be at another job's.
 * - From the decision to the end of the worker it gets nothing, and what is behind the task is taken back.
 */
export class GracePeriods {
  readonly #queue: TaskQueue
  readonly #workers: Workers
  readonly #dispatcher: Dispatcher

  constructor(queue: TaskQueue, workers: Workers, dispatcher: Dispatcher) {
    this.#queue = queue
    this.#workers = workers
    this.#dispatcher = dispatcher
  }

  /** Nobody waits for the task any more. Its worker has so many ms to be through with it. */
  begin(worker: WorkerHandle, task: Task, ms: number): void {
    if (ms <= LONGEST_TIMER) setTimeout(() => void this.#end(worker, task), ms).unref()
  }

  async #end(worker: WorkerHandle, task: Task): Promise<void> {
    while (worker.tasks.has(task)) {
      await allHeard(worker, task)
      if (isAt(worker, task) && (await this.#doom(worker, task))) return killWorker(worker)
      await pause(LOOK_AGAIN)
    }
  }

  /** Takes back what is behind the task. False where the worker is at the task no more: then it goes on. */
  async #doom(worker: WorkerHandle, task: Task): Promise<boolean> {
    worker.doomedBy = task
    const deadline = performance.now() + GIVE_BACK
    this.#queue.putBackAll(worker.takeBack())
    this.#dispatcher.dispatch()
    while (!worker.sharesMemory && hasOthers(worker, task) && performance.now() < deadline) await pause(LOOK_AGAIN)
    await allHeard(worker, task)
    if (isAt(worker, task)) return true
    if (worker.doomedBy === task && this.#workers.has(worker)) {
      worker.doomedBy = undefined
      this.#dispatcher.next(worker)
    }
    return false
  }
}

function isAt(worker: WorkerHandle, task: Task): boolean {
  return worker.tasks.has(task) && worker.tasks.parts().current === task
}

/** Waits until all that the worker has said so far was heard, or until it is through with the task. */
async function allHeard(worker: WorkerHandle, task: Task): Promise<void> {
  let heard: number
  do {
    heard = worker.messages
    await caughtUp()
  } while (worker.messages !== heard && worker.tasks.has(task))
}

/** Whether the worker has another task that somebody waits for. */
function hasOthers(worker: WorkerHandle, task: Task): boolean {
  for (const each of worker.tasks) if (each !== task && !each.job.over) return true
  return false
}

/** Does not keep the program alive. */
function pause(ms: number): Promise<void> {
  return new Promise(resolve => void setTimeout(resolve, ms).unref())
}
