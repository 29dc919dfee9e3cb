import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import type { Target } from '../process/target.js'
import { Pending } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { AssignedParts } from './assigned-tasks.js'
import { Callees } from './callees.js'
import { Dispatcher } from './dispatcher.js'
import { GracePeriods } from './grace-periods.js'
import type { CheckedPoolOptions } from './pool-options.js'
import type { PoolStats } from './pool-stats.js'
import { type Callee, type Job, rejectAll, type Task } from './task.js'
import { TaskQueue } from './task-queue.js'
import { lostError } from './worker-end.js'
import { WorkerHandle, type WorkerUser } from './worker-handle.js'
import { type Demand, Workers } from './workers.js'

/** How many workers one task may take with it where lost tasks are tried again. */
const MOST_LOSSES = 3

/**
 * Gives the tasks of a pool to its workers. It is not the Pool that the user holds, so that dropping that one is noticed.
 *
 * - A task is in the queue, or among the tasks of one worker, or over.
 * - A job in `#jobs` waits for a task, or for its input; each is taken out once.
 */
export class Scheduler implements WorkerUser, Demand {
  readonly #context: Context
  readonly #transport: Transport
  readonly #options: CheckedPoolOptions
  readonly #workers: Workers
  readonly #queue: TaskQueue
  readonly #dispatcher: Dispatcher
  readonly #gracePeriods: GracePeriods
  readonly #jobs = new Set<Job>()
  readonly #callees = new Callees()
  readonly #joiners = new Set<Pending<void>>()
  #state: 'open' | 'closing' | 'terminated' | 'broken' = 'open'
  #brokenBy: MpError | undefined
  /** A job, or a caller who wanted to submit one, has heard that the pool is broken. */
  #breakTold = false
  #nextTask = 1
  readonly #counts = { completed: 0, failed: 0, lost: 0 }

  constructor(context: Context, transport: Transport, options: CheckedPoolOptions) {
    this.#context = context
    this.#transport = transport
    this.#options = options
    this.#queue = new TaskQueue(transport)
    this.#workers = new Workers(this, options)
    this.#dispatcher = new Dispatcher(this.#queue, this.#workers, options.maxTasks)
    this.#gracePeriods = new GracePeriods(this.#queue, this.#workers, this.#dispatcher)
    // A module that children import may make a pool that they never use.
    if (!context.parent) this.#workers.restock()
  }

  get transport(): Transport {
    return this.#transport
  }

