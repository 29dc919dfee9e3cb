import { discardParcels } from '../link/wire-end.js'
import { Deque } from '../runtime/deque.js'
import type { Transport } from '../transport/transport.js'
import type { Job, Task } from './task.js'

/** A queue of up to so many tasks drops dead ones at once. In a longer queue they wait until they are half of it. */
const SWEPT_AT_ONCE = 256

/**
 * The tasks that no worker has, first come first served. A task whose job is over is dead: it stays in the queue until somebody
 * comes across it, or until the queue is swept.
 */
export class TaskQueue {
  readonly #transport: Transport
  #tasks = new Deque<Task>()
  #dead = 0

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** How many tasks are in it, dead ones too. */
  get length(): number {
    return this.#tasks.length
  }

  /** How many tasks wait for a worker. */
  get waiting(): number {
    return this.#tasks.length - this.#dead
  }

  /** Drops the task where its job is over: reading an input and encoding run the user's code, which may end the job. */
  push(task: Task): void {
    if (task.job.over) return discardParcels(task.parcels, this.#transport)
    this.#tasks.push(task)
    task.job.queued++
  }

  /** Puts a task back that a worker had: it is the next one. No-op where its job is over. */
  putBack(task: Task): void {
    if (task.job.over) return
    task.recalled = false
    this.#tasks.unshift(task)
    task.job.queued++
  }

  /** Puts several tasks back: they are the next ones, in their order. */
  putBackAll(tasks: readonly Task[]): void {
    for (const task of [...tasks].reverse()) this.putBack(task)
  }

  /** The next task that waits; drops the dead ones before it. */
  peek(): Task | undefined {
    for (;;) {
      const task = this.#tasks.peek()
      if (!task?.job.over) return task
      this.#tasks.shift()
      this.#dead--
      discardParcels(task.parcels, this.#transport)
    }
  }

  /** Takes out the task that `peek` gave. */
  take(task: Task): void {
    this.#tasks.shift()
    task.job.queued--
  }

  /** The job is over, and its tasks are dead. */
  drop(job: Job): void {
    this.#dead += job.queued
    job.queued = 0
    if (this.#dead === 0) return
    if (this.#tasks.length <= SWEPT_AT_ONCE || this.#dead * 2 > this.#tasks.length) this.sweep()
  }

  /** Drops all dead tasks. */
  sweep(): void {
    const live = new Deque<Task>()
    for (const task of this.#tasks) {
      if (task.job.over) discardParcels(task.parcels, this.#transport)
      else live.push(task)
    }
    this.#tasks = live
    this.#dead = 0
  }

  /** The jobs whose tasks wait. */
  jobs(): Set<Job> {
    const jobs = new Set<Job>()
    for (const { job } of this.#tasks) if (!job.over) jobs.add(job)
    return jobs
  }
}
