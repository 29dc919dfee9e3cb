import { rmSync } from 'node:fs'
import { tellLoss } from '@mp/child-process/spi'
import { Acceptor } from './acceptor.js'
import { beforeRemoval, exitDeadline, isBeside } from './address.js'
import * as control from './control.js'
import type { HandOffWire } from './hand-off-wire.js'
import { isOpen } from './open-wires.js'

/** An end that was opened in the main context itself. */
export interface OwnEnd {
  /** The other end has come: this is the connection to it. */
  meet(connection: HandOffWire): void
  /** The other end is gone, and was never opened. */
  lost(): void
  /** Whether something waits for the other end. */
  readonly isWaiting: boolean
}

/** One end of a wire: opened in another context (the connection to it), opened in the main context, or gone unopened. */
type Seat = { readonly connection: HandOffWire } | { readonly own: OwnEnd } | 'gone'

interface Meeting {
  readonly token: string
  readonly seats: [Seat | undefined, Seat | undefined]
}

/** Where an end is, as far as the rendezvous has been told. */
interface Whereabouts {
  readonly end: control.WireEnd
  /**
   * - A connection: unopened, in the context at its other side.
   * - 'main': unopened, in the main context.
   * - `via`: unopened, on its way over the wire with this token.
   * - 'opened': word about it that was sent before no longer counts. This is kept until all such word must have come.
   */
  readonly at: HandOffWire | { readonly via: string } | 'main' | 'opened'
}

/** ms until an end that was lost is closed. By then all word that was sent before, over other connections, must have come. */
const LAST_WORDS = 100

/**
 * Where the two ends of a wire find each other: in the main context, which outlives all others. Invariants:
 *
 * - A wire has a meeting from the opening of its first end to the opening of its second, and no other trace here. Before that
 *   it is only a token in two tickets.
 * - What the first end sends before the second is open is kept here. So it survives the first end's context.
 * - Once both are open, an end in the main context talks to the other end directly. Two ends elsewhere are relayed until they
 *   have a connection of their own. Each announces with SWITCHED that it uses it from then on: so order holds, and if the
 *   connection fails, the relay goes on.
 * - An unopened end is either in one context, and closes with it, or on its way over one wire, and closes if that wire is lost.
 *   Word about it comes over several connections, in any order: more hops are later news, and for as many hops `in a context`
 *   is later than `on its way`.
 * - A wire is lost when its reader says so, or when nobody can read it any more. Whenever a context ends, or closes a wire, all
 *   others are asked about the wires over which something is on its way. A context that is too busy to answer may still read:
 *   in the end it answers, or ends.
 */
export class Rendezvous {
  readonly #secret: Buffer
  readonly #acceptor: Acceptor
  readonly #meetings = new Map<string, Meeting>()
  /** By token and end. An end that was opened stays for LAST_WORDS. */
  readonly #ends = new Map<string, Whereabouts>()
  /** The keys of those `#ends` that are on their way, by the token of the wire. */
  readonly #underWay = new Map<string, Set<string>>()
  readonly #contexts = new Set<HandOffWire>()
  /** The sockets at which other contexts listen. */
  readonly #claimed = new Set<string>()
  /** By the key of an end that is on its way: whom to tell when its whereabouts change. */
  readonly #changes = new Map<string, (() => void)[]>()
  /** By the token of a wire: the contexts that have not said yet whether they may still read it. */
  readonly #asked = new Map<string, Set<HandOffWire>>()

