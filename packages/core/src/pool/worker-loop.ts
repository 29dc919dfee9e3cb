import { AsyncResource } from 'node:async_hooks'
import { encodeError } from '../codec/codec.js'
import type { Context } from '../context/context.js'
import { type HandleOpener, MessageReader, type OpenHandle } from '../context/message-reader.js'
import { Envelope } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link/link.js'
import { discardParcels, type End, open } from '../link/wire-end.js'
import { type AnyFunction, type FunctionReference, loadFunction } from '../process/function-reference.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import { caughtUp } from '../runtime/turn.js'
import type { Transport } from '../transport/transport.js'
import { CurrentTask } from './current-task.js'
import { type Failure, FunctionTable } from './function-table.js'
import { TaskPacket } from './packet.js'
import * as protocol from './protocol.js'
import { ResultSender } from './result-sender.js'
import type { SharedProgress } from './shared-progress.js'
import { SpinWait } from './spin-wait.js'
import { LONGEST_HOLD, TaskRunner } from './task-runner.js'

/** ms that a task which was given up goes on waiting for its module. Before that, a grace period may end the worker. */
const LONGEST_LOAD = 2000

/** Nobody asks for the ids of these resources. */
const UNTRACKED = { requireManualDestroy: true }

/** The worker's side of a pool: takes tasks, runs them one at a time, and sends back what came of them. */
export class WorkerLoop implements OpenHandle {
  readonly #context: Context
  readonly #transport: Transport
  readonly #link: Link
  readonly #reader: MessageReader
  #progress: SharedProgress | null = null
  /** What has come, in its order. Whatever is behind the current task of the first packet has not begun. */
  readonly #packets = new Deque<TaskPacket>()
  /** Numbers of the tasks in `packets` that must not begin. */
  readonly #dropped = new Set<number>()
  readonly #results: ResultSender
  /** The last packet was a single task. More come only when it is answered, if at all. */
  #alone = false
  readonly #spinWait = new SpinWait()
  /** When the event loop last turned, as `performance.now()` counts. */
  #turned = 0
  readonly #functions = new FunctionTable()
  readonly #runner: TaskRunner
  #running: { readonly id: number; readonly task: CurrentTask } | undefined
  #wake: (() => void) | undefined
  /** Counts the events that a wait may end with. */
  #heard = 0

