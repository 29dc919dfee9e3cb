import { HolderCalls } from '../broker/holder-calls.js'
import { type Broker, type Holder, Holders } from '../broker/holders.js'
import { CANCEL } from '../broker/protocol.js'
import { encodeError } from '../codec/codec.js'
import type { Context, Pack } from '../context/context.js'
import { Envelope } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { Link, Message } from '../link/link.js'
import { type End, open, type Parcel } from '../link/wire-end.js'
import { appendU32, readU32 } from '../runtime/byte-buffer.js'
import { caughtUp } from '../runtime/turn.js'
import { WaitList } from '../runtime/wait-list.js'
import * as protocol from '../semaphore/protocol.js'
import type { Transport } from '../transport/transport.js'
import type { BarrierState } from './backend.js'

const ANSWERED: ReadonlySet<number> = new Set([protocol.ARRIVE, protocol.ABORT, protocol.RESET, protocol.STATE])

/** One call that waits at the barrier. */
export interface Arrival {
  readonly holder?: Holder
  passed(index: number): void
  broken(cause: unknown): void
}

/** What a barrier's home leaves to the next one. */
export interface BarrierEstate {
  readonly kind: 'barrier'
  readonly id: string
  readonly parties: number
  readonly broken: boolean
  readonly holders: readonly number[]
}

/**
 * The broker of one barrier, in the context that is its home. Invariants:
 *
 * - `waiting` has fewer than `parties` arrivals, unless the action runs for a generation: then the next one gathers behind it.
 * - Nobody waits at a broken barrier.
 * - The action runs here, in the context that made the barrier, once per generation, before any call of that passes. So a
 *   barrier with an action is broken when its home moves.
 */
export class BarrierHome implements Broker<Holder> {
  readonly id: string
  readonly transport: Transport
  readonly parties: number
  readonly answered = ANSWERED
  /** The object through which this context itself uses the barrier. */
  local: object | undefined
  readonly #action: (() => unknown) | undefined
  readonly #holders: Holders<Holder>
  readonly #waiting = new WaitList<Arrival>()
  /** The generation for which the action is running. */
  #acting: readonly Arrival[] | undefined
  #broken = false

  constructor(context: Context, transport: Transport, id: string, parties: number, action?: () => unknown) {
    this.id = id
    this.transport = transport
    this.parties = parties
    this.#action = action
    this.#holders = new Holders(context, this)
  }

  get state(): BarrierState {
    return { waiting: this.#waiting.length, broken: this.#broken }
  }

  /** The state, once home has read what others have already sent. */
  async settledState(): Promise<BarrierState> {
    await caughtUp()
    return this.state
  }

  /** An arrival waits, or, as the last of its generation, lets all of that pass. */
  arrive(arrival: Arrival, nowait: boolean): void {
    if (this.#broken) return arrival.broken(undefined)
    this.#waiting.push(arrival)
    this.#pass()
    if (!nowait || !this.#isWaiting(arrival)) return
    // Messages of others that have arrived may not have been read yet.
    void caughtUp().then(() => {
      if (this.#isWaiting(arrival)) this.abort()
    })
  }

  abort(cause?: unknown): void {
    this.#broken = true
    this.#free(cause)
  }

  /** The call gave up. The others of its generation cannot meet any more. */
  giveUp(arrival: Arrival): void {
    this.#waiting.delete(arrival)
    this.#acting = this.#acting?.filter(each => each !== arrival)
    this.abort()
  }

  reset(): void {
    this.#broken = false
    this.#free(undefined)
  }

  share(): End {
    return this.#holders.share()
  }

  flush(): void {
    this.#holders.flush()
  }

  handOver(pack: Pack, deadline?: number): Promise<void> {
    if (this.#has(undefined) || this.#action) this.abort()
    else this.#waiting.clear()
    return this.#holders.handOver(pack, deadline, (_, ends) => ({
      kind: 'barrier',
      id: this.id,
      parties: this.parties,
      broken: this.#broken,
      holders: ends,
    }))
  }

  /** Takes over a barrier whose home's context has ended. */
  static adopt(
    context: Context,
    transport: Transport,
    { id, parties, broken, holders }: BarrierEstate,
    parcelAt: (index: number) => Parcel,
  ): void {
    const home = new BarrierHome(context, transport, id, parties)
    home.#broken = broken
    for (const end of holders) home.#holders.join(open(parcelAt(end) as End, transport))
  }

  meet(link: Link): Holder {
    return { link, calls: new HolderCalls(link) }
  }

  hear(holder: Holder, message: Message): void {
    const { link } = holder
    const { type, bytes, start } = message
    const call = readU32(bytes, start)
    const answer = (type: number, ...values: number[]) => {
      link.control(type, out => {
        for (const value of [call, ...values]) appendU32(out, value)
      })
    }
    switch (type) {
      case protocol.ARRIVE: {
        holder.calls.wait(call)
        const broken = (cause: unknown) => {
          holder.calls.end(call)
          link.control(protocol.BROKEN, out => {
            appendU32(out, call)
            if (cause !== undefined) encodeError(cause, out, new Envelope(this.transport))
          })
        }
        const passed = (index: number) => {
          holder.calls.end(call)
          answer(protocol.PASSED, index)
        }
        return this.arrive({ holder, passed, broken }, readU32(bytes, start + 4) === 1)
      }
      case protocol.ABORT:
        this.abort()
        return answer(protocol.DONE)
      case protocol.RESET:
        this.reset()
        return answer(protocol.DONE)
      case protocol.STATE:
        return void this.settledState().then(({ waiting, broken }) =>
          answer(protocol.STATE_IS, waiting, broken ? 1 : 0),
        )
      default:
        return this.keep(holder, message)
    }
  }

  keep(_holder: Holder, { type }: Message): void {
    switch (type) {
      case CANCEL:
        return this.abort()
      case protocol.ARRIVE:
      case protocol.ABORT:
      case protocol.RESET:
      case protocol.STATE:
        return
      default:
        throw new MpError('MP_DECODE', `a barrier's home knows no message of type ${type}`)
    }
  }

  left(holder: Holder): void {
    this.leave(holder)
  }

  /** A context is gone. If a call of it waits here, the others wait in vain. Undefined stands for this context. */
  leave(holder: Holder | undefined): void {
    if (this.#has(holder)) this.abort()
  }

  #has(holder: Holder | undefined): boolean {
    return [...this.#waiting, ...(this.#acting ?? [])].some(each => each.holder === holder)
  }

  #isWaiting(arrival: Arrival): boolean {
    return [...this.#waiting].includes(arrival)
  }

  #pass(): void {
    while (!this.#acting && this.#waiting.length >= this.parties) {
      const generation = Array.from({ length: this.parties }, () => this.#waiting.shift() as Arrival)
      if (this.#action) void this.#act(this.#action, generation)
      else for (const [index, each] of generation.entries()) each.passed(index)
    }
  }

  async #act(action: () => unknown, generation: readonly Arrival[]): Promise<void> {
    this.#acting = generation
    try {
      await action()
    } catch (error) {
      if (this.#acting === generation) this.abort(error)
      return
    }
    // The barrier may have been broken or reset meanwhile.
    if (this.#acting !== generation) return
    this.#acting = undefined
    for (const [index, each] of generation.entries()) each.passed(index)
    this.#pass()
  }

  #free(cause: unknown): void {
    const all = [...(this.#acting ?? []), ...this.#waiting]
    this.#acting = undefined
    this.#waiting.clear()
    for (const each of all) each.broken(cause)
  }
}
