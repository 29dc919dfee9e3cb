import { rmSync } from 'node:fs'
import { isParentGone, PipeWire } from '@mp/child-process/spi'
import { MpError } from '@mp/core/spi'
import { Acceptor } from './acceptor.js'
import { directoryOf, flushBriefly, freshPlace, placeBeside, sweepLeftovers } from './address.js'
import {
  ACCEPTOR,
  ASK,
  CANNOT,
  CLOSED,
  CONTEXT,
  control,
  FAILED,
  LOST,
  MAY,
  NO_WIRE,
  OPEN,
  readControl,
  type WireEnd,
} from './control.js'
import { type Caller, Dialer } from './dialer.js'
import { HandOffWire } from './hand-off-wire.js'
import { isOpen } from './open-wires.js'
import { Rendezvous } from './rendezvous.js'
import { readSecret } from './secret.js'

/**
 * The environment variable that tells a child its program, in JSON. It is deleted when this module loads, and nothing in it is
 * secret.
 */
export const VARIABLE = 'MP_UNIX_SOCKET'

interface Inheritance {
  /** Hexadecimal. Undefined if it comes by the wire. */
  readonly secret?: string
  /** Where the rendezvous listens. */
  readonly address: string
  /** The main context's pid. */
  readonly main: number
  /** The token of the wire to the parent. */
  readonly wire: string
  /** The descriptor of this context's connection to the rendezvous. */
  readonly connection: number | null
}

const told = process.env[VARIABLE]
delete process.env[VARIABLE]
const inherited = told === undefined ? undefined : (JSON.parse(told) as Inheritance)

/** What this context, a child, was given by its creator. */
export function inheritance(): Inheritance {
  if (inherited) return inherited
  throw new MpError('MP_INVALID_STATE', 'the main context has inherited nothing')
}

export function randomToken(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(16).toString('hex')
}

/** The program that this context is a part of: one main context, and all its descendants. */
export interface Program {
  readonly secret: Buffer
  /** Where the rendezvous listens. */
  readonly address: string
  /** Undefined except in the main context. */
  readonly rendezvous: Rendezvous | undefined
}

let known: Program | undefined

export function program(): Program {
  known ??= inherited === undefined ? found() : joined(inherited)
  return known
}

function found(): Program {
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  const secret = randomBytes(16)
  const { address } = freshPlace('rendezvous')
  sweepLeftovers()
  return { secret, address, rendezvous: new Rendezvous(address, secret) }
}

let inheritedSecret: Buffer | undefined

/** To be called first in a child. `fd`: the wire to the parent, which is not a wire yet. */
export function inheritSecret(fd: number): void {
  const { secret } = inheritance()
  inheritedSecret = readSecret(fd) ?? Buffer.from(secret as string, 'hex')
}

function joined({ address }: Inheritance): Program {
  return { secret: inheritedSecret as Buffer, address, rendezvous: undefined }
}

/**
 * If the main context is killed, its children remove the program's directory when their wire to it ends. Gives the directory;
 * undefined where this context is no child of the main context.
 */
export function removeWhenOrphaned(parent: PipeWire): string | undefined {
  const { main, address } = inheritance()
  if (main !== process.ppid) return undefined
  const directory = directoryOf(address)
  if (directory === undefined) return undefined
  const removeIfGone = () => {
    if (isParentGone(main)) rmSync(directory, { recursive: true, force: true })
  }
  // The wire may have ended for another reason: this child has closed it, or has sent garbage. Then the directory is in use.
  void parent.ended.then(removeIfGone)
  void parent.ended.then(() => setTimeout(removeIfGone, ALL_CLOSED).unref())
  // The parent's sockets close one after the other: this process may end with another one before it hears that the wire ended.
  process.on('exit', removeIfGone)
  return directory
}

/** Connects to where the other end of a wire listens. */
export function dialEnd(address: string, end: WireEnd): HandOffWire {
  const { secret, rendezvous } = program()
  const wire = new PipeWire({ path: address }, rendezvous === undefined)
  if (rendezvous) flushBriefly(wire)
  const connection = new HandOffWire(wire)
  connection.send(control(secret, OPEN, end))
  return connection
}

/** Connects to the rendezvous, where the end of a wire meets the other one. */
export function dialRendezvous(end: WireEnd, caller: Caller): Dialer {
  const { secret, address, rendezvous } = program()
  const main = rendezvous ? undefined : inheritance().main
  return new Dialer({ address, secret, main, hello: () => control(secret, OPEN, end) }, caller)
}

