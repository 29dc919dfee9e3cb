import { MpError } from '@mp/core/spi'
import { listenAt } from './address.js'
import { type Control, LONGEST_CONTROL, readFirst } from './control.js'
import { Line } from './line.js'

/** How long a connection may take to say who it is, ms. */
const LONGEST_SILENCE = 5000

/** Where contexts of this program connect to this one. Whoever does not show the secret, at once and briefly, is cut off. */
export class Door {
  readonly address: string

  constructor(
    address: string,
    secret: Buffer,
    flushAtExit: 'briefly' | 'patiently',
    onGuest: (hello: Control, line: Line) => void,
  ) {
    this.address = address
    const server = listenAt(
      address,
      LONGEST_CONTROL,
      flushAtExit,
      wire => {
        const line = new Line(wire)
        const late = setTimeout(() => line.close(), LONGEST_SILENCE)
        late.unref()
        line.give({
          frame(bytes) {
            clearTimeout(late)
            const hello = readFirst(secret, bytes)
            if (!hello) return line.close()
            wire.trust()
            line.give(undefined)
            onGuest(hello, line)
          },
          drain() {},
          close: () => clearTimeout(late),
        })
      },
      () => {},
    )
    if (!server.listening) throw new MpError('MP_INVALID_STATE', `no socket can be made at ${address}`)
  }
}
