import type { Server } from 'node:net'
import { PipeWire } from '@mp/child-process/spi'
import { MpError } from '@mp/core/spi'
import { flushBriefly, listenAt } from './address.js'
import { type Control, LONGEST_CONTROL, readFirst } from './control.js'
import { ExitAcceptor } from './exit-acceptor.js'
import { HandOffWire } from './hand-off-wire.js'

/** ms that a connection may take to say who it is. */
const LONGEST_SILENCE = 5000

/**
 * Listens at an address for other contexts of this program. A connection must begin with a short frame that shows the
 * program's secret; any other is cut off, and so is one that stays silent.
 */
export class Acceptor {
  readonly address: string
  readonly #secret: Buffer
  readonly #onConnection: (hello: Control, connection: HandOffWire) => void
  readonly #server: Server
  /** Connections that have not said who they are. */
  readonly #strangers = new Set<PipeWire>()

  constructor(
    address: string,
    secret: Buffer,
    flushAtExit: 'briefly' | 'patiently',
    onConnection: (hello: Control, connection: HandOffWire) => void,
  ) {
    this.address = address
    this.#secret = secret
    this.#onConnection = onConnection
    // An error that comes later concerns one connection, for which there is no descriptor. Whoever dialled it tries again.
    this.#server = listenAt(
      address,
      { longest: LONGEST_CONTROL },
      flushAtExit,
      wire => this.#accept(wire),
      () => {},
    )
    if (!this.#server.listening) throw new MpError('MP_INVALID_STATE', `no socket can be made at ${address}`)
  }

  #accept(wire: PipeWire): void {
    this.#strangers.add(wire)
    const connection = new HandOffWire(wire)
    const limit = setTimeout(() => connection.close(), LONGEST_SILENCE)
    limit.unref()
    void wire.ended.then(() => this.#strangers.delete(wire))
    connection.handTo({
      frame: bytes => {
        this.#strangers.delete(wire)
        clearTimeout(limit)
        const hello = readFirst(this.#secret, bytes)
        if (!hello) return connection.close()
        wire.trust()
        connection.handTo(undefined)
        this.#onConnection(hello, connection)
      },
      drain() {},
      close: () => clearTimeout(limit),
    })
  }

  /** The main process exits, and no event loop turns any more: accepts connections until `isEnough`, or the deadline. */
  acceptAtExit(isEnough: () => boolean, deadline: number): void {
    for (const wire of this.#strangers) wire.receiveSync(0)
    if (isEnough()) return
    const acceptor = new ExitAcceptor(this.#server)
    while (!isEnough() && performance.now() < deadline) {
      const fd = acceptor.next(this.#strangers.size > 0 ? 1 : Math.max(0, deadline - performance.now()))
      if (fd !== undefined) {
        const wire = new PipeWire({ fd }, false, { longest: LONGEST_CONTROL })
        flushBriefly(wire)
        this.#accept(wire)
      }
      for (const wire of this.#strangers) wire.receiveSync(0)
    }
  }
}
