import { MAX_FRAME } from '@mp/child-process/spi'
import type { Wire, WireSink } from '@mp/core/spi'
import * as control from './control.js'
import type { Dialer } from './dialer.js'
import type { Frame, HandOffWire, WireUser } from './hand-off-wire.js'
import { closed, opened } from './open-wires.js'
import { dialEnd, dialRendezvous, directAcceptor, failed, left, lost, program, tellEnd } from './program.js'
import type { OwnEnd } from './rendezvous.js'

/** Where an end comes from. */
export interface Origin {
  /** The other end was closed in this context, unopened: there is nobody to meet. */
  readonly over: boolean
  /** Called when the end has met the rendezvous, or in the main context the other end. */
  met(): void
  /** Called when the end closes, and was never started. */
  discarded(): void
}

/**
 * One end of a direct wire. It goes to meet the other one when it is started. Until the other end has come, it has a connection to the
 * rendezvous, or in the main context none.
 * Invariants:
 *
 * - Frames leave over `#out`: at first `#way`, the connection to the rendezvous or through it; after this end's SWITCHED
 *   `#direct`. While there is none, frames wait in `#early`, or in `#dialer`.
 * - Frames come over `#way` until the other end's SWITCHED. What comes over `#direct` before that is kept there.
 * - With both SWITCHED seen and sent, `#direct` has become `#way`.
 */
export class SocketWire implements Wire, OwnEnd {
  readonly maxFrame: number = MAX_FRAME
  readonly #end: control.WireEnd
  #sink: WireSink | undefined
  /** Frames that came before the start. */
  #kept: Frame[] = []
  /** This side has closed it, or was told of the close. */
  #closed = false
  /** The other side is gone: after `#kept` nothing more will come. */
  #over: { readonly error: Error | undefined } | undefined
  #early: Frame[] = []
  /** Connects to the rendezvous, and keeps what waits. Undefined where the rendezvous is in this context, and brings the other end. */
  #dialer: Dialer | undefined
  #way: HandOffWire | undefined
  #direct: HandOffWire | undefined
  #out: HandOffWire | undefined
  /** The other end will connect to this context. */
  #expected = false
  /** `send` gave false, and core waits for `drain`. */
  #full = false
  /** All that the rendezvous kept for this end has come. */
  #ready = false
  #onCaughtUp: (() => void)[] = []
  /** How many frames core was given; `receiveSync` compares it. */
  #given = 0

  readonly #origin: Origin

  constructor(end: control.WireEnd, origin: Origin) {
    this.#end = end
    this.#origin = origin
  }

  get token(): string {
    return this.#end.token
  }

