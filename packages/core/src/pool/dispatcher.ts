import type { Task } from './task.js'
import type { TaskQueue } from './task-queue.js'
import type { WorkerHandle } from './worker-handle.js'
import type { Workers } from './workers.js'

/**
 * How much work a worker may have besides the task that it is at: ms (more where it can be taken back at any time), tasks, bytes.
 * It is enough for the worker never to wait for a round trip.
 */
const AHEAD = { ms: 1, takeable: 4, tasks: 512, bytes: 1024 * 1024 }
/** ms of silence after which a worker loses what it has not begun, if another one is idle. */
const STEAL_AFTER = 5

/** Decides which worker gets which task, and when. While a task waits in the queue no worker is idle. */
export class Dispatcher {
  readonly #queue: TaskQueue
  readonly #workers: Workers
  /** Tasks after which a worker is replaced. */
  readonly #maxTasks: number
  #stealing: NodeJS.Timeout | undefined

  constructor(queue: TaskQueue, workers: Workers, maxTasks: number) {
    this.#queue = queue
    this.#workers = workers
    this.#maxTasks = maxTasks
  }

  /** The worker is ready, and has no task. */
  idle(worker: WorkerHandle): void {
    this.#workers.addIdle(worker)
    if (this.#queue.length === 0) this.#stealLater()
  }

  /** The worker has one task less. */
  next(worker: WorkerHandle): void {
    if (worker.yielding || worker.doomedBy) return
    if (worker.tasks.size <= worker.lowWater) this.#fill(worker)
    if (worker.tasks.size === 0) this.idle(worker)
  }

  /** Gives idle workers what is queued, and starts workers where none is idle. */
  dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#workers.takeIdle()
      if (!worker) return this.#workers.restock()
      this.#fill(worker)
      // All that was queued was dead.
      if (worker.tasks.size === 0) this.#workers.addIdle(worker)
    }
  }

  /** Takes nothing back from workers any more. */
  stop(): void {
    clearTimeout(this.#stealing)
  }

  /** Gives the worker a task, and what it may have ahead. The last tasks are shared evenly. */
  #fill(worker: WorkerHandle): void {
    if (worker.retiring || !worker.isReady || worker.yielding || worker.doomedBy) return
    const queue = this.#queue
    const now = performance.now()
    let share = Math.ceil(queue.length / Math.max(1, this.#workers.active))
    for (let task = queue.peek(); task; task = queue.peek()) {
      if (worker.tasks.size > 0 && (share <= 0 || !fitsAhead(worker, task, now))) break
      queue.take(task)
      share--
      worker.give(task, now)
      if (worker.given >= this.#maxTasks) {
        this.#workers.wearOut(worker)
        break
      }
    }
    worker.lowWater = worker.tasks.size >> 1
    worker.flush()
  }

  /** An idle worker takes over what another one has not begun, if that one has been at a task for long. */
  #stealLater(): void {
    if (this.#stealing || !this.#anyAhead()) return
    this.#stealing = setTimeout(() => {
      this.#stealing = undefined
      const now = performance.now()
      for (const worker of this.#workers) {
        if (now - worker.heardAt >= STEAL_AFTER && this.#workers.idle > 0) this.#queue.putBackAll(worker.takeBack())
      }
      this.dispatch()
      if (this.#workers.idle > 0) this.#stealLater()
    }, STEAL_AFTER).unref()
  }

  #anyAhead(): boolean {
    for (const { tasks } of this.#workers) if (tasks.size > 1) return true
    return false
  }
}

/** Whether the task may wait behind another one: it must be known to be short, and it must still go to another worker. */
function fitsAhead({ tasks, heardAt, sharesMemory }: WorkerHandle, task: Task, now: number): boolean {
  if (task.parcels || task.callee.pace === undefined || tasks.size >= AHEAD.tasks) return false
  if (now - heardAt > STEAL_AFTER) return false
  return (
    tasks.load + task.callee.pace * task.count <= (sharesMemory ? AHEAD.takeable : AHEAD.ms) &&
    tasks.bytes + task.end - task.start <= AHEAD.bytes
  )
}
