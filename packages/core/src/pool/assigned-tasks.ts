import { MpError } from '../errors.js'
import type { SharedProgress } from './shared-progress.js'
import type { Task } from './task.js'

/** The tasks that a worker has, by how far it is with them. */
export interface AssignedParts {
  /** The worker was through with them, but their results have not arrived. They are of the same job as `current`. */
  readonly unheard: readonly Task[]
  /** The worker is at it. It may be through already, with the result on its way. */
  readonly current: Task | undefined
  /** The worker has not begun them. */
  readonly untouched: readonly Task[]
}

/** The tasks that a worker has and has not answered, in the order in which it runs them. */
export class AssignedTasks {
  readonly #tasks = new Map<number, Task>()
  readonly #progress: SharedProgress | undefined
  /** ms that they will take, as far as is known. */
  load = 0
  /** How many bytes they have, encoded. */
  bytes = 0

  constructor(progress: SharedProgress | undefined) {
    this.#progress = progress
  }

  get size(): number {
    return this.#tasks.size
  }

  add(task: Task): void {
    this.#tasks.set(task.number, task)
    task.expected = (task.callee.pace ?? 0) * task.count
    this.load += task.expected
    this.bytes += task.end - task.start
  }

  remove(task: Task): void {
    this.#tasks.delete(task.number)
    this.bytes -= task.end - task.start
    this.load = this.#tasks.size === 0 ? 0 : this.load - task.expected
  }

  has(task: Task): boolean {
    return this.#tasks.get(task.number) === task
  }

  /** Throws MP_DECODE where the worker has no such task. */
  byNumber(number: number): Task {
    const task = this.#tasks.get(number)
    if (!task) throw new MpError('MP_DECODE', 'a worker speaks of a task that it does not have')
    return task
  }

  parts(): AssignedParts {
    const progress = this.#progress
    if (!progress) {
      const [current, ...untouched] = this.#tasks.values()
      return { unheard: [], current, untouched }
    }
    const unheard: Task[] = []
    const untouched: Task[] = []
    let current: Task | undefined
    for (const task of this.#tasks.values()) {
      const distance = progress.distance(task.place)
      if (distance > 0) untouched.push(task)
      else if (distance < 0) unheard.push(task)
      else current = task
    }
    return { unheard, current, untouched }
  }

  clear(): void {
    this.#tasks.clear()
    this.load = 0
    this.bytes = 0
  }

  [Symbol.iterator](): IterableIterator<Task> {
    return this.#tasks.values()
  }
}
