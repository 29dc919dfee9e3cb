import { HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Message } from '../link/link.js'
import { readU32 } from '../runtime/byte-buffer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { atTurnEnd, roughNow, turnIsLong, turnsAreOver } from '../runtime/turn.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { lostHome, type PackedSemaphore, type SemaphoreBackend, type Wish } from './backend.js'
import { type Grant, Holds } from './grants.js'
import * as protocol from './protocol.js'

/**
 * A semaphore whose home is elsewhere, used over a link.
 *
 * A permit that is released here may stay *idle* until the end of the turn, when home is told. Until then a call of this context
 * can take it again without asking home. So a loop that takes a lock for each step does not wait for a round trip each time.
 * Nobody else waits longer for the permit, because a release leaves at the turn's end anyway. Three rules keep this fair:
 *
 * - A permit becomes idle only if home gave one to this context twice running, with nobody in line.
 * - It does so only in the turn in which home gave it. Whoever has come into line since then would otherwise wait for ever for a context
 *   that always asks again.
 * - When a turn becomes long, idle permits are released, and calls ask home again, behind those that wait.
 */
export class RemoteSemaphore implements SemaphoreBackend, HomeLinkUser {
  readonly id: string
  readonly holds = new Holds()
  readonly #home: HomeLink
  /** The numbers of grants that are idle: released, and home has not been told. */
  readonly #idle: number[] = []
  #turnEndAwaited = false
  /** Counts the turns in which a permit might become idle. */
  #turn = 0

  constructor(context: Context, transport: Transport, id: string, wire: Wire) {
    this.id = id
    this.#home = new HomeLink(context, transport, wire, this)
  }

  use(): this {
    this.#home.open()
    return this
  }

  acquire(wish: Wish, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<Grant | undefined> {
    this.#home.checkOpen()
    if (this.#idle.length > 0) {
      const grant = this.#takeIdle(wish)
      if (grant) return Promise.resolve(grant)
    }
    const pending = new Pending<Grant | undefined>()
    const call = this.#home.call({
      type: protocol.ACQUIRE,
      values: [wish === 'see' ? 1 : 0, nowait ? 1 : 0],
      answered: message => {
        if (message.type !== protocol.GRANTED) return pending.resolve(undefined)
        const grant = grantIn(message, this.#turn)
        // In a microtask: otherwise the turn's end may come before the caller goes on.
        if (grant.lingers) queueMicrotask(this.#awaitTurnEnd)
        pending.resolve(wish === 'hold' ? this.holds.add(grant) : grant)
      },
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        nowait ? { signal: options?.signal } : options,
        () => pending.resolve(undefined),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  release({ number, lingers, turn }: Grant): void {
    this.#home.checkOpen()
    this.holds.delete(number)
    if (!lingers || turn !== this.#turn || turnsAreOver() || turnIsLong(roughNow())) {
      this.#home.tell(protocol.RELEASE, number, 0)
      return this.#home.closeUnused()
    }
    this.#idle.push(number)
  }

  readonly #awaitTurnEnd = (): void => {
    if (this.#turnEndAwaited) return
    this.#turnEndAwaited = true
    atTurnEnd(this)
  }

  /** Tells home, in its place in the turn's end, and at once: what is sent elsewhere after the release must not overtake it. */
  turnEnded(): void {
    this.#turnEndAwaited = false
    this.#turn++
    if (this.#idle.length === 0) return
    this.#releaseIdle()
    this.#home.link.flush()
    this.#home.closeUnused()
  }

  #releaseIdle(): void {
    for (const number of this.#idle) this.#home.tell(protocol.RELEASE, number, 0)
    this.#idle.length = 0
  }

  #takeIdle(wish: Wish): Grant | undefined {
    if (turnIsLong(roughNow())) {
      this.#releaseIdle()
      return undefined
    }
    if (wish === 'see') return SEEN
    return this.holds.add({ number: this.#idle.pop() as number, abandoned: false, lingers: true, turn: this.#turn })
  }

  consume({ number }: Grant): void {
    this.holds.delete(number)
    this.#home.tell(protocol.CONSUME, number)
    this.#home.closeUnused()
  }

  async post(count: number, exact: boolean): Promise<boolean> {
    const { type } = await this.#ask(protocol.POST, count, exact ? 1 : 0)
    return type === protocol.POSTED
  }

  async value(): Promise<number> {
    const { bytes, start } = await this.#ask(protocol.VALUE)
    return readU32(bytes, start)
  }

  settled(): Promise<void> {
    this.#releaseIdle()
    return this.#home.settled()
  }

  close(): void {
    this.#releaseIdle()
    this.#home.close()
  }

  collected(): void {
    this.#home.collected()
  }

  /** Whether a guard may still give something back. */
  get inUse(): boolean {
    return this.#idle.length > 0 || !this.holds.none
  }

  closed(): void {
    this.holds.clear()
  }

  pack(packing: HandlePacking): PackedSemaphore {
    this.#releaseIdle()
    return { id: this.id, end: this.#home.share(packing) }
  }

  unasked({ type, bytes, start }: Message): void {
    switch (type) {
      case protocol.GRANTED: {
        // The call gave up, so the permit goes to the next call in line.
        const { number, abandoned } = grantIn({ bytes, start: start + 4 }, 0)
        if (number > 0) this.#home.tell(protocol.RELEASE, number, abandoned ? 1 : 0)
        return
      }
      case protocol.REVOKED: {
        const number = readU32(bytes, start)
        const at = this.#idle.indexOf(number)
        if (at >= 0) this.#idle.splice(at, 1)
        this.holds.delete(number)
        return this.#home.closeUnused()
      }
      case protocol.REFUSED:
      case protocol.POSTED:
      case protocol.VALUE_IS:
        return
      default:
        throw new MpError('MP_DECODE', `a semaphore's home sends no message of type ${type}`)
    }
  }

  lostError(cause?: Error): MpError {
    return lostHome(cause)
  }

  lost(): void {
    this.#idle.length = 0
  }

  #ask(type: number, ...values: number[]): Promise<Message> {
    this.#home.checkOpen()
    this.#releaseIdle()
    const pending = new Pending<Message>()
    this.#home.call({
      type,
      values,
      answered: message => pending.resolve(message),
      lost: error => pending.reject(error),
    })
    return pending.promise
  }
}

const SEEN: Grant = { number: 0, abandoned: false, lingers: false }

function grantIn({ bytes, start }: Pick<Message, 'bytes' | 'start'>, turn: number): Grant {
  return {
    number: readU32(bytes, start),
    abandoned: readU32(bytes, start + 4) === 1,
    lingers: readU32(bytes, start + 8) === 1,
    turn,
  }
}
