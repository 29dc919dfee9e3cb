import { appendU32, type ByteBuffer, readU32 } from '../byte-buffer.js'
import { decode, encode, encodeError } from '../codec.js'
import type { Context } from '../context.js'
import { discardParcels, type End, open } from '../end.js'
import { Envelope } from '../envelope.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link.js'
import { type LocalTarget, takeTarget } from '../peer-protocol.js'
import { Pending } from '../pending.js'
import type { Transport } from '../spi.js'
import { loadTarget, type TargetReference } from '../target.js'
import { turn } from '../turn.js'
import { type HandleOpener, type OpenHandle, ParcelReader, readMessage } from '../unpacking.js'
import { CurrentTask } from './current-task.js'
import * as protocol from './protocol.js'

type AnyFunction = (...args: unknown[]) => unknown

/** A function as a worker is told of it; in its creator's thread the function itself. */
export type FunctionReference = TargetReference | LocalTarget

/** ms that the items of one task may hold the event loop of their worker, which has aborts to hear. */
const LONGEST_HOLD = 10
/** ms. Between two looks at the clock items may take about so long. */
const LOOK_EVERY = 1
const LONGEST_STRIDE = 1024

/** Where a worker sits: it takes tasks from the pool, runs them one at a time, and sends back what came of them. */
export class Desk implements OpenHandle {
  readonly #context: Context
  readonly #transport: Transport
  readonly #link: Link
  readonly #reader: ParcelReader
  /** Those that have not begun, by number, in their order. */
  readonly #tasks = new Map<number, Message>()
  readonly #functions = new Map<number, AnyFunction | Promise<AnyFunction>>()
  #running: { readonly id: number; readonly task: CurrentTask } | undefined
  #wake: (() => void) | undefined
  #envelope: Envelope | undefined

