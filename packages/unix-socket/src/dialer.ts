import { existsSync } from 'node:fs'
import {
  DESCRIPTORS,
  type Flushed,
  flushAtExit,
  forget,
  LONGEST_FLUSH,
  PipeWire,
  pause,
  tellLoss,
} from '@mp/child-process/spi'
import { ACCEPTED, readControl } from './control.js'
import { type Frame, HandOffWire } from './hand-off-wire.js'

/** ms for which a connection is tried again, when descriptors or memory are lacking. */
const LONGEST_LACK = 30_000
/** ms between two attempts: at first, and at most. Each takes twice as long as the one before. */
const FIRST_PAUSE = 5
const LONGEST_PAUSE = 200
/** ms in which a connection to a process that does not turn its event loop is looked at again, while this process exits. */
const GLANCE = 20

/**
 * Errors of a `connect` that pass. This process lacks descriptors or memory, or the main one does, and has closed the
 * connection (ECONNRESET). macOS refuses a connection when the queue of the listener is full.
 */
const PASSING = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ECONNRESET',
  ...(process.platform === 'linux' ? [] : ['ECONNREFUSED']),
])

/** When all dialers of this process have waited long enough, once it exits. */
let exitDeadline: number | undefined
let toldLoss = false

/** Who dials. It hears one of the two, once. */
export interface Caller {
  /** The rendezvous has accepted the connection. What was sent through the dialer has gone over it. */
  meet(connection: HandOffWire): void
  /** No connection can be made. */
  lost(error: Error): void
}

export interface DialerOptions {
  readonly address: string
  readonly secret: Buffer
  /** The first frame. */
  readonly hello: () => Uint8Array
  /** A connection on which somebody has sent the first frame. It is used before any is made. */
  readonly inherited?: PipeWire | undefined
  /** Undefined for the main context, which waits for nobody when it exits. */
  readonly main: number | undefined
}

/**
 * Makes a connection to the rendezvous, and tries again while that cannot take it. Three things may be in the way:
 *
 * - The queue of the listening socket is full, since the main context computes. This passes, as a full socket does.
 * - This process has no descriptor left.
 * - The main context has none left. Then libuv accepts the connection, and closes it before any code of ours hears of it.
 *
 * So a connection counts when the rendezvous has said ACCEPTED. What is sent before is written at once, so that it survives a
 * kill of this process. It is kept, too, and written again to the next connection. When this process exits, it waits for
 * ACCEPTED.
 */
export class Dialer implements Flushed {
  readonly #options: DialerOptions
  readonly #caller: Caller
  #frames: Frame[] = []
  /** How many of the frames were written to the present connection. */
  #written = 0
  #connection: HandOffWire | undefined
  #over = false
  #pause = FIRST_PAUSE
  #retry: NodeJS.Timeout | undefined
  /** When the first attempt failed for something that this process, or the main one, lacks. */
  #lackingSince: number | undefined
  readonly #met: Promise<void>
  #tellMet!: () => void

  constructor(options: DialerOptions, caller: Caller) {
    this.#options = options
    this.#caller = caller
    this.#met = new Promise(resolve => {
      this.#tellMet = resolve
    })
    if (options.inherited) this.#use(options.inherited)
    else this.#dial()
    if (options.main !== undefined) flushAtExit(this)
  }

  send(bytes: Uint8Array, beside?: readonly object[]): void {
    if (this.#over) return
    this.#frames.push({ bytes, beside })
    this.#writeThrough()
  }

  /** Fulfils when the kernel has what was sent, or nobody will read it. */
  async written(): Promise<void> {
    await this.#met
    await this.#connection?.wire.written()
  }

  /** The process exits, and no event loop turns any more: waits until the rendezvous has the connection. */
  exit(): void {
    if (this.#over || !DESCRIPTORS) return
    clearTimeout(this.#retry)
    exitDeadline ??= performance.now() + LONGEST_FLUSH
    const deadline = Math.min(exitDeadline, (this.#lackingSince ?? exitDeadline) + LONGEST_LACK)
    while (!this.#over) {
      const left = deadline - performance.now()
      if (left <= 0 || !this.#isMainThere()) break
      if (!this.#connection) this.#dial()
      const glance = performance.now() + Math.min(left, GLANCE)
      // It returns early where there is no connection.
      if (this.#connection?.wire.receiveSync(Math.min(left, GLANCE)) || performance.now() >= glance) continue
      this.#hangUp()
      this.#lackingSince ??= performance.now()
      pause()
    }
    if (this.#over) return
    const isBusy = this.#lackingSince === undefined && this.#connection !== undefined && this.#isMainThere()
    // The kernel has what was sent, and gives it to the main context when that reads at last.
    if (isBusy) this.#accepted(this.#connection as HandOffWire)
    else this.#lose(new Error('it does not answer'))
  }

  #dial(): void {
    const { address, main, hello } = this.#options
    const wire = new PipeWire({ path: address }, main !== undefined)
    this.#use(wire, hello())
  }

  #use(wire: PipeWire, hello?: Uint8Array): void {
    const connection = new HandOffWire(wire)
    this.#connection = connection
    this.#written = 0
    if (hello) connection.send(hello)
    this.#writeThrough()
    connection.handTo({
      frame: bytes => {
        if (readControl(this.#options.secret, bytes)?.what === ACCEPTED) this.#accepted(connection)
      },
      drain() {},
      close: error => {
        if (connection === this.#connection) this.#refused(error)
      },
    })
  }

  /** Buffers beside a frame are used again once they are written: they, and what follows, must wait. */
  #writeThrough(): void {
    for (; this.#written < this.#frames.length; this.#written++) {
      const { bytes, beside } = this.#frames[this.#written] as Frame
      if (beside) return
      this.#connection?.send(bytes)
    }
  }

  #accepted(connection: HandOffWire): void {
    if (this.#over) return
    connection.handTo(undefined)
    for (const { bytes, beside } of this.#frames.slice(this.#written)) connection.send(bytes, beside)
    this.#end()
    this.#caller.meet(connection)
  }

  #refused(error: NodeJS.ErrnoException | undefined): void {
    this.#hangUp()
    const isFinal = error?.syscall === 'connect' && error.code !== 'EAGAIN' && !PASSING.has(error.code as string)
    if (error?.code !== 'EAGAIN') this.#lackingSince ??= performance.now()
    if (isFinal || performance.now() - (this.#lackingSince ?? Number.POSITIVE_INFINITY) > LONGEST_LACK)
      return this.#lose(error ?? new Error('it was closed at once'))
    this.#retry = setTimeout(() => this.#dial(), this.#pause)
    this.#retry.unref()
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
  }

  #hangUp(): void {
    const connection = this.#connection
    this.#connection = undefined
    connection?.handTo(undefined)
    connection?.close()
  }

  #lose(error: Error): void {
    this.#hangUp()
    if (this.#frames.length > 0 && this.#isMainThere()) {
      if (!toldLoss)
        tellLoss(`cannot connect to the main process (${error.message}): what was sent over the connection is lost`)
      toldLoss = true
      // Nothing else tells whoever waits for this process.
      process.exitCode ||= 1
    }
    this.#end()
    this.#caller.lost(error)
  }

  #end(): void {
    this.#over = true
    this.#frames = []
    forget(this)
    this.#tellMet()
  }

  #isMainThere(): boolean {
    const { address, main } = this.#options
    if (main === undefined || !existsSync(address)) return false
    try {
      return process.kill(main, 0)
    } catch {
      return false
    }
  }
}
