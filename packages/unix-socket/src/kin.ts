import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { DESCRIPTORS, type PipeHandle, type PipeWire } from '@mp/child-process/spi'
import type { Wire } from '@mp/core/spi'
import { CONTEXT, control, NO_WIRE } from './control.js'
import { closed, opened } from './open-wires.js'
import { inheritance, lost, program, randomToken, tellLost, VARIABLE } from './program.js'

/** Of wires to parents and children, which are none of the tickets'. Both sides have it from the spawn. */
const tokens = new WeakMap<Wire, string>()

export function tokenOfKin(wire: Wire): string {
  return tokens.get(wire) ?? randomToken()
}

/** Of the wire to the parent. */
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
 * What a child needs to be a part of the program. Its creator connects to the rendezvous in its name, and the child inherits that
 * connection: so the rendezvous hears of its end even if it dies before it runs any code. A child of the main context needs
 * none: its creator is where the rendezvous is.
 */
export class Introduction {
  readonly #token = randomToken()
  readonly #line: Socket | undefined

  constructor() {
    const { rendezvous, address } = program()
    if (!rendezvous && DESCRIPTORS) this.#line = lineFor(address)
  }

  /** The descriptors that the child inherits. */
  get descriptors(): readonly number[] {
    return this.#line ? [descriptorOf(this.#line)] : []
  }

  /** `line`: the inherited descriptor's number there. */
  environment(line: number): Readonly<Record<string, string>> {
    const { secret, address, rendezvous } = program()
    const main = rendezvous ? process.pid : inheritance().main
    const told = { secret: secret.toString('hex'), address, main, wire: this.#token, line: this.#line ? line : null }
    return { [VARIABLE]: JSON.stringify(told) }
  }

  /** The child has been started, and this is the wire to it. */
  meet(child: Wire & Partial<Pick<PipeWire, 'ended'>>): void {
    tokens.set(child, this.#token)
    if (!child.ended) return
    opened(this.#token)
    void child.ended.then(() => {
      closed(this.#token)
      tellLost(this.#token)
    })
  }

  /** Gives up what only the child shall have. */
  close(): void {
    this.#line?.destroy()
  }
}

/** Undefined where it cannot be had: the child then makes its own when it needs one. */
function lineFor(address: string): Socket | undefined {
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

/** The kernel connects a Unix socket within the call. */
function descriptorOf(socket: Socket): number {
  return (socket as Socket & { _handle?: PipeHandle | null })._handle?.fd ?? -1
}