  constructor(address: string, secret: Buffer) {
    this.#secret = secret
    this.#acceptor = new Acceptor(address, secret, 'briefly', (hello, connection) => {
      if (hello.what === control.OPEN) this.#arrive(hello, connection)
      else if (hello.what === control.CONTEXT) this.#listen(connection)
      else connection.close()
    })
  }

  /** How many other contexts are connected. */
  get contexts(): number {
    return this.#contexts.size
  }

  /** Opens an end in the main context. False where the other end is here too: the caller then connects as from elsewhere. */
  open(opened: control.WireEnd, own: OwnEnd): boolean {
    const { token, end } = opened
    this.#opened(opened)
    const meeting = this.#meeting(token)
    const other = meeting.seats[1 - end]
    if (!other) {
      meeting.seats[end] = { own }
      this.#waitAtExit()
      return true
    }
    if (other !== 'gone' && 'own' in other) return false
    this.#meetings.delete(token)
    if (other === 'gone') own.lost()
    else own.meet(other.connection)
    return true
  }

  /** An end that is in the main context closes, and was never opened. */
  discard(end: control.WireEnd): void {
    this.#failed(end)
  }

  /**
   * Calls `then` when this process knows whether the other end is gone, as far as it can have been told. Then it has read what
   * that end sent, and the word of its opening, from its sockets. While that end is on its way, word of its arrival may be.
   * If a context has ended that held it, it closes soon.
   */
  whenKnown(opened: control.WireEnd, then: () => void): void {
    twoTurns(() => {
      const key = opened.token + (1 - opened.end)
      const at = this.#ends.get(key)?.at
      if (typeof at !== 'object') return then()
      if (!('via' in at)) return this.#contexts.has(at) ? then() : later(then)
      const limit = later(() => {
        this.#changes.delete(key)
        then()
      })
      const goOn = () => {
        clearTimeout(limit)
        this.whenKnown(opened, then)
      }
      this.#changes.set(key, [...(this.#changes.get(key) ?? []), goOn])
    })
  }

  #meeting(token: string): Meeting {
    let meeting = this.#meetings.get(token)
    if (!meeting) {
      meeting = { token, seats: [undefined, undefined] }
      this.#meetings.set(token, meeting)
    }
    return meeting
  }

  #arrive(opened: control.WireEnd, connection: HandOffWire): void {
    const { token, end } = opened
    this.#opened(opened)
    connection.send(control.control(this.#secret, control.ACCEPTED, opened))
    const meeting = this.#meeting(token)
    // A ticket opens once.
    if (meeting.seats[end]) return connection.close()
    this.whenKnown(opened, () => connection.send(control.control(this.#secret, control.READY, opened)))
    const other = meeting.seats[1 - end]
    if (!other) {
      meeting.seats[end] = { connection }
      return
    }
    this.#meetings.delete(token)
    if (other === 'gone') connection.close()
    else if ('own' in other) other.own.meet(connection)
    else this.#relay(opened, other.connection, connection)
  }

  /** Passes frames between two ends that are both in other contexts. */
  #relay(end: control.WireEnd, first: HandOffWire, second: HandOffWire): void {
    first.handTo({
      frame: (bytes, beside) => {
        const told = control.readControl(this.#secret, bytes)
        if (told?.what === control.LISTENING) second.send(control.control(this.#secret, control.GO, end, told.text))
        else second.send(bytes, beside)
      },
      drain() {},
      close: () => second.close(),
    })
    second.handTo({
      frame: (bytes, beside) => void first.send(bytes, beside),
      drain() {},
      close: () => first.close(),
    })
    first.send(control.control(this.#secret, control.LISTEN, end))
  }

  /** An unopened end has come to the main context, and stays open as long as that lives. */
  arrived(end: control.WireEnd): void {
    this.#note(keyOf(end), { end: { ...end }, at: 'main' })
  }

  sent(end: control.WireEnd, via: string): void {
    const key = keyOf(end)
    const known = this.#ends.get(key)
    if (known && known.end.hops >= end.hops) return
    this.#note(key, { end: { ...end }, at: { via } })
    this.#waitAtExit()
  }

  /** At the exit of this process core must have flushed first. Its handler may be younger than this one. */
  #waitAtExit(): void {
    beforeRemoval(this.#atExit)
  }

  /** What was sent in this context, for an end that another context is about to open, must arrive there. */
  readonly #atExit = (): void => {
    const late = [...this.#meetings.values()].filter(meeting => this.#isAwaited(meeting))
    const isEnough = () => !late.some(each => this.#meetings.get(each.token) === each)
    if (isEnough()) return
    this.#acceptor.acceptAtExit(isEnough, exitDeadline())
    if (!isEnough())
      tellLoss('at its end another process has not opened its end of a pipe: what was sent to it is lost')
  }

  /** Whether something that was sent here waits for an end that is in another context, or on its way there. */
  #isAwaited({ token, seats }: Meeting): boolean {
    return seats.some((seat, end) => {
      if (typeof seat !== 'object' || !('own' in seat) || !seat.own.isWaiting) return false
      const at = this.#ends.get(token + (1 - end))?.at
      return at !== undefined && at !== 'main'
    })
  }

  /** Whatever was sent over this wire, and has not arrived, never will. */
  lost(via: string): void {
    later(() => {
      for (const key of [...(this.#underWay.get(via) ?? [])]) this.#gone(key)
    })
  }

  /** One side has closed this wire, and will not read it any more. */
  closed(via: string): void {
    later(() => this.#ask(via))
  }

  /** Over this connection a context tells what it holds, until its end. */
  #listen(connection: HandOffWire): void {
    let path: string | undefined
    connection.send(control.control(this.#secret, control.ACCEPTED, control.NO_WIRE))
    this.#contexts.add(connection)
    connection.handTo({
      frame: bytes => {
        const told = control.readControl(this.#secret, bytes)
        if (told?.what === control.ACCEPTOR) path ??= this.#claim(told.text)
        else if (told) this.#hear(told, connection)
      },
      drain() {},
      close: () => {
        this.#contexts.delete(connection)
        for (const via of [...this.#asked.keys()]) this.#cannotCome(via, connection)
        later(() => {
          for (const [key, { at }] of [...this.#ends]) if (at === connection) this.#gone(key)
          for (const via of [...this.#underWay.keys()]) this.#ask(via)
        })
        // A context that was killed could not do it.
        if (path === undefined) return
        this.#claimed.delete(path)
        rmSync(path, { force: true })
      },
    })
  }

  /** The path, if a context may have it removed: it is a socket of the program's, and no other context has said that it is its own. */
  #claim(path: string): string | undefined {
    if (this.#claimed.has(path) || !isBeside(path, this.#acceptor.address)) return undefined
    this.#claimed.add(path)
    return path
  }

  #hear(told: control.Control, connection: HandOffWire): void {
    const key = keyOf(told)
    const known = this.#ends.get(key)
    switch (told.what) {
      case control.HELD:
        if (!known || known.end.hops <= told.hops) this.#note(key, { end: told, at: connection })
        return
      case control.SENT:
        return this.sent(told, told.text)
      case control.OPENED:
        if (!known || known.end.hops <= told.hops) this.#opened(told)
        return
      case control.FAILED:
        return this.#failed(told)
      case control.LOST:
        return this.lost(told.token)
      case control.CLOSED:
        return this.closed(told.token)
      case control.MAY:
        this.#asked.delete(told.token)
        return
      case control.CANNOT:
        return this.#cannotCome(told.token, connection)
    }
  }

  /** Asks all contexts whether one of them may still read what is on its way over this wire. */
  #ask(via: string): void {
    // If one end still waits for the other to be opened, what was sent is kept here; it is read, or lost, with the other end.
    if (!this.#underWay.has(via) || this.#meetings.has(via) || isOpen(via) || this.#asked.has(via)) return
    if (this.#contexts.size === 0) return this.lost(via)
    this.#asked.set(via, new Set(this.#contexts))
    const question = control.control(this.#secret, control.ASK, { token: via, end: 0, hops: 0 })
    for (const connection of this.#contexts) connection.send(question)
  }

  /** This context cannot read the wire any more. Once all contexts have said so, the wire is lost. */
  #cannotCome(via: string, connection: HandOffWire): void {
    const unanswered = this.#asked.get(via)
    if (!unanswered?.delete(connection) || unanswered.size > 0) return
    this.#asked.delete(via)
    this.lost(via)
  }

  #note(key: string, where: Whereabouts): void {
    this.#forget(key)
    this.#ends.set(key, where)
    this.#tellChange(key)
    const { at } = where
    if (typeof at !== 'object' || !('via' in at)) return
    const along = this.#underWay.get(at.via)
    if (along) along.add(key)
    else this.#underWay.set(at.via, new Set([key]))
  }

  #forget(key: string): void {
    const at = this.#ends.get(key)?.at
    this.#ends.delete(key)
    if (typeof at !== 'object' || !('via' in at)) return
    const along = this.#underWay.get(at.via)
    if (along?.delete(key) && along.size === 0) this.#underWay.delete(at.via)
  }

  #tellChange(key: string): void {
    const tell = this.#changes.get(key)
    this.#changes.delete(key)
    for (const each of tell ?? []) each()
  }

  /** The end closes where it is: it was not opened, or could not be. */
  #failed(end: control.WireEnd): void {
    // Word that was sent before, from elsewhere, no longer counts.
    this.#opened(end)
    this.#close(end)
  }

  #opened(end: control.WireEnd): void {
    const key = keyOf(end)
    const record: Whereabouts = { end: { ...end }, at: 'opened' }
    this.#note(key, record)
    later(() => {
      if (this.#ends.get(key) === record) this.#forget(key)
    })
  }

  /** Nobody can open this end any more. */
  #gone(key: string): void {
    const { end } = this.#ends.get(key) as Whereabouts
    this.#forget(key)
    this.#tellChange(key)
    this.#close(end)
  }

  #close({ token, end }: control.WireEnd): void {
    // Nor will anybody read what was sent to it.
    this.lost(token)
    const meeting = this.#meeting(token)
    if (meeting.seats[end]) return
    const other = meeting.seats[1 - end]
    if (!other) {
      meeting.seats[end] = 'gone'
      return
    }
    this.#meetings.delete(token)
    if (other === 'gone') return
    if ('own' in other) other.own.lost()
    else other.connection.close()
  }
}

function twoTurns(then: () => void): void {
  setImmediate(() => setImmediate(then))
}

/** Acts once all word that was sent before, over other connections, has come. */
function later(act: () => void): NodeJS.Timeout {
  return setTimeout(act, LAST_WORDS).unref()
}

function keyOf({ token, end }: control.WireEnd): string {
  return token + end
}
