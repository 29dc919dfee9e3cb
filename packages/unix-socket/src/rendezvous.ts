import { rmSync } from 'node:fs'
import * as control from './control.js'
import { Door } from './door.js'
import type { Line } from './line.js'
import { isOpen } from './open-wires.js'

/** An end that was opened in the main context itself. */
export interface OwnEnd {
  /** The other end's connection. */
  meet(line: Line): void
  /** The other end is gone, unopened. */
  lost(): void
}

/** What is known of one end of a wire: the connection over which it was opened elsewhere, or itself, or that it is gone. */
type Seat = { readonly line: Line } | { readonly own: OwnEnd } | 'gone'

interface Meeting {
  readonly token: string
  readonly seats: [Seat | undefined, Seat | undefined]
}

/** Where an end is, as far as told. */
interface Whereabouts {
  readonly end: control.WireEnd
  /**
   * Unopened in the context at the other side of this connection, or in the main context; or (`via`, a wire's token) on its way
   * to one. 'opened': nothing that was said before counts; kept until all of that must have come.
   */
  readonly at: Line | { readonly via: string } | 'main' | 'opened'
}

/** ms after an end until what it lost closes: all that was said before it, over other connections, must have been heard. */
const LAST_WORDS = 100

/**
 * Where the two ends of a wire find each other: in the main context, which outlives all others. Invariants:
 *
 * - A wire has a meeting from the opening of its first end to that of its second, and no other trace here. Before, it is a
 *   number in two tickets.
 * - What the first end sends before the second is open is kept here, so it survives the first end's context.
 * - Then an end that is here talks to the other one directly. Two ends elsewhere are relayed until they have a connection of
 *   their own, which each enters with SWITCHED: order holds, and if the connection fails the relay goes on.
 * - An unopened end is in one context and closes with it, or is on its way over one wire and closes if that is lost. Word of
 *   it comes over several connections, and may cross: more hops are later news, and `in a context` later than `on its way`.
 * - A wire is lost when who read it says so, or when nobody can: whenever a context ends, or closes a wire, all others are asked
 *   about the wires over which something is on its way. One that is too busy to answer may still read; it answers, or ends.
 */
export class Rendezvous {
  readonly #secret: Buffer
  readonly #meetings = new Map<string, Meeting>()
  /** By token and end; of ends that were opened, for a moment. */
  readonly #ends = new Map<string, Whereabouts>()
  /** Of `#ends`, those on their way, by the token of the wire. */
  readonly #underWay = new Map<string, Set<string>>()
  readonly #contexts = new Set<Line>()
  /** By the token of a wire: the contexts that have not said yet whether they may still read it. */
  readonly #asked = new Map<string, Set<Line>>()

  constructor(address: string, secret: Buffer) {
    this.#secret = secret
    new Door(address, secret, 'briefly', (hello, line) => {
      if (hello.what === control.OPEN) this.#arrive(hello, line)
      else if (hello.what === control.CONTEXT) this.#listen(line)
      else line.close()
    })
  }

  /** Opens an end in the main context. False where the other one is here as well: then it is opened as if from elsewhere. */
  open(opened: control.WireEnd, own: OwnEnd): boolean {
    const { token, end } = opened
    this.#opened(opened)
    const meeting = this.#meeting(token)
    const other = meeting.seats[1 - end]
    if (!other) {
      meeting.seats[end] = { own }
      return true
    }
    if (other !== 'gone' && 'own' in other) return false
    this.#meetings.delete(token)
    if (other === 'gone') own.lost()
    else own.meet(other.line)
    return true
  }

