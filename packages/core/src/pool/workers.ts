import { hasCode } from '../errors.js'
import { LONGEST_TIMER } from '../runtime/wait-options.js'
import type { CheckedPoolOptions } from './pool-options.js'
import type { Task } from './task.js'
import { endWorker, lostError } from './worker-end.js'
import type { WorkerHandle } from './worker-handle.js'

/** After so many workers in a row that ended before they had a task, no more are started. */
const MOST_BARREN = 5
/** ms until a worker is replaced that ended in vain. The next one in a row is replaced after twice as long, up to the most. */
const BACK_OFF = { first: 50, most: 400 }

/** How much work there is for the workers. */
export interface Demand {
  /** Tasks that no worker has. */
  readonly waiting: number
  /** Workers that are kept when there is nothing to do. */
  readonly fewest: number
  /** Makes a worker. */
  hire(): WorkerHandle
}

/** Why workers cannot do the work, whoever is started next. */
export interface Hopelessness {
  readonly what: string
  readonly cause: unknown
}

/** A pool's workers: starts as many as there is work for, ends those that are idle for long, replaces those that are lost. */
export class Workers {
  readonly #demand: Demand
  readonly #min: number
  readonly #max: number
  readonly #idleTimeout: number
  readonly #all = new Set<WorkerHandle>()
  /** Ready, and without a task. The last one became idle last, and is taken first; so the others can leave. */
  readonly #idle: WorkerHandle[] = []
  /** Workers that are not retiring. */
  #active = 0
  #everReady = false
  /** Workers in a row that ended before they had a task. */
  #barren = 0
  /** Workers in a row that ended at a function which has never given anything. Its module may be why. */
  #lostLoading = 0
  /** Lost and worn-out workers that have not been replaced. */
  #vacancies = 0
  #restarts = 0
  /** There will be no more work. */
  #leaving = false
  #ended = false
  #backOff: NodeJS.Timeout | undefined
  #shrinking: NodeJS.Timeout | undefined

  constructor(demand: Demand, { min, max, idleTimeout }: Pick<CheckedPoolOptions, 'min' | 'max' | 'idleTimeout'>) {
    this.#demand = demand
    this.#min = min
    this.#max = max
    this.#idleTimeout = idleTimeout
  }

  get size(): number {
    return this.#all.size
  }

  get idle(): number {
    return this.#idle.length
  }

  get active(): number {
    return this.#active
  }

  /** Workers that were started in place of lost or worn-out ones. */
  get restarts(): number {
    return this.#restarts
  }

  [Symbol.iterator](): IterableIterator<WorkerHandle> {
    return this.#all.values()
  }

  has(worker: WorkerHandle): boolean {
    return this.#all.has(worker)
  }

  takeIdle(): WorkerHandle | undefined {
    return this.#idle.pop()
  }

  /** The worker has no task: it is idle, or leaves. */
  addIdle(worker: WorkerHandle): void {
    if (worker.retiring || this.#leaving) return this.retire(worker)
    worker.idleSince = performance.now()
    this.#idle.push(worker)
    if (this.#active > this.#min) this.#shrinkLater()
  }

  /** Starts as many workers as there is work for, within the bounds. */
  restock(): void {
    if (this.#ended) return
    const busy = this.#active - this.#idle.length
    const wanted = Math.max(busy - this.#starting() + this.#demand.waiting, this.#demand.fewest)
    let missing = Math.min(wanted, this.#max) - this.#active
    if (missing <= 0 || this.#backOff) return
    // The first one that is lost with a task is replaced at once.
    const inVain = Math.max(this.#barren, this.#lostLoading - 1)
    if (inVain > 0) {
      const wait = Math.min(BACK_OFF.first * 2 ** (inVain - 1), BACK_OFF.most)
      this.#backOff = setTimeout(() => {
        this.#backOff = undefined
        this.#hire()
        this.restock()
      }, wait).unref()
      return
    }
    for (; missing > 0; missing--) this.#hire()
  }

  /** The worker's initializer is through. */
  ready(): void {
    this.#everReady = true
  }

  /** A worker has answered a task. */
  proven(): void {
    this.#barren = 0
    this.#lostLoading = 0
  }

  /** The worker gets no more tasks, and leaves when it has none. */
  retire(worker: WorkerHandle): void {
    this.#removeIdle(worker)
    this.#stopGiving(worker)
    worker.retire()
  }

  /** The worker has had as many tasks as it may have. Another one takes its place. */
  wearOut(worker: WorkerHandle): void {
    this.#stopGiving(worker)
    this.#vacancies++
    this.restock()
  }

  /** The worker has ended. */
  remove(worker: WorkerHandle): void {
    this.#all.delete(worker)
    if (!worker.retiring) this.#active--
    this.#removeIdle(worker)
  }

  /**
   * The worker has ended although nobody wished it. Says so where there is no point in starting another one. `at`: the task that
   * it was at.
   */
  lose(worker: WorkerHandle, at: Task | undefined, exitCode: number | null, error: unknown): Hopelessness | undefined {
    this.#vacancies++
    if (worker.unfit) {
      const how = hasCode(error, 'MP_BAD_TARGET') ? ' cannot import what it calls' : "'s initializer failed"
      return { what: worker.name + how, cause: error }
    }
    if (!worker.isReady && !this.#everReady) return { what: `${worker.name} could not be started`, cause: error }
    if (at && at.callee.pace === undefined) this.#lostLoading++
    if (worker.given > 0 || ++this.#barren < MOST_BARREN) return undefined
    return {
      what: `${this.#barren} workers in a row ended before they had a task`,
      cause: lostError(worker, exitCode, error),
    }
  }

  /** There is nothing left to do: each worker leaves when it has no task. */
  leave(): void {
    this.#leaving = true
    clearTimeout(this.#backOff)
    for (const worker of this.#all) if (worker.tasks.size === 0) this.retire(worker)
  }

  /** Ends all workers whatever they are at, and starts no more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#shrinking)
    clearTimeout(this.#backOff)
    for (const worker of this.#all) endWorker(worker)
  }

  #removeIdle(worker: WorkerHandle): void {
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  #stopGiving(worker: WorkerHandle): void {
    if (worker.retiring) return
    worker.retiring = true
    this.#active--
  }

  #starting(): number {
    let starting = 0
    for (const { isReady, retiring } of this.#all) if (!isReady && !retiring) starting++
    return starting
  }

  #hire(): void {
    if (this.#vacancies > 0) {
      this.#vacancies--
      this.#restarts++
    }
    this.#active++
    this.#all.add(this.#demand.hire())
  }

  #shrinkLater(): void {
    if (this.#shrinking || this.#idleTimeout > LONGEST_TIMER) return
    this.#shrinking = setTimeout(() => {
      this.#shrinking = undefined
      const since = performance.now() - this.#idleTimeout + 1
      for (const worker of [...this.#idle]) {
        if (this.#active > this.#min && worker.idleSince <= since) this.retire(worker)
      }
      if (this.#active > this.#min && this.#idle.length > 0) this.#shrinkLater()
    }, this.#idleTimeout).unref()
  }
}