  constructor(context: Context, transport: Transport, end: End) {
    this.#context = context
    this.#transport = transport
    this.#reader = new ParcelReader(context, transport, undefined)
    this.#link = new Link(open(end, transport), transport, {
      message: message => this.#hear(message),
      closed: () => this.#left(),
      lost: () => new MpError('MP_WORKER_LOST', 'the pool is gone'),
    })
    context.links.add(this.#link)
  }

  /** Works until the pool closes the link. */
  async serve(initializer: FunctionReference | null, initargs: readonly unknown[]): Promise<void> {
    // Nothing else keeps the event loop of an idle worker alive. That of its creator is not its own to keep.
    const held = this.#transport.capabilities.isolation === 'none' ? undefined : new Pending<void>()
    // The pool may have closed before this worker was up.
    await turn()
    await turn()
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
      const next = this.#tasks.entries().next().value
      if (next) {
        this.#tasks.delete(next[0])
        await this.#take(...next)
        continue
      }
      this.#link.flush()
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    held?.resolve()
  }

  async close(): Promise<void> {
    this.#link.close()
    this.#left()
  }

  #left(): void {
    this.#context.links.delete(this.#link)
    for (const { parcels } of this.#tasks.values()) discardParcels(parcels, this.#transport)
    this.#tasks.clear()
    this.#running?.task.abort(new MpError('MP_CLOSED', 'the pool is gone'))
    this.#wake?.()
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
      case protocol.TASK:
        this.#tasks.set(number, message)
        this.#wake?.()
        this.#wake = undefined
        return
      case protocol.RECALL:
        return this.#drop(number)
      case protocol.ABORT:
        if (this.#running?.id === number) this.#running.task.abort(this.#decode(message, 4))
        return this.#drop(number)
      default:
        throw new MpError('MP_DECODE', `a pool sends no message of type ${message.type}`)
    }
  }

  /** It has not begun, and will not. Where it has, or is through, that is told in any case. */
  #drop(id: number): void {
    const message = this.#tasks.get(id)
    if (!message) return
    this.#tasks.delete(id)
    discardParcels(message.parcels, this.#transport)
    this.#tellDropped(id)
  }

  async #take(id: number, message: Message): Promise<void> {
    const { bytes, start } = message
    const task = new CurrentTask()
    this.#running = { id, task }
    this.#context.task = task
    try {
      await this.#run(id, readU32(bytes, start + 4), bytes[start + 8] as protocol.How, message, task)
    } finally {
      this.#running = undefined
      this.#context.task = undefined
    }
    this.#link.flush()
  }

  async #run(id: number, number: number, how: protocol.How, message: Message, task: CurrentTask): Promise<void> {
    let call: AnyFunction
    let given: unknown[]
    try {
      const found = this.#functions.get(number)
      if (!found) throw new MpError('MP_DECODE', `a task calls function ${number}, of which nothing was told`)
      call = typeof found === 'function' ? found : await found
      given = this.#decode(message, 9) as unknown[]
    } catch (error) {
      return this.#tellFailed(id, asDecodeError(error))
    }
    if (how === protocol.ONE) return this.#runOne(id, call, given)
    return this.#runEach(id, call, given, how === protocol.EACH_SPREAD, task)
  }

  async #runOne(id: number, call: AnyFunction, args: unknown[]): Promise<void> {
    let value: unknown
    try {
      value = call(...args)
      if (isThenable(value)) value = await value
      await this.#send(protocol.RESULTS, id, undefined, value)
    } catch (error) {
      this.#tellFailed(id, error)
    }
  }

  async #runEach(id: number, call: AnyFunction, items: unknown[], spread: boolean, task: CurrentTask): Promise<void> {
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
        if (task.aborted) return this.#tellDropped(id)
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
        return await this.#send(protocol.RESULTS, id, undefined, results)
      } catch {
        // One of them cannot travel: each for itself then, and those that can do.
      }
    }
    for (let i = 0; i < results.length; i++) {
      if (failures?.has(i)) {
        this.#tellRejected(id, i, failures.get(i))
        continue
      }
      try {
        await this.#send(protocol.FULFILLED, id, i, results[i])
      } catch (error) {
        this.#tellRejected(id, i, error)
      }
    }
    this.#tell(protocol.SETTLED, id)
  }

  /** Throws where the value cannot travel; nothing was sent then. Waits while the pool's side has too much unread. */
  #send(type: number, id: number, index: number | undefined, value: unknown): Promise<void> {
    const link = this.#link
    const envelope = this.#envelope ?? new Envelope(this.#transport)
    this.#envelope = undefined
    const out = link.begin(type, true)
    appendU32(out, id)
    if (index !== undefined) appendU32(out, index)
    let accepted: Promise<void>
    try {
      encode(value, out, envelope, 'result')
      accepted = link.commit(out, envelope.parcels)
    } catch (error) {
      link.abandon(out)
      envelope.rollback()
      throw error
    }
    if (envelope.unused) this.#envelope = envelope
    else envelope.commit()
    return accepted.catch(() => {})
  }

  #tellRejected(id: number, index: number, error: unknown): void {
    this.#tell(protocol.REJECTED, id, out => {
      appendU32(out, index)
      encodeError(error, out, new Envelope(this.#transport))
    })
  }

  #tellFailed(id: number, error: unknown): void {
    this.#tell(protocol.FAILED, id, out => encodeError(error, out, new Envelope(this.#transport)))
  }

  #tellDropped(id: number): void {
    this.#tell(protocol.DROPPED, id)
  }

  #tell(type: number, id: number, write?: (out: ByteBuffer) => void): void {
    this.#link.control(type, out => {
      appendU32(out, id)
      write?.(out)
    })
  }

  #decode(message: Message, skip: number): unknown {
    const { bytes, end, parcels } = message
    const start = message.start + skip
    if (parcels) return readMessage(this.#context, this.#transport, { bytes, start, end, parcels })
    return decode(bytes, start, end, this.#reader)
  }
}

export const openDesk: HandleOpener = (context, transport, state, endOf) => {
  const { end }: { end: number } = state
  return new Desk(context, transport, endOf(end))
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