  #meeting(token: string): Meeting {
    let meeting = this.#meetings.get(token)
    if (!meeting) {
      meeting = { token, seats: [undefined, undefined] }
      this.#meetings.set(token, meeting)
    }
    return meeting
  }

  #arrive(opened: control.WireEnd, line: Line): void {
    const { token, end } = opened
    this.#opened(opened)
    const meeting = this.#meeting(token)
    // A ticket opens once.
    if (meeting.seats[end]) return line.close()
    // What the other end sent may be in this process's sockets, unread, and so may the word of its opening.
    twoTurns(() => line.send(control.control(this.#secret, control.READY, opened)))
    const other = meeting.seats[1 - end]
    if (!other) {
      meeting.seats[end] = { line }
      return
    }
    this.#meetings.delete(token)
    if (other === 'gone') line.close()
    else if ('own' in other) other.own.meet(line)
    else this.#relay(opened, other.line, line)
  }

  /** Both ends are elsewhere. */
  #relay(end: control.WireEnd, first: Line, second: Line): void {
    first.give({
      frame: (bytes, beside) => {
        const told = control.readControl(this.#secret, bytes)
        if (told?.what === control.LISTENING) second.send(control.control(this.#secret, control.GO, end, told.text))
        else second.send(bytes, beside)
      },
      drain() {},
      close: () => second.close(),
    })
    second.give({
      frame: (bytes, beside) => void first.send(bytes, beside),
      drain() {},
      close: () => first.close(),
    })
    first.send(control.control(this.#secret, control.LISTEN, end))
  }

  /** An end has come to the main context, unopened: it lives as long as all. */
  arrived(end: control.WireEnd): void {
    this.#note(keyOf(end), { end: { ...end }, at: 'main' })
  }

  sent(end: control.WireEnd, via: string): void {
    const key = keyOf(end)
    const known = this.#ends.get(key)
    if (known && known.end.hops >= end.hops) return
    this.#note(key, { end: { ...end }, at: { via } })
  }

  /** What went over this wire and has not arrived never will. */
  lost(via: string): void {
    later(() => {
      for (const key of [...(this.#underWay.get(via) ?? [])]) this.#gone(key)
    })
  }

  /** One side has closed this wire, and reads it no more. */
  closed(via: string): void {
    later(() => this.#ask(via))
  }

  /** A context tells what it holds, until its end. */
  #listen(line: Line): void {
    let door: string | undefined
    this.#contexts.add(line)
    line.give({
      frame: bytes => {
        const told = control.readControl(this.#secret, bytes)
        if (told?.what === control.DOOR) door = told.text
        else if (told) this.#hear(told, line)
      },
      drain() {},
      close: () => {
        this.#contexts.delete(line)
        for (const via of [...this.#asked.keys()]) this.#cannotCome(via, line)
        later(() => {
          for (const [key, { at }] of [...this.#ends]) if (at === line) this.#gone(key)
          for (const via of [...this.#underWay.keys()]) this.#ask(via)
        })
        // One that was killed could not do it.
        if (door !== undefined) rmSync(door, { force: true })
      },
    })
  }

  #hear(told: control.Control, line: Line): void {
    const key = keyOf(told)
    const known = this.#ends.get(key)
    switch (told.what) {
      case control.HELD:
        if (!known || known.end.hops <= told.hops) this.#note(key, { end: told, at: line })
        return
      case control.SENT:
        return this.sent(told, told.text)
      case control.OPENED:
        if (!known || known.end.hops <= told.hops) this.#opened(told)
        return
      case control.FAILED:
        if (!known) this.#note(key, { end: told, at: line })
        return this.#gone(key)
      case control.LOST:
        return this.lost(told.token)
      case control.CLOSED:
        return this.closed(told.token)
      case control.MAY:
        this.#asked.delete(told.token)
        return
      case control.CANNOT:
        return this.#cannotCome(told.token, line)
    }
  }

  /** Whether anybody may still read what is on its way over this wire. */
  #ask(via: string): void {
    // Where one end waits for the other to be opened, what was sent is kept here, and read or lost with that one.
    if (!this.#underWay.has(via) || this.#meetings.has(via) || isOpen(via) || this.#asked.has(via)) return
    if (this.#contexts.size === 0) return this.lost(via)
    this.#asked.set(via, new Set(this.#contexts))
    const question = control.control(this.#secret, control.ASK, { token: via, end: 0, hops: 0 })
    for (const line of this.#contexts) line.send(question)
  }

  /** Nor over any other way than `line`'s, if all have said so. */
  #cannotCome(via: string, line: Line): void {
    const unanswered = this.#asked.get(via)
    if (!unanswered?.delete(line) || unanswered.size > 0) return
    this.#asked.delete(via)
    this.lost(via)
  }

  #note(key: string, where: Whereabouts): void {
    this.#forget(key)
    this.#ends.set(key, where)
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
    const { token, end } = (this.#ends.get(key) as Whereabouts).end
    this.#forget(key)
    // Nobody will read what was sent to it.
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
    else other.line.close()
  }
}

export function twoTurns(then: () => void): void {
  setImmediate(() => setImmediate(then))
}

/** When all that was said before, over other connections, has been heard. */
function later(act: () => void): void {
  setTimeout(act, LAST_WORDS).unref()
}

function keyOf({ token, end }: control.WireEnd): string {
  return token + end
}
