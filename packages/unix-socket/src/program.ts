import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PipeWire } from '@mp/child-process/spi'
import { flushBriefly, freshDirectory, removeAtExit } from './address.js'
import { CONTEXT, control, DOOR, LOST, NO_WIRE, OPEN, type WireEnd } from './control.js'
import { Door } from './door.js'
import { Line } from './line.js'
import { Rendezvous } from './rendezvous.js'

/**
 * Tells a child its program: the secret, the main context's pid, the rendezvous's address. The boot takes it out of the
 * environment at once.
 */
const VARIABLE = 'MP_UNIX_SOCKET'

const inherited = process.env[VARIABLE]
delete process.env[VARIABLE]

/** The program that this context is a part of: one main context, and all that descend from it. */
export interface Program {
  readonly secret: Buffer
  /** Where the rendezvous listens. */
  readonly address: string
  /** In the main context. */
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
  const address = join(freshDirectory(), 'rendezvous')
  return { secret, address, rendezvous: new Rendezvous(address, secret) }
}

function joined(text: string): Program {
  return { secret: Buffer.from(text.slice(0, 32), 'hex'), address: addressIn(text), rendezvous: undefined }
}

function addressIn(text: string): string {
  return text.slice(text.indexOf('/'))
}

export function childEnvironment(): Readonly<Record<string, string>> {
  const { secret, address } = program()
  const main = inherited?.slice(32, inherited.indexOf('/')) ?? process.pid
  return { [VARIABLE]: `${secret.toString('hex')}${main}${address}` }
}

/**
 * If the main context is killed, its children are left to remove the program's directory, when the wire to there ends. Gives
 * the directory; undefined elsewhere than in a child of the main context.
 */
export function removeWhenOrphaned(parent: PipeWire): string | undefined {
  const main = Number(inherited?.slice(32, inherited.indexOf('/')))
  if (inherited === undefined || main !== process.ppid) return undefined
  const directory = dirname(addressIn(inherited))
  const removeIt = () => rmSync(directory, { recursive: true, force: true })
  void parent.ended.then(removeIt)
  // Its sockets close one after the other: another one's end may be the end of this process before it hears of that wire's.
  process.on('exit', () => {
    if (isParentEnding(main)) removeIt()
  })
  return directory
}

/** Of Linux, in the flags of a process: it is gone but for what the kernel has still to do, such as closing its sockets. */
const EXITING = 0x4

function isParentEnding(pid: number): boolean {
  if (process.ppid !== pid) return true
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Behind the name, which may hold anything: state, ppid, pgrp, session, tty, tpgid, flags.
    const flags = stat.slice(stat.lastIndexOf(')')).split(' ')[7]
    return (Number(flags) & EXITING) !== 0
  } catch {
    // Not on this system.
    return false
  }
}

/** Connects to another context of this program, and says why. */
export function dial(address: string, end: WireEnd, what: number = OPEN): Line {
  const { secret, rendezvous } = program()
  const wire = new PipeWire({ path: address }, rendezvous === undefined)
  if (rendezvous) flushBriefly(wire)
  const line = new Line(wire)
  line.send(control(secret, what, end))
  return line
}

/** Where other contexts connect to this one, when an end here and an end there shall have a connection of their own. */
class Doorstep {
  readonly #door: Door
  readonly #expected = new Map<string, (line: Line) => void>()

  constructor({ secret, address }: Program) {
    const { randomBytes } = process.getBuiltinModule('node:crypto')
    const here = join(dirname(address), randomBytes(6).toString('hex'))
    removeAtExit(here)
    // First, lest it stay if this process is killed in between.
    tell(DOOR, NO_WIRE, here)
    this.#door = new Door(here, secret, 'patiently', ({ token }, line) => {
      const come = this.#expected.get(token)
      if (!come) return line.close()
      this.#expected.delete(token)
      come(line)
    })
  }

  /** Gives the address. */
  expect({ token }: WireEnd, come: (line: Line) => void): string {
    this.#expected.set(token, come)
    return this.#door.address
  }

  forget({ token }: WireEnd): void {
    this.#expected.delete(token)
  }
}

let ownDoor: Doorstep | undefined

export function doorstep(): Doorstep {
  ownDoor ??= new Doorstep(program())
  return ownDoor
}

let toRendezvous: Line | undefined

/** Tells the rendezvous; from elsewhere than the main context. */
export function tell(what: number, end: WireEnd, text?: string): void {
  const { secret, address } = program()
  toRendezvous ??= dial(address, end, CONTEXT)
  toRendezvous.send(control(secret, what, end, text))
}

/** What was on its way over this wire, and has not arrived, never will. */
export function lost(token: string): void {
  const { rendezvous } = program()
  if (rendezvous) rendezvous.lost(token)
  // Who has sent, or received, no end of a wire has nothing to tell.
  else if (toRendezvous) tell(LOST, { token, end: 0, hops: 0 })
}

/** ms. The sockets of a process that dies close one after the other. */
const ALL_CLOSED = 50

let interrupted = false

/**
 * Ctrl-C reaches parent and child at once. If the parent ends of it, so does the child, by its one wire to there; until that is
 * known it shall not learn, and report, that its other wires are gone.
 */
export function awaitParentOnInterrupt(): void {
  process.on('SIGINT', () => {
    interrupted = true
  })
}

/** Calls `tell`, of the end of a wire, when that may be told. */
export function tellEnd(tell: () => void): void {
  if (interrupted) setTimeout(tell, ALL_CLOSED)
  else tell()
}
