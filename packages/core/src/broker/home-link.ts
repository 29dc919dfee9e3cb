import type { Context, Remote } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link/link.js'
import { pair } from '../link/wire-end.js'
import { appendText, appendU32, readU32 } from '../runtime/byte-buffer.js'
import { Pending } from '../runtime/pending-call.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import * as protocol from './protocol.js'

/** A call that waits for the home's answer. */
export interface HomeCall {
  readonly type: number
  /** What follows the call's number in its message. */
  readonly values?: readonly number[]
  readonly text?: string
  /** The home has answered. The message's `start` is behind the call's number. */
  answered(message: Message): void
  /** The home is gone. */
  lost(error: MpError): void
}

export interface HomeLinkUser extends Remote {
  readonly id: string
  /** A message has come that answers no waiting call. The home says something by itself, or answers a call that was cancelled. */
  unasked(message: Message): void
  /** The home moves. What is sent now still goes to where it was. */
  moving?(): void
  /** The home has moved to another context. Called before the unanswered calls are made again. */
  moved?(): void
  /** The last handle closes. Fulfils when nothing would be lost that is on its way here. Undefined if nothing is. */
  leave?(): Promise<void> | undefined
  /** The last handle was closed, or collected, and nothing comes from home any more. */
  closed?(): void
  /** What keeps the link open when no handle is left: an acquired permit, which somebody may still release. */
  readonly inUse?: boolean
  /** The home is gone. Called after `lost` of each waiting call. */
  lost?(error: MpError): void
  /** The error with which calls fail when the home is gone. */
  lostError(cause?: Error): MpError
}

/**
 * A holder's link to the home of its object. There is one per context and object, so that what this context says has one order.
 * When the home moves, the link moves with it, and the calls that were not answered are made again.
 */
export class HomeLink<C extends HomeCall = HomeCall> {
  readonly link: Link
  /** Calls that wait for an answer, by their numbers, oldest first. */
  readonly calls = new Map<number, C>()
  readonly #context: Context
  readonly #transport: Transport
  readonly #user: HomeLinkUser
  #nextCall = 1
  /** Handles of this context that use it. */
  #handles = 0
  /** Why the home is gone, if the medium or the protocol failed. */
  #cause: Error | undefined

  constructor(context: Context, transport: Transport, wire: Wire, user: HomeLinkUser) {
    this.#context = context
    this.#transport = transport
    this.#user = user
    this.link = new Link(wire, transport, {
      message: message => this.#hear(message),
      moving: () => user.moving?.(),
      moved: () => {
        // All unanswered calls are made again. Those that still wait in the link would be made twice.
        this.link.withdraw(new Set([...this.calls.values()].map(({ type }) => type)))
        user.moved?.()
        for (const number of this.calls.keys()) this.ask(number)
      },
      closed: error => this.#lost(error),
      lost: error => user.lostError(error),
    })
    context.remotes.set(user.id, user)
    context.links.add(this.link)
    this.link.control(protocol.HELLO, out => appendText(out, context.identity.id))
    this.link.flush()
    this.link.listenFirst()
  }

  get closed(): boolean {
    return this.link.closed
  }

  open(): void {
    this.#handles++
  }

