import { encodeError } from '../codec/codec.js'
import type { Context } from '../context/context.js'
import { type HandleOpener, MessageReader, type OpenHandle } from '../context/message-reader.js'
import { Envelope } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link/link.js'
import { discardParcels, type End, open } from '../link/wire-end.js'
import { type LocalTarget, takeTarget } from '../process/local-target.js'
import { loadTarget, type TargetReference } from '../process/target.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import { caughtUp, turn } from '../runtime/turn.js'
import type { Transport } from '../transport/transport.js'
import { CurrentTask } from './current-task.js'
import { TaskPacket } from './packet.js'
import * as protocol from './protocol.js'
import { ResultSender } from './result-sender.js'
import type { SharedProgress } from './shared-progress.js'
import { SpinWait } from './spin-wait.js'

type AnyFunction = (...args: unknown[]) => unknown

/** A function as a worker is told of it; in its creator's thread the function itself. */
export type FunctionReference = TargetReference | LocalTarget

interface Failure {
  readonly error: unknown
}

/** ms that tasks may hold the event loop of their worker, which has aborts to hear. */
const LONGEST_HOLD = 10
/** ms. Between two looks at the clock items may take about so long. */
const LOOK_EVERY = 1
const LONGEST_STRIDE = 1024

/** Where a worker sits: it takes tasks from the pool, runs them one at a time, and sends back what came of them. */
export class WorkerLoop implements OpenHandle {
  readonly #context: Context
  readonly #transport: Transport
  readonly #link: Link
  readonly #reader: MessageReader
  #claims: SharedProgress | null = null
  /** What has come, in its order. All behind the first packet's current task has not begun. */
  readonly #packets = new Deque<TaskPacket>()
  /** Those in `packets` that are not to begin. */
  readonly #dropped = new Set<number>()
  readonly #answers: ResultSender
  /** The last packet was a single task: more come when it is answered, if at all. */
  #alone = false
  readonly #linger = new SpinWait()
  /** When the event loop has last turned, ms. */
  #turned = 0
  readonly #functions = new Map<number, AnyFunction | Promise<AnyFunction>>()
  #running: { readonly id: number; readonly task: CurrentTask } | undefined
  #wake: (() => void) | undefined
  /** Counts what a wait may end with. */
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
    this.#answers = new ResultSender(this.#link, transport)
  }

  /** Works until the pool closes the link. */
  async serve(
    claims: SharedProgress | null,
    initializer: FunctionReference | null,
    initargs: readonly unknown[],
  ): Promise<void> {
    this.#claims = claims
    this.#context.desk = this
    // Nothing else keeps the event loop of an idle worker alive. That of its creator is not its own to keep.
    const held = this.#transport.capabilities.isolation === 'none' ? undefined : new Pending<void>()
    // The pool may have closed before this worker was up.
    await caughtUp()
    try {
      if (initializer && !this.#link.closed) await (await load(initializer))(...initargs)
    } catch (error) {
      this.#link.control(protocol.UNFIT, out => encodeError(error, out, new Envelope(this.#transport)))
      await this.close()
      return held?.resolve()
    }
    this.#link.control(protocol.READY)
    // An async loop, not work done where a message arrives: in its creator's thread a worker is known by its async context.
    while (!this.#link.closed) {
      // Not whether there are packets: they may have been taken back, of which only the next message tells.
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

  /** Until something comes that had not when `heard` was counted. */
  async #wait(heard: number): Promise<void> {
    const since = performance.now()
    const ended = () => this.#heard !== heard || this.#link.closed
    if (this.#alone && this.#linger.begin()) await this.#linger.until(ended)
    if (!ended()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#turned = performance.now()
    this.#linger.waited(this.#turned - since)
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
      case protocol.FUNCTION: {
        const reference = this.#decode(message, 4) as FunctionReference
        const loading = load(reference).then(found => {
          this.#functions.set(number, found)
          return found
        })
        // The task that needs it tells.
        loading.catch(() => {})
        this.#functions.set(number, loading)
        return
      }
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

  /** What has not begun never will. */
  #clear(): void {
    for (const packet of this.#packets) {
      if (!packet.begun) discardParcels(packet.parcels, this.#transport)
      packet.clear()
    }
    this.#dropped.clear()
  }

  /** It has not begun, and will not. Where it has, or is through, that is told in any case. */
  #drop(id: number): void {
    if (this.#dropped.has(id)) return
    for (const packet of this.#packets) {
      for (const each of packet.rest()) {
        if (each !== id) continue
        discardParcels(packet.parcels, this.#transport)
        this.#dropped.add(id)
        return this.#answers.dropped(id)
      }
    }
  }

  /** Runs the tasks of a packet. False where the pool has taken back what is left of it, and of those behind. */
  async #take(packet: TaskPacket): Promise<boolean> {
    this.#answers.begin()
    const found = this.#functions.get(packet.callee)
    const call = typeof found === 'function' ? found : await loaded(packet.callee, found)
    while (!packet.empty) {
      if (this.#claims && !this.#claims.begin()) {
        void this.#answers.send()
        return false
      }
      this.#alone = !packet.begun
      packet.next()
      if (this.#dropped.delete(packet.task)) continue
      const task = new CurrentTask()
      this.#running = { id: packet.task, task }
      this.#context.task = task
      const running = this.#run(packet, call, task)
      if (running) await running
      this.#running = undefined
      this.#context.task = undefined
      const now = performance.now()
      if (this.#answers.due(now)) await this.#answers.send()
      if (now - this.#turned > LONGEST_HOLD) {
        await turn()
        this.#turned = performance.now()
      }
    }
    const accepted = this.#answers.send()
    if (accepted) await accepted
    return true
  }

  /** Gives a promise only where there is something to wait for. */
  #run(packet: TaskPacket, call: AnyFunction | Failure, task: CurrentTask): Promise<void> | undefined {
    let given: unknown
    try {
      if (typeof call !== 'function') throw call.error
      given = this.#reader.read(packet)
    } catch (error) {
      this.#answers.failed(packet.task, asDecodeError(error))
      return undefined
    }
    const { how } = packet
    if (how === protocol.EACH || how === protocol.EACH_SPREAD) {
      return this.#runEach(packet, call, given as unknown[], task)
    }
    try {
      const value = how === protocol.ITEM ? call(given) : call(...(given as unknown[]))
      if (isThenable(value)) return this.#answerLater(packet, value)
      return this.#answers.give(packet, value)
    } catch (error) {
      this.#answers.failed(packet.task, error)
      return undefined
    }
  }

  async #answerLater(packet: TaskPacket, value: PromiseLike<unknown>): Promise<void> {
    try {
      await this.#answers.give(packet, await value)
    } catch (error) {
      this.#answers.failed(packet.task, error)
    }
  }

  async #runEach(packet: TaskPacket, call: AnyFunction, items: unknown[], task: CurrentTask): Promise<void> {
    const id = packet.task
    const spread = packet.how === protocol.EACH_SPREAD
    const results: unknown[] = new Array(items.length)
    let failures: Map<number, unknown> | undefined
    let stride = 1
    let next = 1
    let looked = performance.now()
    let turned = looked
    for (let i = 0; i < items.length; i++) {
      if (i === next) {
        const now = performance.now()
        stride = now - looked > LOOK_EVERY ? Math.max(1, stride >> 1) : Math.min(LONGEST_STRIDE, stride * 2)
        next = i + stride
        looked = now
        if (now - turned > LONGEST_HOLD) {
          await turn()
          turned = performance.now()
        }
        if (task.aborted) return this.#answers.dropped(id)
      }
      try {
        const value = spread ? call(...(items[i] as unknown[])) : call(items[i])
        results[i] = isThenable(value) ? await value : value
      } catch (error) {
        failures ??= new Map()
        failures.set(i, error)
      }
    }
    if (!failures) {
      try {
        return await this.#answers.give(packet, results)
      } catch {
        // One of them cannot travel: each for itself then, and those that can do.
      }
    }
    for (let i = 0; i < results.length; i++) {
      if (failures?.has(i)) {
        this.#answers.rejected(id, i, failures.get(i))
        continue
      }
      try {
        await this.#answers.fulfilled(id, i, results[i])
      } catch (error) {
        this.#answers.rejected(id, i, error)
      }
    }
    this.#answers.settled(id)
  }

  /** Sends what waits: this context may end now. */
  flush(): void {
    void this.#answers.send()
  }

  #decode({ bytes, start, end, parcels }: Message, skip: number): unknown {
    return this.#reader.read({ bytes, start: start + skip, end, parcels })
  }
}

export const openWorkerLoop: HandleOpener = (context, transport, state, endOf) => {
  const { end }: { end: number } = state
  return new WorkerLoop(context, transport, endOf(end))
}

/** Never rejects: what goes wrong is told by each task. */
async function loaded(number: number, found: Promise<AnyFunction> | undefined): Promise<AnyFunction | Failure> {
  try {
    if (!found) throw new MpError('MP_DECODE', `a task calls function ${number}, of which nothing was told`)
    return await found
  } catch (error) {
    return { error }
  }
}

async function load(reference: FunctionReference): Promise<AnyFunction> {
  return 'local' in reference ? takeTarget(reference) : loadTarget(reference)
}

/** What a registered type's `decode` threw is not the error of the function, which never ran. */
function asDecodeError(error: unknown): MpError {
  if (error instanceof MpError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new MpError('MP_DECODE', `the task could not be read where it was to run: ${why}`, { cause: error })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
