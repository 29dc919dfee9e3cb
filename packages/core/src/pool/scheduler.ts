import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import { discardParcels } from '../link/wire-end.js'
import { describeTarget, type Target } from '../process/target.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import { type Callee, type Job, rejectAll, type Task } from './task.js'
import { type Orders, type Remains, WorkerHandle, type WorkerUser } from './worker-handle.js'

/**
 * How much work a worker may have beside the task that it is at: ms (more where it can be taken back at any time), tasks, bytes.
 * Enough that it never waits for a round trip.
 */
const AHEAD = { ms: 1, takeable: 4, tasks: 512, bytes: 1024 * 1024 }
/** ms after which what a worker that says nothing has not begun is taken back, when another one is idle. */
const STEAL_AFTER = 5
/** How many workers one task may take with it where lost tasks are tried again. */
const MOST_LOSSES = 3
/** So many workers in a row that ended before they had a task break the pool. */
const MOST_BARREN = 5
/** A queue of so many tasks is rid of dropped ones at once; in a longer one they wait until they are half of it. */
const SWEPT_AT_ONCE = 256
/** ms before the second of them is replaced; then twice as long each time. */
const BACK_OFF = 50
/** ms that a terminated worker has until it is killed. */
const TERMINATION = 1000
/** ms that a worker which is being started has to see that it is not needed. */
const START = 5000

export interface CrewOptions extends Orders {
  readonly min: number
  readonly max: number
  /** ms that a worker above `min` may be idle. */
  readonly idleTimeout: number
  /** Tasks after which a worker is replaced. */
  readonly maxTasks: number
  readonly onWorkerLost: 'reject' | 'retry' | 'break'
}

export interface PoolStats {
  /** Workers that run or are being started. */
  readonly workers: number
  /** Of these, ready and without a task. */
  readonly idle: number
  /** Tasks that no worker has. A task is one call, or a chunk of items. */
  readonly queued: number
  /** Tasks that workers have, also ahead of the one that each is at. */
  readonly running: number
  /** Tasks that were answered, all of whose calls succeeded. */
  readonly completed: number
  /** Tasks that were answered, of which a call threw. */
  readonly failed: number
  /** Tasks whose worker was lost. */
  readonly lost: number
  /** Workers that were started in place of lost or worn-out ones. */
  readonly restarts: number
}

/**
 * A pool's workers, and the queue of what they are to do. Not the Pool that the user holds, so that dropping that one is
 * noticed.
 *
 * - A task is in the queue, or in the `inFlight` of one member, or over.
 * - A job in `#jobs` waits for a task, or for its input; each is taken out once.
 * - While a task is queued and none of its kind is being hurried, no ready member is idle.
 */
export class Scheduler implements WorkerUser {
  readonly #context: Context
  readonly #transport: Transport
  readonly #options: CrewOptions
  readonly #members = new Set<WorkerHandle>()
  /** Ready, and without a task. The last one was idle last, and is asked first: so the others can leave. */
  readonly #idle: WorkerHandle[] = []
  #queue = new Deque<Task>()
  /** Tasks in the queue whose job is over. */
  #dead = 0
  readonly #jobs = new Set<Job>()
  #state: 'open' | 'closing' | 'terminated' | 'broken' = 'open'
  #brokenBy: MpError | undefined
  /** A job, or whoever wanted to submit one, has heard that the pool is broken. */
  #breakTold = false
  readonly #joiners = new Set<Pending<void>>()
  readonly #callees = new WeakMap<object, Callee>()
  readonly #calleesByName = new Map<string, Callee>()
  #nextCallee = 1
  #nextTask = 1
  /** Members that are not retiring. */
  #active = 0
  #everReady = false
  /** Workers in a row that ended before they had a task. */
  #barren = 0
  #backOff: NodeJS.Timeout | undefined
  #shrinking: NodeJS.Timeout | undefined
  #stealing: NodeJS.Timeout | undefined
  #vacancies = 0
  readonly #counts = { completed: 0, failed: 0, lost: 0, restarts: 0 }

  constructor(context: Context, transport: Transport, options: CrewOptions) {
    this.#context = context
    this.#transport = transport
    this.#options = options
    this.#restock()
  }

  get transport(): Transport {
    return this.#transport
  }

  get context(): Context {
    return this.#context
  }

  /** Workers that there are when there is enough to do. */
  get size(): number {
    return this.#options.max
  }

  get running(): boolean {
    return this.#state === 'open'
  }

  get closing(): boolean {
    return this.#state === 'closing'
  }

