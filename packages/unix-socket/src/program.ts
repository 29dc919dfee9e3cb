import { readFileSync, rmSync } from 'node:fs'
import { PipeWire } from '@mp/child-process/spi'
import { MpError } from '@mp/core/spi'
import { directoryOf, flushBriefly, freshPlace, placeBeside } from './address.js'
import {
  ASK,
  CANNOT,
  CLOSED,
  CONTEXT,
  control,
  DOOR,
  FAILED,
  LOST,
  MAY,
  NO_WIRE,
  OPEN,
  readControl,
  type WireEnd,
} from './control.js'
import { Door } from './door.js'
import { Line } from './line.js'
import { isOpen } from './open-wires.js'
import { Rendezvous } from './rendezvous.js'

/** Tells a child its program, in JSON. The boot takes it out of the environment at once. */
export const VARIABLE = 'MP_UNIX_SOCKET'

interface Inheritance {
  /** Hexadecimal. */
  readonly secret: string
  /** The rendezvous's. */
  readonly address: string
  /** The main context's pid. */
  readonly main: number
  /** The token of the wire to the parent. */
  readonly wire: string
  /** A descriptor: this context's connection to the rendezvous. */
  readonly line: number | null
}

const told = process.env[VARIABLE]
delete process.env[VARIABLE]
const inherited = told === undefined ? undefined : (JSON.parse(told) as Inheritance)

/** In a child. */
export function inheritance(): Inheritance {
  if (inherited) return inherited
  throw new MpError('MP_INVALID_STATE', 'the main context has inherited nothing')
}

export function randomToken(): string {
  return process.getBuiltinModule('node:crypto').randomBytes(16).toString('hex')
}

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
  const { address } = freshPlace('rendezvous')
  return { secret, address, rendezvous: new Rendezvous(address, secret) }
}

function joined({ secret, address }: Inheritance): Program {
  return { secret: Buffer.from(secret, 'hex'), address, rendezvous: undefined }
}

/**
 * If the main context is killed, its children are left to remove the program's directory, when the wire to there ends. Gives
 * the directory; undefined elsewhere than in a child of the main context.
 */
export function removeWhenOrphaned(parent: PipeWire): string | undefined {
  const { main, address } = inheritance()
  if (main !== process.ppid) return undefined
  const directory = directoryOf(address)
  if (directory === undefined) return undefined
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
    const here = placeBeside(address)
    // First, lest it stay if this process is killed in between.
    if (here.leftover !== undefined) tell(DOOR, NO_WIRE, here.leftover)
    this.#door = new Door(here.address, secret, 'patiently', ({ token }, line) => {
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

/** Where this context tells the rendezvous what it holds, and answers it. */
function lineToRendezvous(): Line {
  if (toRendezvous) return toRendezvous
  const { address, secret } = program()
  const line =
    typeof inherited?.line === 'number'
      ? new Line(new PipeWire({ fd: inherited.line }, true))
      : dial(address, NO_WIRE, CONTEXT)
  line.give({
    frame: bytes => {
      const asked = readControl(secret, bytes)
      if (asked?.what === ASK) line.send(control(secret, isOpen(asked.token) ? MAY : CANNOT, asked))
    },
    drain() {},
    close() {},
  })
  toRendezvous = line
  return line
}

/** In a child, whose creator may have made the connection. */
export function answerRendezvous(): void {
  if (typeof inherited?.line === 'number') lineToRendezvous()
}

/** Tells the rendezvous; from elsewhere than the main context. */
export function tell(what: number, end: WireEnd, text?: string): void {
  lineToRendezvous().send(control(program().secret, what, end, text))
}

/** What was on its way over this wire, and has not arrived, never will. */
export function lost(token: string): void {
  // Who has sent, or received, no end of a wire has nothing to tell.
  if (program().rendezvous || toRendezvous) tellLost(token)
}

/** As `lost`, of a wire to a child, which may have sent an end of a wire that never came. */
export function tellLost(token: string): void {
  const { rendezvous } = program()
  if (rendezvous) rendezvous.lost(token)
  else tell(LOST, { token, end: 0, hops: 0 })
}

/** This context closed the wire, and reads it no more. */
export function left(token: string): void {
  const { rendezvous } = program()
  if (rendezvous) rendezvous.closed(token)
  else if (toRendezvous) tell(CLOSED, { token, end: 0, hops: 0 })
}

/** The end could not be opened: there are no descriptors left, perhaps. */
export function failed(end: WireEnd): void {
  if (!program().rendezvous) tell(FAILED, end)
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
