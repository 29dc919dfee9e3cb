import { encodeError } from '../codec/codec.js'
import { type ChildMark, markChild } from '../context/child-mark.js'
import { Context } from '../context/context.js'
import { becomeChild, runInside } from '../context/current-context.js'
import { readMessage } from '../context/message-reader.js'
import { Envelope, encodeMessage } from '../context/message-writer.js'
import { ParentProcess } from '../context/parent-process.js'
import { MpError } from '../errors.js'
import { Channels } from '../link/channels.js'
import { Link, type Message } from '../link/link.js'
import { type AnyFunction, loadFunction } from '../process/function-reference.js'
import * as protocol from '../process/protocol.js'
import { beginTarget, refuseImported, throwEarlyRefusal } from '../process/start-guard.js'
import { appendU32, readU32 } from '../runtime/byte-buffer.js'
import { hold, release } from '../runtime/keep-alive.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { ContextEnd } from './context-end.js'
import { isPrinting, printed } from './own-output.js'
import { hasProgramEnded, isLoss } from './program-end.js'
import { report } from './stderr-report.js'

/**
 * The child's side of a spawn: waits for the order to start, runs the target, tells what came of it, and ends in order (flushes
 * buffers, hands queues to the parent, lets out what was printed). Resolves with the exit code. The transport's boot module then ends the thread or process
 * with that code, so that stray timers and sockets do not hold it. Called once per child.
 */
export function serve(transport: Transport, wire: Wire): Promise<number> {
  const inSameThread = transport.capabilities.isolation === 'none'
  const mark = inSameThread ? undefined : markChild(refuseImported)
  // Nothing else keeps this event loop alive until the order comes.
  hold()
  let waits = true
  const waitNoMore = () => {
    if (waits) release()
    waits = false
  }
  return new Promise(resolve => {
    const child = new Child(transport, wire, mark, context => {
      waitNoMore()
      if (inSameThread) return runInside(context, () => child.run())
      becomeChild(context)
      child.watchProcess()
      return child.run().then(code => printed().then(() => code))
    })
    void child.code.then(code => {
      // Its creator may have gone, or killed it, before the order came.
      waitNoMore()
      resolve(code)
    })
  })
}

interface Order {
  readonly order: protocol.StartOrder
  readonly args: Message
}

class Child {
  readonly code: Promise<number>
  readonly #transport: Transport
  /** Undefined where the child runs in its creator's thread. */
  readonly #mark: ChildMark | undefined
  readonly #link: Link
  readonly #channels: Channels
  readonly #onOrder: (context: Context) => Promise<number>
  #order: Order | undefined
  #context!: Context
  #contextEnd!: ContextEnd
  #end!: (code: number) => void
  #answered = false
  /** Those who have asked whether the program goes on. */
  readonly #doubts: ((goesOn: boolean) => void)[] = []

