import { encode, encodeError } from '../codec/codec.js'
import { type Handle, PACK, type PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MessageReader } from '../context/message-reader.js'
import { Envelope, type HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link/link.js'
import { discardParcels, type End, open, pair } from '../link/wire-end.js'
import { handTarget } from '../process/local-target.js'
import { Process } from '../process/process.js'
import type { ProcessOptions } from '../process/process-options.js'
import { describeTarget, type Target } from '../process/target.js'
import { appendBytes, appendU32, type ByteBuffer, readU32 } from '../runtime/byte-buffer.js'
import { within } from '../runtime/within.js'
import type { Transport } from '../transport/transport.js'
import { beginEntry, endEntry, Packet, QUIET } from './packet.js'
import * as protocol from './protocol.js'
import { SharedProgress } from './shared-progress.js'
import { type Callee, rejectAll, type Task } from './task.js'
import type { FunctionReference } from './worker-loop.js'

/** What goes in one packet at most: tasks, bytes. So the first ones are answered while the worker is at the next. */
const PACKET = { tasks: 128, bytes: 16 * 1024 }
/** How long a worker's last answers may take to arrive after its end was told, ms. */
const LAST_WORDS = 1000

/** Beside this module, and beside every chunk that this module may be bundled into. */
const WORKER = new URL('./pool-worker.js', import.meta.url)

/** What a worker starts with. */
export interface Orders {
  readonly initializer: Target<never[]> | undefined
  readonly initargs: readonly unknown[]
  readonly process: Pick<ProcessOptions, 'env' | 'execArgv' | 'stdio'>
  readonly name: string | undefined
}

export interface WorkerUser {
  ready(member: WorkerHandle): void
  /** Every item of the task has been told to its job. */
  answered(member: WorkerHandle, task: Task): void
  /** ResultSender have been told to their jobs. `pace`: ms that a call of this function took. */
  heard(member: WorkerHandle, callee: Callee, pace: number): void
  /** The worker did not begin it, and will not. */
  returned(member: WorkerHandle, task: Task): void
  /** As `returned`, for all that was taken back. */
  yielded(member: WorkerHandle): void
  /** It has ended; what is still in `inFlight` was not answered. `error`: why, where it was not the pool's wish. */
  gone(member: WorkerHandle, exitCode: number | null, error: unknown): void
}

/** What a worker that has ended had, and had not answered. */
export interface Remains {
  /** It was through with them, and their results were lost with it. They are of the same job as `current`. */
  readonly unheard: readonly Task[]
  readonly current: Task | undefined
  /** It had not begun them. */
  readonly untouched: readonly Task[]
}

/** A worker, as its pool sees it: a daemon Process, a link to its desk, and the tasks that it has. */
export class WorkerHandle {
  readonly process: Process
  /** By number, in the order in which it has them. The first is the one that it is at. */
  readonly inFlight = new Map<number, Task>()
  /** Its initializer is through. */
  isReady = false
  /** It gets no more tasks. */
  retiring = false
  /** What it had not begun was taken back, and it has not noticed yet: it gets nothing meanwhile. */
  yielding = false
  /** Tasks that it was ever given. */
  given = 0
  /** ms of work in `inFlight`, as far as is known. */
  load = 0
  /** Of the encoded tasks in `inFlight`. */
  bytes = 0
  /** More tasks are sent when it has no more than this. */
  lowWater = 0
  /** When it last had something to tell, or got something to do after it had nothing. */
  heardAt = 0
  idleSince = 0
  /** Why its initializer failed. */
  unfit: { readonly error: unknown } | undefined
  readonly #context: Context
  readonly #transport: Transport
  readonly #user: WorkerUser
  readonly #link: Link
  readonly #reader: MessageReader
  readonly #claims: SharedProgress | undefined
  readonly #told = new Set<number>()
  /** Tasks that it has been given, and that `flush` sends. */
  #outbox: Task[] = []
  #linkClosed!: () => void
  readonly #closed: Promise<void>

  constructor(context: Context, transport: Transport, orders: Orders, user: WorkerUser) {
    this.#context = context
    this.#transport = transport
    this.#user = user
    this.#reader = new MessageReader(context, transport)
    this.#claims = transport.capabilities.sharedMemory ? new SharedProgress() : undefined
    const [mine, theirs] = pair(transport)
    this.#closed = new Promise(resolve => {
      this.#linkClosed = resolve
    })
    this.#link = new Link(open(mine, transport), transport, {
      message: message => this.#hear(message),
      closed: error => this.#lost(error),
      lost: () => new MpError('MP_WORKER_LOST', `${this.process.name} is gone`),
    })
    context.links.add(this.#link)
    this.process = new Process<never[]>(context, transport, {
      ...orders.process,
      target: { module: WORKER, export: 'work' },
      args: [
        new DeskEnd(theirs),
        this.#claims?.memory ?? null,
        this.#initializer(orders.initializer),
        orders.initargs,
      ] as never[],
      daemon: true,
    }) as Process
    this.process.name = `${orders.name ?? ''}${orders.name ? '-' : ''}${this.process.name.replace('Process', 'PoolWorker')}`
    void this.#run()
  }

  get name(): string {
    return this.process.name
  }

  /** What it has not begun can be taken back whatever it is at. */
  get sharesMemory(): boolean {
    return this.#claims !== undefined
  }

  /** The task that it is at; it may be through already, with the answer on its way. */
  get current(): Task | undefined {
    return this.remains().current
  }

  /** The task is among those that it has; `flush` sends it. */
  give(task: Task, now: number): void {
    if (this.inFlight.size === 0) this.heardAt = now
    this.inFlight.set(task.number, task)
    this.given++
    task.expected = (task.callee.pace ?? 0) * task.count
    this.load += task.expected
    this.bytes += task.end - task.start
    this.#outbox.push(task)
  }

  /** Sends what it was given, at once: the worker waits for it. */
  flush(): void {
    const tasks = this.#outbox
    if (tasks.length === 0) return
    for (let next = 0; next < tasks.length; ) next = this.#sendPacket(tasks, next)
    tasks.length = 0
    this.#link.flush()
  }

  /** Sends the task at `first` of these, and what can go with it. Gives the index of the first one behind. */
  #sendPacket(tasks: readonly Task[], first: number): number {
    const { job, callee, how, parcels } = tasks[first] as Task
    if (!this.#told.has(callee.number)) this.#tell(callee)
    const quiet = this.#claims !== undefined && job.quiet
    let next = first
    const write = (out: ByteBuffer) => {
      appendU32(out, callee.number)
      out.reserve(1)
      const at = out.length++
      out.bytes[at] = how
      const most = Math.min(tasks.length, first + PACKET.tasks)
      do {
        const task = tasks[next++] as Task
        const entry = beginEntry(out, task.number)
        appendBytes(out, task.body.bytes, task.start, task.end)
        endEntry(out, entry)
        if (this.#claims) task.place = this.#claims.allow()
      } while (next < most && out.length - at < PACKET.bytes && fitsPacket(tasks[next] as Task))
      if (quiet && next > first + 1) out.bytes[at] = how | QUIET
    }
    const fitsPacket = (task: Task) =>
      task.callee === callee && task.how === how && (task.job === job || !quiet) && !task.parcels && !parcels
    this.#link.control(protocol.TASKS, write, parcels)
    return next
  }

  /**
   * Takes back what it has not begun, if it is at a task, and gives it; where memory is not shared, asks for that. Not what
   * can be given only once. One that is at nothing is about to begin: else tasks would go round where all are slow to wake.
   */
  takeBack(): readonly Task[] {
    const [, ...ahead] = this.inFlight.values()
    const claims = this.#claims
    if (!claims) {
      for (const task of ahead) if (!task.recalled && !task.parcels && !task.job.over) this.#recall(task)
      return []
    }
    const { current, untouched } = this.remains()
    if (!current || untouched.length === 0 || untouched.some(task => task.parcels)) return []
    claims.takeBack()
    const taken = [...this.inFlight.values()].filter(task => claims.behind(task.place) > 0 && !task.job.over)
    if (taken.length === 0) return []
    this.yielding = true
    for (const task of taken) this.#forget(task)
    this.#link.control(protocol.TAKEN)
    this.#link.flush()
    return taken
  }

  /** What there would be to settle if it ended now. */
  remains(): Remains {
    const claims = this.#claims
    if (!claims) {
      const [current, ...untouched] = this.inFlight.values()
      return { unheard: [], current, untouched }
    }
    const unheard: Task[] = []
    const untouched: Task[] = []
    let current: Task | undefined
    for (const task of this.inFlight.values()) {
      const behind = claims.behind(task.place)
      if (behind > 0) untouched.push(task)
      else if (behind < 0) unheard.push(task)
      else current = task
    }
    return { unheard, current, untouched }
  }

  #recall(task: Task): void {
    task.recalled = true
    this.#link.control(protocol.RECALL, out => appendU32(out, task.number))
    this.#link.flush()
  }

  abort(task: Task, reason: unknown): void {
    this.#link.control(protocol.ABORT, out => {
      appendU32(out, task.number)
      encodeError(reason, out, new Envelope(this.#transport))
    })
    this.#link.flush()
  }

  /** Lets it end in order: it is through with its tasks. */
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
    // It broke the protocol, and can do no more than it already did.
    if (error && this.process.isAlive()) this.process.kill()
    this.#linkClosed()
  }

  #initializer(target: Target<never[]> | undefined): FunctionReference | null {
    return target === undefined ? null : this.#reference(target)
  }

  /** A worker in the same thread gets the function itself: the module that holds it may still be running. */
  #reference(target: Target<never[]>): FunctionReference {
    const local = this.#transport.capabilities.isolation === 'none' && typeof target === 'function'
    return local ? handTarget(target as (...args: unknown[]) => unknown) : describeTarget(target)
  }

  #tell({ number, target }: Callee): void {
    this.#told.add(number)
    this.#link.control(protocol.FUNCTION, out => {
      appendU32(out, number)
      encode(this.#reference(target), out, new Envelope(this.#transport))
    })
  }

  #hear(message: Message): void {
    message.link.credit(message.cost)
    if (message.type === protocol.READY) {
      this.isReady = true
      return this.#user.ready(this)
    }
    if (message.type === protocol.UNFIT) {
      this.unfit = { error: this.#read(message, 0) }
      return
    }
    const { type } = message
    if (type === protocol.RESULTS) return this.#hearResults(message)
    if (type === protocol.YIELDED) return this.#hearYielded()
    const task = this.#taskOf(readU32(message.bytes, message.start))
    if (type === protocol.DROPPED) {
      this.#forget(task)
      return this.#user.returned(this, task)
    }
    if (task.job.over) {
      // Nobody wants it: what rides along closes.
      discardParcels(message.parcels, this.#transport)
    } else this.#report(task, message)
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
      task = this.#taskOf(packet.task)
      if (task.job.over) discardParcels(message.parcels, this.#transport)
      else this.#reportResult(task, packet)
      items += task.count
      this.#answered(task)
    }
    if (!task) throw malformed()
    this.#user.heard(this, task.callee, readU32(message.bytes, message.start) / 1000 / items)
  }

  /** From here on both sides count from the same task. What is still there was dropped, since nobody waits for it. */
  #hearYielded(): void {
    this.yielding = false
    for (const task of this.remains().untouched) this.#forget(task)
    this.#user.yielded(this)
  }

  #taskOf(number: number): Task {
    const task = this.inFlight.get(number)
    if (!task) throw new MpError('MP_DECODE', 'a worker speaks of a task that it does not have')
    return task
  }

  #answered(task: Task): void {
    this.#forget(task)
    task.job.settled(task)
    this.#user.answered(this, task)
  }

  #report(task: Task, message: Message): void {
    const { job, first } = task
    switch (message.type) {
      case protocol.FAILED: {
        const read = this.#tryRead(message, 4)
        return rejectAll(task, 'error' in read ? read.error : read.value)
      }
      case protocol.FULFILLED:
      case protocol.REJECTED: {
        const place = readU32(message.bytes, message.start + 4)
        if (place >= task.count) throw malformed()
        const index = first + place
        const read = this.#tryRead(message, 8)
        if (!('error' in read) && message.type === protocol.FULFILLED) return job.fulfilled(index, read.value)
        task.failed = true
        return job.rejected(index, 'error' in read ? read.error : read.value)
      }
      case protocol.SETTLED:
        return
      default:
        throw new MpError('MP_DECODE', `a worker sends no message of type ${message.type}`)
    }
  }

  #reportResult(task: Task, packet: Packet): void {
    const { job, how, first } = task
    let value: unknown
    try {
      value = this.#reader.read(packet)
    } catch (error) {
      return rejectAll(task, asDecodeError(error))
    }
    if (how === protocol.ONE || how === protocol.ITEM) return job.fulfilled(first, value)
    if (!Array.isArray(value) || value.length !== task.count) throw malformed()
    job.allFulfilled(first, value)
  }

  #forget(task: Task): void {
    this.inFlight.delete(task.number)
    this.bytes -= task.end - task.start
    this.load = this.inFlight.size === 0 ? 0 : this.load - task.expected
  }

  #tryRead(message: Message, skip: number): { value: unknown } | { error: unknown } {
    try {
      return { value: this.#read(message, skip) }
    } catch (error) {
      return { error: asDecodeError(error) }
    }
  }

  #read(message: Message, skip: number): unknown {
    return this.#reader.read({ ...message, start: message.start + skip })
  }
}

/** What a registered type's `decode` throws is that job's failure, and nobody else's. */
function asDecodeError(error: unknown): MpError {
  if (error instanceof MpError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new MpError('MP_DECODE', `the result could not be read: ${why}`, { cause: error })
}

function malformed(): MpError {
  return new MpError('MP_DECODE', 'a worker speaks of items that its task does not have')
}

/** The far end of a member's link, on its way to become a WorkerLoop. */
class DeskEnd implements Handle {
  readonly #end: End

  constructor(end: End) {
    this.#end = end
  }

  [PACK](packing: HandlePacking): PackedHandle {
    return { kind: 'desk', state: { end: packing.attachEnd(this.#end) } }
  }
}