  constructor(context: Context, transport: Transport, end: End) {
    this.#context = context
    this.#transport = transport
    this.#reader = new MessageReader(context, transport)
    this.#link = new Link(open(end, transport), transport, {
      message: message => this.#hear(message),
      closed: () => this.#left(),
      lost: () => new MpError('MP_WORKER_LOST', 'the pool is gone'),
    })
    context.links.add(this.#link)
    this.#results = new ResultSender(this.#link, transport)
    this.#runner = new TaskRunner(this.#reader, this.#results)
  }

  /** Works until the pool closes the link. */
  async serve(
    progress: SharedProgress | null,
    initializer: FunctionReference | null,
    initargs: readonly unknown[],
  ): Promise<void> {
    this.#progress = progress
    this.#context.workerLoop = this
    // Nothing else keeps the event loop of an idle worker alive. A worker in its creator's thread must not keep that one alive.
    const held = this.#transport.capabilities.isolation === 'none' ? undefined : new Pending<void>()
    // The pool may have closed before this worker was up.
    await caughtUp()
    try {
      if (initializer && !this.#link.closed) await (await loadFunction(initializer))(...initargs)
    } catch (error) {
      this.fail(error)
      return held?.resolve()
    }
    this.#link.control(protocol.READY)
    // This is an async loop, and tasks do not run where their messages arrive: in its creator's thread a worker is known by its
    // async context.
    while (!this.#link.closed) {
      // Whether there are packets does not tell whether to wait: they may have been taken back, and only the next message says so.
      const heard = this.#heard
      const next = this.#packets.peek()
      if (next && (await this.#take(next))) {
        this.#packets.shift()
        continue
      }
      this.#link.flush()
      await this.#wait(heard)
    }
    held?.resolve()
  }

  /** Waits until something comes that had not come when `heard` was counted. */
  async #wait(heard: number): Promise<void> {
    const since = performance.now()
    const ended = () => this.#heard !== heard || this.#link.closed
    if (this.#alone && this.#spinWait.begin()) await this.#spinWait.until(ended)
    if (!ended()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#turned = performance.now()
    this.#spinWait.waited(this.#turned - since)
  }

  /** Tells the pool why this worker can do nothing for it, and ends. */
  fail(error: unknown): void {
    if (this.#link.closed) return
    this.#link.control(protocol.UNFIT, out => encodeError(error, out, new Envelope(this.#transport)))
    void this.close()
  }

  async close(): Promise<void> {
    this.#link.close()
    this.#left()
  }

  #goOn(): void {
    this.#heard++
    this.#wake?.()
    this.#wake = undefined
  }

  #left(): void {
    this.#context.links.delete(this.#link)
    this.#clear()
    this.#running?.task.abort(new MpError('MP_CLOSED', 'the pool is gone'))
    this.#goOn()
  }

  #hear(message: Message): void {
    const number = readU32(message.bytes, message.start)
    switch (message.type) {
      case protocol.FUNCTION:
        return this.#functions.add(number, this.#decode(message, 4) as FunctionReference)
      case protocol.TASKS:
        this.#packets.push(new TaskPacket(message))
        return this.#goOn()
      case protocol.TAKEN:
        this.#clear()
        this.#link.control(protocol.YIELDED)
        return this.#goOn()
      case protocol.RECALL:
        return this.#drop(number)
      case protocol.ABORT:
        if (this.#running?.id === number) this.#running.task.abort(this.#decode(message, 4))
        return this.#drop(number)
      default:
        throw new MpError('MP_DECODE', `a pool sends no message of type ${message.type}`)
    }
  }

  /** Drops all tasks that have not begun. */
  #clear(): void {
    for (const packet of this.#packets) {
      if (!packet.begun) discardParcels(packet.parcels, this.#transport)
      packet.clear()
    }
    this.#dropped.clear()
  }

  /** Drops the task if it has not begun. If it has, or is through, its result is told as ever. */
  #drop(id: number): void {
    if (this.#dropped.has(id)) return
    for (const packet of this.#packets) {
      for (const each of packet.rest()) {
        if (each !== id) continue
        discardParcels(packet.parcels, this.#transport)
        this.#dropped.add(id)
        return this.#results.dropped(id)
      }
    }
  }

  /** Runs the tasks of a packet. False where the pool has taken back the rest of it, and all packets behind. */
  async #take(packet: TaskPacket): Promise<boolean> {
    this.#results.begin()
    let call: AnyFunction | Failure | undefined = this.#functions.get(packet.callee)
    while (!packet.empty) {
      if (this.#progress && !this.#progress.begin()) {
        void this.#results.send()
        return false
      }
      this.#alone = !packet.begun
      packet.next()
      if (this.#dropped.delete(packet.task)) continue
      const task = new CurrentTask()
      this.#running = { id: packet.task, task }
      // The task has begun. So if the module ends the worker, or never gets done, the pool knows which task it was for.
      call ??= await this.#load(packet.callee, task)
      if (!call) {
        discardParcels(packet.parcels, this.#transport)
        this.#results.dropped(packet.task)
        this.#running = undefined
        continue
      }
      this.#context.task = task
      // In an async context of its own (60 ns): what the task enters there ends with it.
      const running = new AsyncResource('PoolTask', UNTRACKED).runInAsyncScope(this.#run, this, packet, call, task)
      if (running) await running
      this.#running = undefined
      this.#context.task = undefined
      const now = performance.now()
      if (this.#results.due(now)) await this.#results.send()
      if (now - this.#turned > LONGEST_HOLD) {
        // Hears all that the pool said meanwhile: it may have called back the next task.
        await caughtUp()
        this.#turned = performance.now()
      }
    }
    const accepted = this.#results.send()
    if (accepted) await accepted
    return true
  }

  #run(packet: TaskPacket, call: AnyFunction | Failure, task: CurrentTask): Promise<void> | undefined {
    return this.#runner.run(packet, call, task)
  }

  /** Waits for the function of the task. Gives undefined where the task is given up first. */
  async #load(callee: number, { signal }: CurrentTask): Promise<AnyFunction | Failure | undefined> {
    const givenUp = new Promise<undefined>(resolve => {
      const giveUp = () => setTimeout(resolve, this.#link.closed ? 0 : LONGEST_LOAD, undefined).unref()
      signal.addEventListener('abort', giveUp, { once: true })
    })
    const found = await Promise.race([this.#functions.load(callee), givenUp])
    return signal.aborted ? undefined : found
  }

  /** Sends the results that wait: this context may end now. */
  flush(): void {
    void this.#results.send()
  }

  #decode({ bytes, start, end, parcels }: Message, skip: number): unknown {
    return this.#reader.read({ bytes, start: start + skip, end, parcels })
  }
}

export const openWorkerLoop: HandleOpener = (context, transport, state, endOf) => {
  const { end }: { end: number } = state
  return new WorkerLoop(context, transport, endOf(end))
}
