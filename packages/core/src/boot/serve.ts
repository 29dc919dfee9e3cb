import { writeSync } from 'node:fs'
import { encodeError } from '../codec/codec.js'
import { Context, type Pack } from '../context/context.js'
import { becomeChild, markChild, runInside } from '../context/current-context.js'
import { readMessage } from '../context/message-reader.js'
import { Envelope, encodeMessage } from '../context/message-writer.js'
import { ParentProcess } from '../context/parent-process.js'
import { MpError } from '../errors.js'
import { awaitMoved } from '../link/await-moved.js'
import { Channels } from '../link/channels.js'
import { closingLinks, Link, type Message } from '../link/link.js'
import { takeTarget } from '../process/local-target.js'
import * as protocol from '../process/protocol.js'
import { loadTarget } from '../process/target.js'
import { appendU32, type ByteBuffer, readU32 } from '../runtime/byte-buffer.js'
import { hold, release } from '../runtime/keep-alive.js'
import { noMoreTurns } from '../runtime/turn.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'

/** How long an ending child waits for others to take what it hands over, ms; told on stderr when it has passed. */
const LONGEST_END = 30_000

/** How long a context that exits blocks for the holders of its queues to move, ms. */
const LONGEST_EXIT = 1000

/**
 * The child's side of a spawn: waits for the order, runs the target, tells what came of it, and ends in order (buffers
 * flushed, queues handed to the parent). Resolves with the exit code; the transport's boot module then ends the thread or
 * process with it, so that stray timers and sockets do not hold it. Called once per child.
 */
export function serve(transport: Transport, wire: Wire): Promise<number> {
  const inSameThread = transport.capabilities.isolation === 'none'
  if (!inSameThread) markChild()
  // Until the order comes nothing else keeps this event loop alive.
  hold()
  return new Promise(resolve => {
    const child = new Child(transport, wire, context => {
      release()
      if (inSameThread) return runInside(context, () => child.run())
      becomeChild(context)
      child.watchProcess()
      return child.run()
    })
    void child.code.then(resolve)
  })
}

interface Order {
  readonly order: protocol.StartOrder
  readonly args: Message
}

class Child {
  readonly code: Promise<number>
  readonly #transport: Transport
  readonly #link: Link
  readonly #channels: Channels
  readonly #onOrder: (context: Context) => Promise<number>
  #order: Order | undefined
  #context!: Context
  #end!: (code: number) => void
  #answered = false