  close(): void {
    const last = --this.#handles === 0 && !this.closed ? this.#user.leave?.() : undefined
    if (last) return void this.#leaveAfter(last)
    if (this.#handles === 0) this.link.close()
    if (this.link.closed) this.#leave()
  }

  /** From here on a handle that arrives in this context is another holder. */
  async #leaveAfter(last: Promise<void>): Promise<void> {
    const { leaving } = this.#context
    this.#giveUpId()
    leaving.add(this.#user)
    await last
    leaving.delete(this.#user)
    this.link.close()
    this.#leave()
  }

  /** A handle was collected. After the last one, the link closes when nothing waits here any more. */
  collected(): void {
    this.#handles--
    this.closeUnused()
  }

  /** Closes the link if no handle is left, and nothing that needs an answer, or that waits for the window. */
  closeUnused(): void {
    if (this.#handles > 0 || this.calls.size > 0 || this.#user.inUse) return
    const again = () => this.closeUnused()
    const last = this.link.lastCall
    if (last) return void last.then(again, again)
    this.link.close()
    this.#leave()
  }

  /** Makes a call and gives its number. Throws if the home is gone. */
  call(call: C): number {
    this.checkOpen()
    const number = this.#nextCall
    this.#nextCall = (this.#nextCall + 1) >>> 0
    this.calls.set(number, call)
    this.ask(number)
    return number
  }

  /** Sends a call that waits, for the first time or again. */
  ask(number: number): void {
    const { type, values, text } = this.calls.get(number) as C
    this.link.control(type, out => {
      appendU32(out, number)
      if (values) for (const value of values) appendU32(out, value)
      if (text) appendText(out, text)
    })
  }

  /** The caller gave up. An answer that is already on its way comes to `unasked`. */
  cancel(number: number): void {
    this.calls.delete(number)
    this.tell(protocol.CANCEL, number)
  }

  /** Sends a message that needs no answer. */
  tell(type: number, ...values: number[]): void {
    this.link.control(type, out => {
      for (const value of values) appendU32(out, value)
    })
  }

  async settled(): Promise<void> {
    if (this.closed) return
    const pending = new Pending<void>()
    const settle: HomeCall = {
      type: protocol.SETTLE,
      answered: () => pending.resolve(),
      lost: () => pending.resolve(),
    }
    this.call(settle as C)
    return pending.promise
  }

  /** As `settled`, but blocks, until `deadline` as performance.now() counts: this context exits. */
  settleSync(deadline: number): void {
    let answered = false
    const done = () => {
      answered = true
    }
    this.call({ type: protocol.SETTLE, answered: done, lost: done } as HomeCall as C)
    while (!answered && performance.now() < deadline) {
      // The home may be exiting, too, and wait for an answer from here.
      for (const link of this.#context.links) if (link !== this.link) link.receiveSync(0)
      const before = performance.now()
      if (!this.link.receiveSync(1) && performance.now() - before < 0.5) return
    }
  }

  /** Lets another context join. Gives the index of the end that leads it to the home. */
  share(packing: HandlePacking): number {
    this.checkOpen()
    const [forHome, forTaker] = pair(this.#transport)
    // Over the link that this context speaks over, so that home has read all of it before the new holder can ask.
    packing.onCommit(() => this.link.control(protocol.JOIN, undefined, [forHome]))
    return packing.attachEnd(forTaker)
  }

  checkOpen(): void {
    if (this.closed) throw this.#user.lostError(this.#cause)
  }

  #hear(message: Message): void {
    const number = readU32(message.bytes, message.start)
    const call = protocol.isAnswer(message.type) ? this.calls.get(number) : undefined
    if (!call) return this.#user.unasked(message)
    this.calls.delete(number)
    call.answered({ ...message, start: message.start + 4 })
    if (this.#handles === 0) this.closeUnused()
  }

  #lost(cause: Error | undefined): void {
    this.#cause = cause
    this.#forget()
    const calls = [...this.calls.values()]
    this.calls.clear()
    for (const call of calls) call.lost(this.#user.lostError(cause))
    this.#user.lost?.(this.#user.lostError(cause))
  }

  #leave(): void {
    this.#forget()
    this.#user.closed?.()
    // Home may have acted on them, but its answers do not come any more.
    const calls = [...this.calls.values()]
    this.calls.clear()
    for (const call of calls) call.lost(new MpError('MP_CLOSED', 'the object was closed in this context meanwhile'))
  }

  #forget(): void {
    this.#context.links.delete(this.link)
    this.#giveUpId()
  }

  #giveUpId(): void {
    const { id } = this.#user
    if (this.#context.remotes.get(id) === this.#user) this.#context.remotes.delete(id)
  }
}