/** Accepts the connections that lead straight from an end in another context to an end in this one. */
class DirectAcceptor {
  readonly #acceptor: Acceptor
  readonly #expected = new Map<string, (connection: HandOffWire) => void>()

  constructor({ secret, address }: Program) {
    const here = placeBeside(address)
    // The rendezvous is told first: if this process is killed in between, the path is still removed.
    if (here.leftover !== undefined) tell(ACCEPTOR, NO_WIRE, here.leftover)
    this.#acceptor = new Acceptor(here.address, secret, 'patiently', ({ token }, connection) => {
      const come = this.#expected.get(token)
      if (!come) return connection.close()
      this.#expected.delete(token)
      come(connection)
    })
  }

  /** Gives the address at which the other end must connect. `come` gets its connection. */
  expect({ token }: WireEnd, come: (connection: HandOffWire) => void): string {
    this.#expected.set(token, come)
    return this.#acceptor.address
  }

  forget({ token }: WireEnd): void {
    this.#expected.delete(token)
  }
}

let direct: DirectAcceptor | undefined

/** Undefined where none can be made, for example because no descriptors are left. */
export function directAcceptor(): DirectAcceptor | undefined {
  try {
    direct ??= new DirectAcceptor(program())
  } catch {
    return undefined
  }
  return direct
}

/** The connection over which this context tells the rendezvous what it holds, and answers it. */
let toRendezvous: Dialer | HandOffWire | undefined

function wireToRendezvous(): Dialer | HandOffWire {
  if (toRendezvous) return toRendezvous
  const { address, secret } = program()
  const { main, connection } = inheritance()
  const options = {
    address,
    secret,
    main,
    hello: () => control(secret, CONTEXT, NO_WIRE),
    inherited: connection === null ? undefined : new PipeWire({ fd: connection }, true),
  }
  const dialer = new Dialer(options, { meet: answer, lost() {} })
  // It may have been accepted by now.
  toRendezvous ??= dialer
  return toRendezvous
}

function answer(connection: HandOffWire): void {
  const { secret } = program()
  toRendezvous = connection
  connection.handTo({
    frame: bytes => {
      const asked = readControl(secret, bytes)
      if (asked?.what === ASK) connection.send(control(secret, isOpen(asked.token) ? MAY : CANNOT, asked))
    },
    drain() {},
    close() {},
  })
}

/** Starts to answer the rendezvous, where this child has inherited a connection to it. */
export function answerRendezvous(): void {
  if (typeof inherited?.connection === 'number') wireToRendezvous()
}

/** Tells the rendezvous. Not for the main context, which holds it. */
export function tell(what: number, end: WireEnd, text?: string): void {
  wireToRendezvous().send(control(program().secret, what, end, text))
}

/** Whatever was on its way to this context over the wire, and has not arrived, never will. */
export function lost(token: string): void {
  // A context that has neither sent nor received an end of a wire has nothing to tell.
  if (program().rendezvous || toRendezvous) tellLost(token)
}

/** As `lost`, for the wire to a child: the child may have sent an end of a wire that never arrived here. */
export function tellLost(token: string): void {
  const { rendezvous } = program()
  if (rendezvous) rendezvous.lost(token)
  else tell(LOST, { token, end: 0, hops: 0 })
}

/** This context has closed the wire, and will not read it any more. */
export function left(token: string): void {
  const { rendezvous } = program()
  if (rendezvous) rendezvous.closed(token)
  else if (toRendezvous) tell(CLOSED, { token, end: 0, hops: 0 })
}

/** The end could not be opened, for example because no descriptors are left. */
export function failed(end: WireEnd): void {
  if (!program().rendezvous) tell(FAILED, end)
}

/** ms. The sockets of a process that dies close one after the other. */
const ALL_CLOSED = 50

let interrupted = false

/**
 * Ctrl-C reaches parent and child at once. If it ends the parent, the child ends too, by its wire to the parent. Until then the
 * child must not hear, and report, that its other wires are gone.
 */
export function awaitParentOnInterrupt(): void {
  process.on('SIGINT', () => {
    interrupted = true
  })
}

/** Calls `tell`, which reports the end of a wire: at once, or, after an interrupt, when the parent's end would be known. */
export function tellEnd(tell: () => void): void {
  if (interrupted) setTimeout(tell, ALL_CLOSED)
  else tell()
}
