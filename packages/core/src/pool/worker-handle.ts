import { type Handle, PACK, type PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link/link.js'
import { type End, open, pair } from '../link/wire-end.js'
import { describeTarget } from '../process/describe-target.js'
import { referenceFor } from '../process/function-reference.js'
import { Process } from '../process/process.js'
import type { ProcessOptions } from '../process/process-options.js'
import type { Target } from '../process/target.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { within } from '../runtime/within.js'
import type { Transport } from '../transport/transport.js'
import { AssignedTasks } from './assigned-tasks.js'
import { Packet } from './packet.js'
import * as protocol from './protocol.js'
import { malformed, ResultReceiver } from './result-receiver.js'
import { SharedProgress } from './shared-progress.js'
import type { Callee, Task } from './task.js'
import { TaskSender } from './task-sender.js'

/** ms that a worker's last results may take to arrive after its end was told. */
const LAST_WORDS = 1000

/** Beside this module, and beside every chunk that this module may be bundled into. */
const WORKER = new URL('./pool-worker.js', import.meta.url)

/** What a worker is started with. */
export interface WorkerOptions {
  readonly initializer: Target<never[]> | undefined
  readonly initargs: readonly unknown[]
  readonly process: Pick<ProcessOptions, 'env' | 'execArgv' | 'stdio'>
  readonly name: string | undefined
}

/** Who gives a worker its tasks, and hears of it. */
export interface WorkerUser {
  ready(worker: WorkerHandle): void
  /** The outcome of every item of the task has been told to its job. */
  answered(worker: WorkerHandle, task: Task): void
  /** Results have been told to their jobs. `pace`: ms that a call of this function took. */
  heard(worker: WorkerHandle, callee: Callee, pace: number): void
  /** The worker did not begin the task, and will not. */
  returned(worker: WorkerHandle, task: Task): void
  /** The worker has noticed that tasks were taken back, and takes new ones. */
  yielded(worker: WorkerHandle): void
  /** The worker has ended. What is still in `tasks` was not answered. `error`: why it ended, unless the pool wished it. */
  gone(worker: WorkerHandle, exitCode: number | null, error: unknown): void
}

/** A worker, as its pool sees it: a daemon Process, a link to its {@link WorkerLoop}, and the tasks that it has. */
export class WorkerHandle {
  readonly process: Process
  readonly tasks: AssignedTasks
  /** Its initializer is through. */
  isReady = false
  /** It gets no more tasks. */
  retiring = false
  /** What it had not begun was taken back, and it has not noticed yet. Until then it gets nothing. */
  yielding = false
  /** It is about to be killed, for it is still at this task, which nobody waits for. It gets nothing. */
  doomedBy: Task | undefined
  /** How many messages it has sent. */
  messages = 0
  /** How many tasks it was ever given. */
  given = 0
  /** More tasks are sent when it has no more than this. */
  lowWater = 0
  /** When it last said something, or was given something after it had nothing. As `performance.now()` counts. */
  heardAt = 0
  idleSince = 0
  /** Why it can do nothing: its initializer failed, or what it imports starts processes. */
  unfit: { readonly error: unknown } | undefined
  readonly #context: Context
  readonly #user: WorkerUser
  readonly #link: Link
  readonly #progress: SharedProgress | undefined
  readonly #sender: TaskSender
  readonly #receiver: ResultReceiver
  #linkClosed!: () => void
  readonly #closed: Promise<void>

  constructor(context: Context, transport: Transport, options: WorkerOptions, user: WorkerUser) {
    this.#context = context
    this.#user = user
    this.#progress = transport.capabilities.sharedMemory ? new SharedProgress() : undefined
    this.tasks = new AssignedTasks(this.#progress)
    const [mine, theirs] = pair(transport)
    this.#closed = new Promise(resolve => {
      this.#linkClosed = resolve
    })
    this.#link = new Link(open(mine, transport), transport, {
      message: message => this.#hear(message),
      closed: error => this.#lost(error),
      lost: () => new MpError('MP_WORKER_LOST', `${this.process.name} is gone`),
    })
    this.#sender = new TaskSender(this.#link, transport, this.#progress)
    this.#receiver = new ResultReceiver(context, transport)
    context.links.add(this.#link)
    const { initializer, initargs, name } = options
    this.process = new Process<never[]>(context, transport, {
      ...options.process,
      target: { module: WORKER, export: 'work' },
      args: [
        new WorkerLoopEnd(theirs),
        this.#progress?.memory ?? null,
        initializer ? referenceFor(initializer, describeTarget(initializer), transport) : null,
        initargs,
      ] as never[],
      daemon: true,
    }) as Process
    this.process.name = `${name ? `${name}-` : ''}${this.process.name.replace('Process', 'PoolWorker')}`
    void this.#run()
  }

  get name(): string {
    return this.process.name
  }

  /** Whether what it has not begun can be taken back at any time. */
  get sharesMemory(): boolean {
    return this.#progress !== undefined
  }

  /** Adds the task to those that it has; `flush` sends it. */
  give(task: Task, now: number): void {
    if (this.tasks.size === 0) this.heardAt = now
    this.tasks.add(task)
    this.given++
    this.#sender.push(task)
  }

  /** Sends what it was given. */
  flush(): void {
    this.#sender.flush()
  }

  /**
   * Takes back what the worker has not begun, and gives it. Where memory is not shared, asks for it and gives nothing.
   *
   * - What can be sent only once stays.
   * - A worker that is at nothing is about to begin, and keeps what it has. Otherwise tasks would go round where all workers are
   *   slow to wake.
   */
  takeBack(): readonly Task[] {
    const progress = this.#progress
    if (!progress) {
      const [, ...ahead] = this.tasks
      for (const task of ahead) if (!task.recalled && !task.parcels && !task.job.over) this.#sender.recall(task)
      return []
    }
    const { current, untouched } = this.tasks.parts()
    if (!current || untouched.length === 0 || untouched.some(task => task.parcels)) return []
    progress.takeBack()
    // The worker may have begun some of them since.
    const left = this.tasks.parts().untouched
    if (left.length === 0) return []
    const taken = left.filter(task => !task.job.over)
    this.yielding = true
    for (const task of taken) this.tasks.remove(task)
    this.#sender.tellTaken()
    return taken
  }

  /** Nobody waits for the task any more. */
  abort(task: Task, reason: unknown): void {
    this.#sender.abort(task, reason)
  }

  /** Lets it end in order, when it is through with its tasks. */
  retire(): void {
    this.retiring = true
    this.#close()
  }

  async #run(): Promise<void> {
    const { process } = this
    let failure: unknown
    const starting = process.start().catch(error => {
      failure = error
    })
    let exitCode: number | null = null
    try {
      exitCode = await process.exited
    } catch {
      // It could not even be spawned.
    }
    await starting
    if (exitCode !== null) await within(this.#closed, LAST_WORDS)
    this.#close()
    if (failure === undefined) await process.result().catch(error => (failure = error))
    process.close()
    this.#user.gone(this, exitCode, this.unfit ? this.unfit.error : failure)
  }

  #close(): void {
    this.#link.close()
    this.#lost(undefined)
  }

  #lost(error: Error | undefined): void {
    this.#context.links.delete(this.#link)
    // The worker broke the protocol. Killing it loses nothing: it can do no more than it already did.
    if (error && this.process.isAlive()) this.process.kill()
    this.#linkClosed()
  }

  #hear(message: Message): void {
    this.messages++
    message.link.credit(message.cost)
    const { type } = message
    if (type === protocol.READY) {
      this.isReady = true
      return this.#user.ready(this)
    }
    if (type === protocol.UNFIT) {
      this.unfit = { error: this.#receiver.read(message, 0) }
      return
    }
    if (type === protocol.RESULTS) return this.#hearResults(message)
    if (type === protocol.YIELDED) return this.#hearYielded()
    const task = this.tasks.byNumber(readU32(message.bytes, message.start))
    if (type === protocol.DROPPED) {
      this.tasks.remove(task)
      return this.#user.returned(this, task)
    }
    this.#receiver.message(task, message)
    if (type === protocol.FULFILLED || type === protocol.REJECTED) return
    const pace = (performance.now() - this.heardAt) / task.count
    this.#answered(task)
    this.#user.heard(this, task.callee, pace)
  }

  #hearResults(message: Message): void {
    const packet = new Packet(message, 4)
    let task: Task | undefined
    let items = 0
    while (packet.next()) {
      task = this.tasks.byNumber(packet.task)
      this.#receiver.entry(task, packet)
      items += task.count
      this.#answered(task)
    }
    if (!task) throw malformed()
    this.#user.heard(this, task.callee, readU32(message.bytes, message.start) / 1000 / items)
  }

  /** From here on both sides count from the same task. What is still there was dropped, since nobody waits for it. */
  #hearYielded(): void {
    this.yielding = false
    for (const task of this.tasks.parts().untouched) this.tasks.remove(task)
    this.#user.yielded(this)
  }

  #answered(task: Task): void {
    this.tasks.remove(task)
    task.job.settled(task)
    this.#user.answered(this, task)
  }
}

/** The far end of a worker's link, on its way to become a {@link WorkerLoop}. */
class WorkerLoopEnd implements Handle {
  readonly #end: End

  constructor(end: End) {
    this.#end = end
  }

  [PACK](packing: HandlePacking): PackedHandle {
    return { kind: protocol.WORKER_LOOP, state: { end: packing.attachEnd(this.#end) } }
  }
}