  /** How many workers there are when there is enough to do. */
  get size(): number {
    return this.#options.max
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get stats(): PoolStats {
    let running = 0
    for (const { tasks } of this.#workers) running += tasks.size
    const { size: workers, idle, restarts } = this.#workers
    return { workers, idle, queued: this.waiting, running, ...this.#counts, restarts }
  }

  get waiting(): number {
    return this.#queue.waiting
  }

  get fewest(): number {
    if (this.#state === 'open') return this.#options.min
    return this.#jobs.size > 0 ? 1 : 0
  }

  hire(): WorkerHandle {
    return new WorkerHandle(this.#context, this.#transport, this.#options, this)
  }

  /** @throws {MpError} MP_CLOSED or MP_BROKEN_POOL when no more jobs are taken. */
  checkOpen(): void {
    if (this.#state === 'broken') {
      this.#breakTold = true
      throw this.#broken()
    }
    if (this.#state === 'terminated') throw new MpError('MP_CLOSED', 'the pool was terminated: it takes no more jobs')
    if (this.#state === 'closing') throw new MpError('MP_CLOSED', 'the pool is closed: it takes no more jobs')
  }

  /** Throws what `describeTarget` throws. */
  callee(target: Target<never[]>): Callee {
    return this.#callees.of(target)
  }

  nextTask(): number {
    const number = this.#nextTask
    this.#nextTask = (this.#nextTask + 1) >>> 0
    return number
  }

  open(job: Job): void {
    this.#jobs.add(job)
  }

  /** The job has settled. Those of its tasks that are queued are dropped. */
  over(job: Job): void {
    if (job.over) return
    job.over = true
    this.#jobs.delete(job)
    this.#queue.drop(job)
    this.#leaveIfDone()
  }

  submit(task: Task): void {
    this.#queue.push(task)
    this.#dispatcher.dispatch()
  }

  submitAll(tasks: readonly Task[]): void {
    for (const task of tasks) this.#queue.push(task)
    this.#dispatcher.dispatch()
  }

  /**
   * Nobody waits for the job any more. Workers that are at one of its tasks are told. A worker that is still at one when `grace` ms
   * have passed is killed, and replaced.
   */
  cancel(job: Job, reason: unknown, grace: number): void {
    if (job.over) return
    this.over(job)
    for (const worker of this.#workers) {
      for (const task of worker.tasks) {
        if (task.job !== job) continue
        worker.abort(task, reason)
        this.#gracePeriods.begin(worker, task, grace)
      }
    }
  }

  close(cancelQueued: boolean): void {
    if (this.#state === 'open') this.#state = 'closing'
    if (this.#state !== 'closing') return
    if (cancelQueued) {
      for (const job of this.#queue.jobs()) {
        job.fail(new MpError('MP_CLOSED', 'the pool was closed before this job could run'))
      }
    }
    this.#leaveIfDone()
  }

  terminate(): void {
    if (this.#state === 'terminated' || this.#state === 'broken') return
    this.#state = 'terminated'
    this.#endAll(() => new MpError('MP_CLOSED', 'the pool was terminated before this job was done'))
  }

  async join(options: WaitOptions | undefined): Promise<void> {
    if (this.#state === 'open') {
      throw new MpError('MP_INVALID_STATE', 'the pool is still running: close or terminate it before join')
    }
    for (const job of [...this.#jobs]) job.finish?.()
    if (this.#workers.size === 0) return
    const pending = new Pending<void>()
    this.#joiners.add(pending)
    pending.limit(
      options,
      () => pending.reject(new MpError('MP_TIMEOUT', 'the pool had not ended in time')),
      () => void this.#joiners.delete(pending),
    )
    return pending.promise
  }

  ready(worker: WorkerHandle): void {
    this.#workers.ready()
    this.#dispatcher.idle(worker)
    this.#dispatcher.dispatch()
  }

  answered(_worker: WorkerHandle, task: Task): void {
    if (task.failed) this.#counts.failed++
    else this.#counts.completed++
  }

  heard(worker: WorkerHandle, callee: Callee, pace: number): void {
    worker.heardAt = performance.now()
    this.#workers.proven()
    callee.pace = callee.pace === undefined ? pace : (callee.pace + pace) / 2
    this.#dispatcher.next(worker)
  }

  returned(worker: WorkerHandle, task: Task): void {
    this.#queue.putBack(task)
    this.#dispatcher.dispatch()
    this.#dispatcher.next(worker)
  }

  yielded(worker: WorkerHandle): void {
    this.#dispatcher.next(worker)
    this.#dispatcher.dispatch()
  }

  gone(worker: WorkerHandle, exitCode: number | null, error: unknown): void {
    this.#workers.remove(worker)
    const parts = worker.tasks.parts()
    worker.tasks.clear()
    if (this.#state === 'open' || this.#state === 'closing') {
      this.#settle(worker, parts, exitCode, error)
      this.#workers.restock()
      this.#dispatcher.dispatch()
      this.#leaveIfDone()
    }
    if (this.#workers.size > 0) return
    for (const joiner of this.#joiners) joiner.resolve()
    this.#joiners.clear()
  }

  /** Settles what a worker had when it ended, and draws conclusions from an end that nobody wished. */
  #settle(worker: WorkerHandle, parts: AssignedParts, exitCode: number | null, error: unknown): void {
    const { unheard, current, untouched } = parts
    this.#queue.putBackAll(untouched)
    for (const task of [...unheard].reverse()) if (!task.job.over) this.#lose(task, worker, exitCode, error)
    // It was called back long before the worker was killed for another task. So the worker did not begin it.
    if (current?.recalled && worker.doomedBy) this.#queue.putBack(current)
    else if (current && !current.job.over) {
      current.losses++
      this.#lose(current, worker, exitCode, error)
    }
    if (worker.retiring) return
    const hopeless = this.#workers.lose(worker, current, exitCode, error)
    if (hopeless) this.#break(hopeless.what, hopeless.cause)
  }

  #lose(task: Task, worker: WorkerHandle, exitCode: number | null, error: unknown): void {
    this.#counts.lost++
    const lost = lostError(worker, exitCode, error, task)
    const { onWorkerLost } = this.#options
    if (onWorkerLost === 'break') return this.#break(`${worker.name} was lost`, lost)
    if (onWorkerLost === 'retry' && !task.parcels && task.losses < MOST_LOSSES) return this.#queue.putBack(task)
    rejectAll(task, lost)
    task.job.settled(task)
  }

  #break(what: string, cause: unknown): void {
    if (this.#state === 'broken' || this.#state === 'terminated') return
    this.#state = 'broken'
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    this.#brokenBy = new MpError('MP_BROKEN_POOL', `the pool is broken, since ${what}${why}`, { cause })
    this.#breakTold = this.#jobs.size > 0
    this.#endAll(() => this.#broken())
    setImmediate(() => {
      if (!this.#breakTold) process.emitWarning((this.#brokenBy as MpError).message, { code: 'MP_BROKEN_POOL' })
    })
  }

  #broken(): MpError {
    const { message, cause } = this.#brokenBy as MpError
    return new MpError('MP_BROKEN_POOL', message, { cause })
  }

  #endAll(why: () => MpError): void {
    this.#dispatcher.stop()
    for (const job of [...this.#jobs]) job.fail(why())
    this.#queue.sweep()
    this.#workers.end()
  }

  /** Once the pool is closed and all jobs are done the workers leave, each when it has no task. */
  #leaveIfDone(): void {
    if (this.#state === 'closing' && this.#jobs.size === 0) this.#workers.leave()
  }
}