  start(sink: WireSink): void {
    opened(this.#end.token)
    this.#open()
    this.#sink = sink
    if (this.#kept.length > 0 || this.#over) setImmediate(() => this.#deliverKept())
  }

  #open(): void {
    if (this.#origin.over) {
      this.#over = { error: undefined }
      return
    }
    const { rendezvous } = program()
    if (!rendezvous?.open(this.#end, this)) this.#dialer = dialRendezvous(this.#end, this)
    else rendezvous.whenKnown(this.#end, () => this.#settle())
  }

  send(bytes: Uint8Array<ArrayBuffer>, beside?: readonly object[]): boolean {
    if (this.#closed || this.#over) return true
    if (!this.#out) {
      if (this.#dialer) this.#dialer.send(bytes, beside)
      else this.#early.push({ bytes, beside })
      return true
    }
    if (!this.#out.send(bytes, beside)) this.#full = true
    return !this.#full
  }

  sendParts(parts: readonly Uint8Array<ArrayBuffer>[]): boolean {
    if (!this.#out || this.#closed || this.#over) return this.send(Uint8Array.from(Buffer.concat(parts)))
    if (!this.#out.wire.sendParts(parts)) this.#full = true
    return !this.#full
  }

  caughtUp(): Promise<void> {
    return new Promise(resolve => {
      this.#onCaughtUp.push(resolve)
      this.#check()
    })
  }

  #settle(): void {
    this.#ready = true
    this.#check()
  }

  #check(): void {
    if (!this.#closed && !(this.#ready && this.#kept.length === 0)) return
    for (const tell of this.#onCaughtUp.splice(0)) tell()
  }

  receiveSync(timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs
    const first = this.#kept.shift()
    if (first) {
      this.#sink?.frame(first.bytes, first.beside)
      return true
    }
    const before = this.#given
    const ready = this.#ready
    while (this.#given === before) {
      if (!this.#way?.wire.receiveSync(Math.max(0, deadline - performance.now()))) return false
      // The rendezvous had kept nothing.
      if (!ready && this.#ready && this.#given === before) return false
    }
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (!this.#sink) return this.#origin.discarded()
    this.#kept = []
    closed(this.#end.token)
    if (this.#over) lost(this.#end.token)
    else left(this.#end.token)
    this.#check()
    // A wire whose other end has not come yet is closed when that has come, and has got what was sent.
    this.#hangUp()
  }

  #hangUp(): void {
    this.#way?.close()
    this.#direct?.close()
    if (this.#expected) directAcceptor()?.forget(this.#end)
    this.#expected = false
  }

  unref(): void {
    // A HandOffWire never keeps the event loop alive.
  }

  meet(connection: HandOffWire): void {
    this.#origin.met()
    this.#use(connection)
  }

  lost(error?: Error): void {
    // The other end must hear that nobody will come.
    if (error) failed(this.#end)
    this.#finish(error)
  }

  get isWaiting(): boolean {
    return this.#early.length > 0
  }

  #use(connection: HandOffWire): void {
    this.#way = connection
    this.#out = connection
    for (const { bytes, beside } of this.#early.splice(0)) if (!connection.send(bytes, beside)) this.#full = true
    if (this.#closed) return connection.close()
    connection.handTo(this.#user(connection))
  }

  #user(connection: HandOffWire): WireUser {
    const { secret } = program()
    return {
      frame: (bytes, beside) => {
        const told = control.readControl(secret, bytes)
        if (told) this.#obey(told, connection)
        else this.#receive(bytes, beside)
      },
      drain: () => {
        if (connection === this.#out) this.#drained()
      },
      close: error => {
        if (connection === this.#way) this.#finish(error)
      },
    }
  }

  #obey({ what, text }: control.Control, connection: HandOffWire): void {
    if (this.#closed || connection !== this.#way) return
    const { secret } = program()
    switch (what) {
      case control.LISTEN: {
        const here = directAcceptor()?.expect(this.#end, direct => this.#came(direct))
        if (here === undefined) return
        this.#expected = true
        connection.send(control.control(secret, control.LISTENING, this.#end, here))
        return
      }
      case control.GO:
        // If it fails, the relay goes on: the other end switches only when it has seen this connection.
        this.#direct = dialEnd(text, this.#end)
        return
      case control.READY:
        return this.#settle()
      case control.SWITCHED:
        this.#settle()
        return this.#switched(connection)
    }
  }

  /** The other end has connected to this one directly. */
  #came(direct: HandOffWire): void {
    this.#expected = false
    if (this.#closed || this.#over) return direct.close()
    this.#direct = direct
    this.#switchOver()
  }

  /** The other end has sent SWITCHED: from here on its frames come over the direct connection. */
  #switched(connection: HandOffWire): void {
    const direct = this.#direct
    if (!direct) return this.#finish(undefined)
    if (this.#out === connection) this.#switchOver()
    this.#way = direct
    this.#direct = undefined
    connection.close()
    direct.handTo(this.#user(direct))
  }

  #switchOver(): void {
    this.#way?.send(control.control(program().secret, control.SWITCHED, this.#end))
    this.#out = this.#direct
    if (this.#full) setImmediate(() => this.#drained())
  }

  #drained(): void {
    if (!this.#full) return
    this.#full = false
    if (!this.#closed) this.#sink?.drain()
  }

  #receive(bytes: Uint8Array, beside: readonly object[] | undefined): void {
    if (this.#closed) return
    if (this.#sink && this.#kept.length === 0) {
      this.#given++
      this.#sink.frame(bytes, beside)
    } else this.#kept.push({ bytes, beside })
  }

  #deliverKept(): void {
    for (let next = this.#kept.shift(); next && !this.#closed; next = this.#kept.shift()) {
      this.#sink?.frame(next.bytes, next.beside)
    }
    this.#check()
    if (this.#over) tellEnd(() => this.#tellClose())
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return
    this.#over = { error }
    this.#early = []
    this.#hangUp()
    if (this.#sink && this.#kept.length === 0) tellEnd(() => this.#tellClose())
  }

  #tellClose(): void {
    if (this.#closed) return
    this.#closed = true
    // Both ends tell the rendezvous. This one has read everything that came.
    closed(this.#end.token)
    lost(this.#end.token)
    this.#check()
    this.#sink?.close(this.#over?.error)
  }
}