  constructor(transport: Transport, wire: Wire, onOrder: (context: Context) => Promise<number>) {
    this.#transport = transport
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

  /** Loads the target, runs it, ends this context in order. Gives the exit code. */
  async run(): Promise<number> {
    const { order, args } = this.#order as Order
    let target: ((...args: unknown[]) => unknown) | undefined
    let values: unknown[]
    try {
      target = await this.#load(order.target)
      // A target that is given none, and imports no transport itself, starts 4 ms earlier.
      if (order.handles) (await import('./register-handles.js')).registerHandles()
      values = this.#decode(args) as unknown[]
    } catch (error) {
      this.#tellError(protocol.UNLOADABLE, error)
      this.#link.flushAll()
      return 1
    }
    this.#tell(protocol.READY, out => appendU32(out, this.#context.identity.pid))
    // The target may block this thread, or end it, at once.
    this.#link.flush()
    let code: number
    try {
      this.#returned(await target?.(...values))
      code = 0
    } catch (error) {
      this.#threw(error)
      code = 1
    }
    await this.#finish()
    return code
  }

  /** A thread or process of its own: what ends it from outside `run` must be told, and flushed, too. */
  watchProcess(): void {
    process.on('uncaughtExceptionMonitor', error => {
      // The user's own handler decides what becomes of it.
      if (process.listenerCount('uncaughtException') === 0) this.#threw(error)
    })
    process.on('beforeExit', () => {
      if (this.#answered) return
      this.#threw(
        new MpError(
          'MP_INVALID_STATE',
          'the target waits for something that can never happen: nothing is left running',
        ),
      )
      process.exit(1)
    })
    process.on('exit', () => {
      const deadline = performance.now() + LONGEST_EXIT
      awaitMoved([...this.#context.movingLinks()], this.#context.links, deadline)
      for (const link of this.#context.movingLinks()) link.tellLeft()
      this.#handOverHomes(deadline)
      this.#context.flushNow()
      this.#channels.detachNow(performance.now() + LONGEST_END)
      this.#context.flushNow()
      for (const link of this.#context.links) if (link !== this.#link) link.end()
      // The user's own handlers may come after this one.
      noMoreTurns()
    })
  }

  #hear(message: Message): void {
    if (this.#channels.message(message)) return
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
    void this.#onOrder(this.#context).then(this.#end)
  }

  async #load(reference: protocol.StartOrder['target']): Promise<((...args: unknown[]) => unknown) | undefined> {
    if (reference === null) return undefined
    if ('local' in reference) return takeTarget(reference)
    const context = this.#context
    const { module } = reference
    let fail!: (error: MpError) => void
    const unguarded = new Promise<never>((_, reject) => {
      fail = reject
    })
    unguarded.catch(() => {})
    let broken: MpError | undefined
    context.onUnguardedStart = name => {
      broken = new MpError(
        'MP_BAD_TARGET',
        `${module} starts a process (${name}) whenever it is imported, so also in its child: put what only the main program shall do inside \`if (isMainProcess) { ... }\``,
      )
      fail(broken)
      return broken
    }
    try {
      const target = await Promise.race([loadTarget(reference), unguarded])
      if (broken) throw broken
      return target
    } catch (error) {
      // The import may have failed because of the refused start: that is the cause worth telling.
      throw broken ?? error
    } finally {
      context.onUnguardedStart = undefined
    }
  }

  #returned(value: unknown): void {
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

  #threw(error: unknown): void {
    this.#answered = true
    // In its creator's thread a killed child runs on unheard, and fails at whatever it does next.
    const killed = this.#link.closed && this.#transport.capabilities.isolation === 'none'
    if (!killed && !this.#order?.order.quiet) report(this.#context.identity.name, error)
    // What was sent before comes before.
    this.#context.flush()
    this.#tellError(protocol.THREW, error)
    this.#link.flush()
  }

  /** Python's order: children first, then what this context still owes to others. */
  async #finish(): Promise<void> {
    // What it waits for keeps no event loop alive by itself.
    hold()
    const context = this.#context
    for (const child of context.children) if (child.owner.daemon) child.kill('SIGTERM')
    await Promise.all([...context.children].map(child => child.exited))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(() => {
        report(context.identity.name, 'gave up waiting for others to take what it still held: it may be lost')
        resolve()
      }, LONGEST_END)
    })
    await Promise.race([this.#settleAccounts(), late])
    clearTimeout(timer)
    context.flush()
    this.#link.flushAll()
    if (this.#transport.capabilities.isolation === 'none') this.#leave()
    release()
  }

  async #settleAccounts(): Promise<void> {
    const context = this.#context
    await Promise.all([closingLinks(), ...[...context.links].map(link => link.listened())])
    for (const link of context.links) link.flushAll()
    for (const pipe of context.pipes) pipe.flush()
    await Promise.all([...context.remotes.values()].map(client => client.settled()))
    await context.finished()
    for (const link of context.movingLinks()) link.tellLeft()
    await this.#handOverHomes()
    await this.#channels.detach()
  }

  #handOverHomes(deadline?: number): Promise<unknown> {
    const pack: Pack = estate => {
      const envelope = new Envelope(this.#transport)
      const out = this.#link.begin(protocol.ADOPT, false)
      encodeMessage(estate(envelope), out, envelope, 'estate', this.#link)
      void this.#link.commit(out, envelope.parcels)
    }
    const homes = [...this.#context.homes.values()].filter(home => home.transport === this.#transport)
    return Promise.all(homes.map(home => home.handOver(pack, deadline)))
  }

  /** In its creator's thread nothing ends by itself: what is open closes, as a process's descriptors do. */
  #leave(): void {
    for (const link of [...this.#context.links]) link.leave()
  }

  #parentGone(): void {
    this.#channels.closed()
    if (!this.#order) this.#end(1)
    this.#context?.parent?.ended()
  }

  #tell(type: number, write: (out: ByteBuffer) => void): void {
    this.#link.control(type, write)
  }

  /** With what rides beside it: an error may hold large buffers, and handles. */
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

/** Straight to the descriptor: a thread's own stderr goes through its parent, and is cut off by an exit. */
function report(name: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
  try {
    writeSync(2, `Process ${name}:\n${text}\n`)
  } catch {
    // A closed stderr must not change how the process ends.
  }
}