  constructor(
    transport: Transport,
    wire: Wire,
    mark: ChildMark | undefined,
    onOrder: (context: Context) => Promise<number>,
  ) {
    this.#transport = transport
    this.#mark = mark
    this.#onOrder = onOrder
    this.code = new Promise(resolve => {
      this.#end = resolve
    })
    this.#link = new Link(wire, transport, {
      message: message => this.#hear(message),
      drained: () => this.#channels.drained(),
      closed: () => this.#parentGone(),
      lost: () => new MpError('MP_WORKER_LOST', 'the parent is gone'),
    })
    this.#channels = new Channels(this.#link, 'child')
    if (!transport.wires) this.#link.carrier = this.#channels
  }

  /** Loads the target, runs it, and ends this context in order. Gives the exit code. */
  async run(): Promise<number> {
    const { order, args } = this.#order as Order
    let target: AnyFunction | undefined
    let values: unknown[]
    try {
      if (this.#mark) throwEarlyRefusal()
      target = order.target ? await loadFunction(order.target) : undefined
      // A target that gets no handles, and imports no transport itself, starts 4 ms earlier without them.
      if (order.handles) (await import('./register-handles.js')).registerHandles()
      values = this.#decode(args) as unknown[]
    } catch (error) {
      this.#tellError(protocol.UNLOADABLE, error)
      this.#link.flushAll()
      return 1
    }
    this.#link.control(protocol.READY, out => appendU32(out, this.#context.identity.pid))
    // The target may block this thread, or end it, at once; so READY leaves before.
    this.#link.flush()
    const call = () => target?.(...values)
    let code: number
    try {
      this.#tellReturned(await (this.#mark ? this.#begin(this.#mark, call) : call()))
      code = 0
    } catch (error) {
      await this.#tellThrown(error)
      code = 1
    }
    await this.#contextEnd.inOrder()
    return code
  }

  /** Calls the target. Rejects when something that was imported starts a process: this child ends then. */
  #begin(mark: ChildMark, call: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const refused = (error: MpError) => {
        this.#context.workerLoop?.fail(error)
        reject(error)
      }
      Promise.resolve(beginTarget(mark, call, refused)).then(resolve, reject)
    })
  }

  /** For a child with a thread or process of its own. What ends it from outside `run` is told too, and everything is flushed. */
  watchProcess(): void {
    process.on('uncaughtExceptionMonitor', error => {
      // Where the user has a handler, that one decides what becomes of the error.
      if (process.listenerCount('uncaughtException') > 0) return
      const told = this.#tellThrown(error)
      // The process would end in this call. What it has printed would be lost; or it would tell of a loss that is nobody's concern.
      if (!told && !isPrinting()) return
      process.on(
        'uncaughtException',
        () =>
          void Promise.resolve(told)
            .then(printed)
            .then(() => process.exit(1)),
      )
    })
    process.on('beforeExit', () => {
      if (this.#answered) return
      void this.#tellThrown(
        new MpError(
          'MP_INVALID_STATE',
          'the target waits for something that can never happen: nothing is left running',
        ),
      )
      process.exit(1)
    })
    process.on('exit', () => this.#contextEnd.atExit())
  }

  #hear(message: Message): void {
    if (this.#channels.message(message)) return
    if (message.type === protocol.PROGRAM_GOES_ON) {
      return this.#settleDoubts(readU32(message.bytes, message.start) === 1)
    }
    if (message.type !== protocol.START || this.#order)
      throw new MpError('MP_DECODE', 'a parent sends one order to start')
    const length = readU32(message.bytes, message.start)
    const orderStart = message.start + 4
    const orderEnd = orderStart + length
    const order = this.#decode({ ...message, start: orderStart, end: orderEnd }) as protocol.StartOrder
    this.#order = { order, args: { ...message, start: orderEnd } }
    const { id, name, pid, daemon, path, parent } = order
    const identity = { id, name, pid: pid ?? process.pid, daemon, path }
    this.#context = new Context(identity, new ParentProcess(parent.pid, parent.name))
    this.#context.links.add(this.#link)
    this.#context.programGoesOn = () => this.#programGoesOn()
    this.#contextEnd = new ContextEnd(this.#transport, this.#context, this.#link, this.#channels)
    void this.#onOrder(this.#context).then(this.#end)
  }

  #tellReturned(value: unknown): void {
    this.#answered = true
    const envelope = new Envelope(this.#transport)
    const out = this.#link.begin(protocol.RETURNED, false)
    try {
      encodeMessage(value, out, envelope, 'value', this.#link)
    } catch (error) {
      this.#tellError(protocol.THREW, error)
      return
    }
    void this.#link.commit(out, envelope.parcels)
    envelope.commit()
  }

  /** Tells the parent, and whoever reads stderr. What is a loss is told once it is known that the program goes on. */
  #tellThrown(error: unknown): Promise<void> | undefined {
    this.#answered = true
    if (isLoss(error) && this.#mark && !this.#order?.order.quiet) {
      return hasProgramEnded(this.#programGoesOn()).then(ended => this.#tell(error, ended))
    }
    this.#tell(error, this.#order?.order.quiet ?? false)
    return undefined
  }

  #tell(error: unknown, quietly: boolean): void {
    // A killed child in its creator's thread runs on, and nobody hears it. It fails at whatever it does next.
    const killed = this.#link.closed && this.#transport.capabilities.isolation === 'none'
    if (!killed && !quietly) report(this.#context.identity.name, error)
    // What was sent before the error arrives before it.
    this.#context.flush()
    this.#tellError(protocol.THREW, error)
    this.#link.flush()
  }

  #programGoesOn(): Promise<boolean> {
    if (this.#link.closed) return Promise.resolve(false)
    return new Promise(resolve => {
      this.#doubts.push(resolve)
      this.#link.control(protocol.ASK_PROGRAM)
      this.#link.flush()
    })
  }

  #settleDoubts(goesOn: boolean): void {
    for (const settle of this.#doubts.splice(0)) settle(goesOn)
  }

  #parentGone(): void {
    this.#settleDoubts(false)
    this.#channels.closed()
    if (!this.#order) this.#end(1)
    this.#context?.parent?.ended()
  }

  /** Sends the error with what rides beside it: an error may hold large buffers, and handles. */
  #tellError(type: number, error: unknown): void {
    if (this.#link.closed) return
    const envelope = new Envelope(this.#transport)
    const out = this.#link.begin(type, false)
    encodeError(error, out, envelope)
    void this.#link.commit(out, envelope.parcels)
    envelope.commit()
  }

  #decode(message: Message): unknown {
    return readMessage(this.#context, this.#transport, message)
  }
}
