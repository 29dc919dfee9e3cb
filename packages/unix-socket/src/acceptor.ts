import { MpError } from '@mp/core/spi'
import { listenAt } from './address.js'
import { type Control, LONGEST_CONTROL, readFirst } from './control.js'
import { HandOffWire } from './hand-off-wire.js'

/** ms that a connection may take to say who it is. */
const LONGEST_SILENCE = 5000

/**
 * Listens at an address for other contexts of this program. A connection must begin with a short frame that shows the
 * program's secret; any other is cut off, and so is one that stays silent.
 */
export class Acceptor {
  readonly address: string

  constructor(
    address: string,
    secret: Buffer,
    flushAtExit: 'briefly' | 'patiently',
    onConnection: (hello: Control, connection: HandOffWire) => void,
  ) {
    this.address = address
    const server = listenAt(
      address,
      LONGEST_CONTROL,
      flushAtExit,
      wire => {
        const connection = new HandOffWire(wire)
        const limit = setTimeout(() => connection.close(), LONGEST_SILENCE)
        limit.unref()
        connection.handTo({
          frame(bytes) {
            clearTimeout(limit)
            const hello = readFirst(secret, bytes)
            if (!hello) return connection.close()
            wire.trust()
            connection.handTo(undefined)
            onConnection(hello, connection)
          },
          drain() {},
          close: () => clearTimeout(limit),
        })
      },
      () => {},
    )
    if (!server.listening) throw new MpError('MP_INVALID_STATE', `no socket can be made at ${address}`)
  }
}