  get stats(): PoolStats {
    let running = 0
    for (const { inFlight } of this.#members) running += inFlight.size
    const queued = this.#queue.length - this.#dead
    return { workers: this.#members.size, idle: this.#idle.length, queued, running, ...this.#counts }
  }

  /** @throws {MpError} MP_CLOSED or MP_BROKEN_POOL when no more jobs are taken. */
  checkOpen(): void {
    if (this.#state === 'broken') this.#breakTold = true
    if (this.#state === 'broken') throw this.#broken()
    if (this.#state === 'terminated') throw new MpError('MP_CLOSED', 'the pool was terminated: it takes no more jobs')
    if (this.#state === 'closing') throw new MpError('MP_CLOSED', 'the pool is closed: it takes no more jobs')
  }

  /** What `describeTarget` throws. */
  callee(target: Target<never[]>): Callee {
    const known = typeof target === 'function' ? this.#callees.get(target) : undefined
    if (known) return known
    const reference = describeTarget(target)
    if (typeof target === 'function') {
      const callee = this.#newCallee(target, reference)
      this.#callees.set(target, callee)
      return callee
    }
    const key = `${reference.module}\0${reference.name}`
    const callee = this.#calleesByName.get(key) ?? this.#newCallee(target, reference)
    this.#calleesByName.set(key, callee)
    return callee
  }

  nextTask(): number {
    const number = this.#nextTask
    this.#nextTask = (this.#nextTask + 1) >>> 0
    return number
  }

  open(job: Job): void {
    this.#jobs.add(job)
  }

  /** The job has settled: what of it is queued is dropped. */
  over(job: Job): void {
    if (job.over) return
    job.over = true
    this.#dead += job.queued
    job.queued = 0
    this.#jobs.delete(job)
    if (this.#dead > 0 && (this.#queue.length <= SWEPT_AT_ONCE || this.#dead * 2 > this.#queue.length)) this.#sweep()
    if (this.#state === 'closing') this.#wind()
  }

  submit(task: Task): void {
    this.#queue.push(task)
    task.job.queued++
    this.#dispatch()
  }

  submitAll(tasks: readonly Task[]): void {
    for (const task of tasks) {
      this.#queue.push(task)
      task.job.queued++
    }
    this.#dispatch()
  }

  /**
   * Nobody waits for the job any more. Tasks that run are told; a worker that is still at one of them when `grace` ms have
   * passed is killed, and replaced.
   */
  cancel(job: Job, reason: unknown, grace: number): void {
    if (job.over) return
    this.over(job)
    for (const member of this.#members) {
      for (const task of member.inFlight.values()) {
        if (task.job !== job) continue
        member.abort(task, reason)
        if (grace <= LONGEST_GRACE) setTimeout(() => this.#endTask(member, task), grace).unref()
      }
    }
  }

  close(cancelQueued: boolean): void {
    if (this.#state === 'open') this.#state = 'closing'
    if (this.#state !== 'closing') return
    clearTimeout(this.#shrinking)
    if (cancelQueued) {
      for (const task of this.#queue) {
        task.job.fail(new MpError('MP_CLOSED', 'the pool was closed before this job could run'))
      }
    }
    this.#wind()
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
    if (this.#members.size === 0) return
    const pending = new Pending<void>()
    this.#joiners.add(pending)
    pending.limit(
      options,
      () => pending.reject(new MpError('MP_TIMEOUT', 'the pool had not ended in time')),
      () => void this.#joiners.delete(pending),
    )
    return pending.promise
  }

  ready(member: WorkerHandle): void {
    this.#everReady = true
    member.idleSince = performance.now()
    this.#idleOrRetire(member)
    this.#dispatch()
  }

  answered(_member: WorkerHandle, task: Task): void {
    if (task.failed) this.#counts.failed++
    else this.#counts.completed++
  }

  heard(member: WorkerHandle, callee: Callee, pace: number): void {
    member.heardAt = performance.now()
    this.#barren = 0
    callee.pace = callee.pace === undefined ? pace : (callee.pace + pace) / 2
    this.#next(member)
  }

  returned(member: WorkerHandle, task: Task): void {
    task.recalled = false
    if (!task.job.over) this.#requeue(task)
    this.#dispatch()
    this.#next(member)
  }

  yielded(member: WorkerHandle): void {
    this.#next(member)
    this.#dispatch()
  }

  gone(member: WorkerHandle, exitCode: number | null, error: unknown): void {
    this.#members.delete(member)
    if (!member.retiring) this.#active--
    const at = this.#idle.indexOf(member)
    if (at >= 0) this.#idle.splice(at, 1)
    const remains = member.remains()
    member.inFlight.clear()
    if (this.#state === 'open' || this.#state === 'closing') {
      this.#mourn(member, remains, exitCode, error)
      this.#restock()
      this.#dispatch()
      if (this.#state === 'closing') this.#wind()
    }
    if (this.#members.size > 0) return
    for (const joiner of this.#joiners) joiner.resolve()
    this.#joiners.clear()
  }

  /** What follows from a worker's end, when nobody asked for it. */
  #mourn(
    member: WorkerHandle,
    { unheard, current, untouched }: Remains,
    exitCode: number | null,
    error: unknown,
  ): void {
    for (const task of [...untouched].reverse()) this.#requeue(task)
    for (const task of [...unheard].reverse()) if (!task.job.over) this.#lose(task, member, exitCode, error)
    if (current && !current.job.over) {
      current.losses++
      this.#lose(current, member, exitCode, error)
    }
    if (member.retiring) return
    this.#vacancies++
    if (member.unfit || (!member.isReady && !this.#everReady)) {
      const what = member.unfit ? "'s initializer failed" : ' could not be started'
      return this.#break(`${member.name}${what}`, error)
    }
    if (member.given > 0) return
    if (++this.#barren < MOST_BARREN) return
    this.#break(`${this.#barren} workers in a row ended before they had a task`, lostError(member, exitCode, error))
  }

  #lose(task: Task, member: WorkerHandle, exitCode: number | null, error: unknown): void {
    this.#counts.lost++
    const lost = lostError(member, exitCode, error, task)
    const { onWorkerLost } = this.#options
    if (onWorkerLost === 'break') return this.#break(`${member.name} was lost`, lost)
    if (onWorkerLost === 'retry' && !task.parcels && task.losses < MOST_LOSSES) return this.#requeue(task)
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
    clearTimeout(this.#shrinking)
    clearTimeout(this.#stealing)
    clearTimeout(this.#backOff)
    for (const job of [...this.#jobs]) job.fail(why())
    this.#sweep()
    for (const member of this.#members) end(member)
  }

  /** All jobs are done: the workers leave, each when it has no task. */
  #wind(): void {
    if (this.#jobs.size > 0) return
    clearTimeout(this.#backOff)
    for (const member of this.#members) if (member.inFlight.size === 0) this.#retire(member)
  }

  #retire(member: WorkerHandle): void {
    const at = this.#idle.indexOf(member)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#stopGiving(member)
    member.retire()
  }

  #stopGiving(member: WorkerHandle): void {
    if (member.retiring) return
    member.retiring = true
    this.#active--
  }

  /** The member has one task less. */
  #next(member: WorkerHandle): void {
    if (member.yielding) return
    if (member.inFlight.size <= member.lowWater) this.#fill(member)
    if (member.inFlight.size === 0) {
      member.idleSince = performance.now()
      this.#idleOrRetire(member)
    }
  }

  #idleOrRetire(member: WorkerHandle): void {
    if (member.retiring || (this.#state === 'closing' && this.#jobs.size === 0)) return this.#retire(member)
    this.#idle.push(member)
    if (this.#active > this.#options.min) this.#shrinkLater()
    if (this.#queue.length === 0) this.#stealLater()
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const member = this.#idle.pop()
      if (!member) return this.#restock()
      this.#fill(member)
      if (member.inFlight.size === 0) {
        // All that was queued was dead.
        this.#idle.push(member)
      }
    }
  }

  /** Gives the member a task, and what it may have ahead. The last tasks are shared evenly. */
  #fill(member: WorkerHandle): void {
    if (member.retiring || !member.isReady || member.yielding) return
    const queue = this.#queue
    const now = performance.now()
    let share = Math.ceil(queue.length / Math.max(1, this.#active))
    for (let task = queue.peek(); task; task = queue.peek()) {
      if (task.job.over) {
        queue.shift()
        this.#dead--
        discardParcels(task.parcels, this.#transport)
        continue
      }
      if (member.inFlight.size > 0 && (share <= 0 || !fitsAhead(member, task, now))) break
      queue.shift()
      task.job.queued--
      share--
      member.give(task, now)
      if (member.given >= this.#options.maxTasks) {
        this.#stopGiving(member)
        this.#vacancies++
        this.#restock()
        break
      }
    }
    member.lowWater = member.inFlight.size >> 1
    member.flush()
  }

  #requeue(task: Task): void {
    if (task.job.over) return
    this.#queue.unshift(task)
    task.job.queued++
  }

  #sweep(): void {
    const live = new Deque<Task>()
    for (const task of this.#queue) {
      if (task.job.over) discardParcels(task.parcels, this.#transport)
      else live.push(task)
    }
    this.#queue = live
    this.#dead = 0
  }

  #endTask(member: WorkerHandle, task: Task): void {
    if (member.inFlight.get(task.number) !== task) return
    // It may wait behind another's, which is nobody's to end.
    if (member.current === task) end(member, 'SIGKILL')
    else setTimeout(() => this.#endTask(member, task), STEAL_AFTER).unref()
  }

  /** As many workers as there is to do, within the bounds. */
  #restock(): void {
    if (this.#state !== 'open' && this.#state !== 'closing') return
    const { min, max } = this.#options
    const busy = this.#active - this.#idle.length
    const starting = this.#starting()
    const wanted = Math.max(busy - starting + Math.max(this.#queue.length - this.#dead, 0), this.#floor(min))
    let missing = Math.min(wanted, max) - this.#active
    if (missing <= 0 || this.#backOff) return
    if (this.#barren > 0) {
      const wait = BACK_OFF * 2 ** (this.#barren - 1)
      this.#backOff = setTimeout(() => {
        this.#backOff = undefined
        this.#hire()
        this.#restock()
      }, wait).unref()
      return
    }
    for (; missing > 0; missing--) this.#hire()
  }

  #floor(min: number): number {
    if (this.#state === 'open') return min
    return this.#jobs.size > 0 ? 1 : 0
  }

  #starting(): number {
    let starting = 0
    for (const { isReady, retiring } of this.#members) if (!isReady && !retiring) starting++
    return starting
  }

  #hire(): void {
    if (this.#vacancies > 0) {
      this.#vacancies--
      this.#counts.restarts++
    }
    this.#active++
    this.#members.add(new WorkerHandle(this.#context, this.#transport, this.#options, this))
  }

  #shrinkLater(): void {
    const { min, idleTimeout } = this.#options
    if (this.#shrinking || idleTimeout > LONGEST_GRACE) return
    this.#shrinking = setTimeout(() => {
      this.#shrinking = undefined
      const since = performance.now() - idleTimeout + 1
      for (const member of [...this.#idle]) {
        if (this.#active > min && member.idleSince <= since) this.#retire(member)
      }
      if (this.#active > min && this.#idle.length > 0 && this.#state === 'open') this.#shrinkLater()
    }, idleTimeout).unref()
  }

  /** A worker that is idle takes over what another one has not begun, if that one has been at a task for long. */
  #stealLater(): void {
    if (this.#stealing || !this.#hasAhead()) return
    this.#stealing = setTimeout(() => {
      this.#stealing = undefined
      const now = performance.now()
      for (const member of this.#members) {
        if (now - member.heardAt < STEAL_AFTER || this.#idle.length === 0) continue
        const taken = member.takeBack()
        for (const task of [...taken].reverse()) this.#requeue(task)
      }
      this.#dispatch()
      if (this.#idle.length > 0) this.#stealLater()
    }, STEAL_AFTER).unref()
  }

  #hasAhead(): boolean {
    for (const { inFlight } of this.#members) if (inFlight.size > 1) return true
    return false
  }

  #newCallee(target: Target<never[]>, reference: Callee['reference']): Callee {
    return { number: this.#nextCallee++, name: reference.name, target, reference, pace: undefined }
  }
}

/** The longest that a timer can take, ms; more is for ever. */
const LONGEST_GRACE = 0x7fff_ffff

/** Only tasks that are known to be short wait behind another, and only such as can still be given to another worker. */
function fitsAhead({ inFlight, load, bytes, heardAt, sharesMemory }: WorkerHandle, task: Task, now: number): boolean {
  if (task.parcels || task.callee.pace === undefined || inFlight.size >= AHEAD.tasks) return false
  if (now - heardAt > STEAL_AFTER) return false
  return (
    load + task.callee.pace * task.count <= (sharesMemory ? AHEAD.takeable : AHEAD.ms) &&
    bytes + task.end - task.start <= AHEAD.bytes
  )
}

/**
 * A worker that is being started is let to the end of that: it finds its desk closed, and leaves. Node loses the descriptor of
 * the file that a thread is just loading when that thread is terminated.
 */
function end(member: WorkerHandle, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): void {
  const kill = () => {
    try {
      member.process.kill()
    } catch {
      // It has ended, or could not be started.
    }
  }
  if (signal === 'SIGKILL') return kill()
  setTimeout(kill, member.isReady ? TERMINATION : START).unref()
  if (!member.isReady) return member.retire()
  try {
    member.process.terminate()
  } catch {
    // As above.
  }
}

function lostError({ name }: WorkerHandle, exitCode: number | null, error: unknown, task?: Task): MpError {
  // A worker that ended by itself has no more to say than its exit code; what led there is behind it.
  const cause = error instanceof MpError && error.code === 'MP_WORKER_LOST' ? error.cause : error
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  const at = task ? ` while it ran ${task.callee.name}` : ''
  const how = exitCode === null ? 'could not be started' : `ended with exit code ${exitCode}`
  const lost = new MpError('MP_WORKER_LOST', `${name} ${how}${at}${why}`, cause === undefined ? undefined : { cause })
  if (exitCode !== null) lost.exitCode = exitCode
  return lost
}
