import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { DESCRIPTORS, type PipeHandle, type PipeWire } from '@mp/child-process/spi'
import type { Wire } from '@mp/core/spi'
import { CONTEXT, control, NO_WIRE } from './control.js'
import { closed, opened } from './open-wires.js'
import { inheritance, lost, program, randomToken, tellLost, VARIABLE } from './program.js'
import { SECRET_BY_WIRE, sendSecret } from './secret.js'

/** The tokens of the wires between parents and children. No ticket has them: both sides get them with the spawn. */
const tokens = new WeakMap<Wire, string>()

export function tokenOfInherited(wire: Wire): string {
  return tokens.get(wire) ?? randomToken()
}

/** Gives the wire to the parent its token, and tells the rendezvous of its end. */
export function meetParent(wire: PipeWire): void {
  const { wire: token } = inheritance()
  tokens.set(wire, token)
  opened(token)
  void wire.ended.then(() => {
    closed(token)
    lost(token)
  })
}

/**
 * What a child needs to be a part of the program. Its creator connects to the rendezvous in the child's name, and the child
 * inherits that connection. So the rendezvous hears of the child's end even if it dies before it runs any code. A child of the
 * main context needs no such connection: the rendezvous is in its creator.
 */
export class Introduction {
  readonly #token = randomToken()
  readonly #connection: Socket | undefined

  constructor() {
    const { rendezvous, address } = program()
    if (!rendezvous && DESCRIPTORS) this.#connection = connectFor(address)
  }

  /** The descriptors that the child inherits. */
  get descriptors(): readonly number[] {
    return this.#connection ? [descriptorOf(this.#connection)] : []
  }

  /** `inherited`: the descriptor that the connection has in the child. */
  environment(inherited: number): Readonly<Record<string, string>> {
    const { secret, address, rendezvous } = program()
    const main = rendezvous ? process.pid : inheritance().main
    const connection = this.#connection ? inherited : null
    const shown = SECRET_BY_WIRE ? undefined : secret.toString('hex')
    return { [VARIABLE]: JSON.stringify({ secret: shown, address, main, wire: this.#token, connection }) }
  }

  /** The child has been started, and this is the wire to it. */
  meet(child: Wire & Partial<Pick<PipeWire, 'ended'>>): void {
    sendSecret(program().secret, child)
    tokens.set(child, this.#token)
    if (!child.ended) return
    opened(this.#token)
    void child.ended.then(() => {
      closed(this.#token)
      tellLost(this.#token)
    })
  }

  /** Closes this process's copy of what the child has inherited. */
  close(): void {
    this.#connection?.destroy()
  }
}

/** A connection to the rendezvous. Undefined where it cannot be made: the child then connects when it needs to. */
function connectFor(address: string): Socket | undefined {
  const { connect } = process.getBuiltinModule('node:net')
  const socket = connect(address)
  socket.on('error', () => {})
  const hello = control(program().secret, CONTEXT, NO_WIRE)
  const frame = Buffer.alloc(4 + hello.length)
  frame.writeUInt32LE(hello.length)
  frame.set(hello, 4)
  try {
    writeSync(descriptorOf(socket), frame)
    return socket
  } catch {
    socket.destroy()
    return undefined
  }
}

/** Known at once, since the kernel connects a Unix socket within the call. */
function descriptorOf(socket: Socket): number {
  return (socket as Socket & { _handle?: PipeHandle | null })._handle?.fd ?? -1
}
