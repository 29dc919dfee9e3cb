import { HolderCalls } from '../broker/holder-calls.js'
import { type Broker, type Holder, Holders } from '../broker/holders.js'
import { CANCEL } from '../broker/protocol.js'
import type { Context, Pack } from '../context/context.js'
import { MpError } from '../errors.js'
import type { Link, Message } from '../link/link.js'
import { type End, open, type Parcel } from '../link/wire-end.js'
import { appendU32, readU32 } from '../runtime/byte-buffer.js'
import { caughtUp } from '../runtime/turn.js'
import { WaitList } from '../runtime/wait-list.js'
import type { Transport } from '../transport/transport.js'
import type { Wish } from './backend.js'
import type { Grant } from './grants.js'
import * as protocol from './protocol.js'

/** A context that may hold permits. */
export interface Party {
  /** The numbers of the grants that it holds. */
  readonly grants: Set<number>
  /** Tells it that another context gave one of them back. */
  revoked(grant: number): void
}

/** A call for a permit. */
export interface Acquirer {
  readonly party: Party
  readonly wish: Wish
  granted(grant: Grant): void
  /** No permit is free, and the call does not wait. */
  refused(): void
  /** The call is put in line. */
  waits?(): void
  readonly call?: number
}

interface SemaphoreHolder extends Holder, Party {}

/** What a semaphore's home leaves to the next one. */
export interface SemaphoreEstate {
  readonly kind: 'semaphore'
  readonly id: string
  readonly limit: number
  readonly value: number
  /** How many of the free permits came from contexts that ended while they held them. */
  readonly abandoned: number
  readonly nextGrant: number
  readonly holders: readonly number[]
  /** For each holder the numbers of its grants. Holders that joined during the move come last, and have none. */
  readonly grants: readonly (readonly number[])[]
}

const ANSWERED: ReadonlySet<number> = new Set([protocol.ACQUIRE, protocol.POST, protocol.VALUE])

const SEEN: Grant = { number: 0, abandoned: false, lingers: false }

/**
 * The broker of one semaphore, in the context that is its home. Invariants:
 *
 * - `0 <= value <= limit`; `abandoned <= value`.
 * - A call that waits and a free permit never both exist.
 * - Each grant is in the home's `grants`, which has the order in which they were made, and in its party's. It is nowhere else.
 * - While the home moves, nothing is granted. Calls that wait are made again at the new home.
 */
export class SemaphoreHome implements Broker<SemaphoreHolder> {
  readonly id: string
  readonly transport: Transport
  readonly limit: number
  readonly answered = ANSWERED
  /** The object through which this context itself uses the semaphore. */
  local: Party | undefined
  #value: number
  /** How many of the free permits came from contexts that ended while they held them. */
  #abandoned = 0
  #nextGrant = 1
  /** The party that got the last grant. */
  #last: Party | undefined
  readonly #grants = new Map<number, Party>()
  readonly #holding = new WaitList<Acquirer>()
  readonly #seeing = new WaitList<Acquirer>()
  readonly #holders: Holders<SemaphoreHolder>

  constructor(context: Context, transport: Transport, id: string, value: number, limit: number) {
    this.id = id
    this.transport = transport
    this.limit = limit
    this.#value = value
    this.#holders = new Holders(context, this)
  }

  get value(): number {
    return this.#value
  }

  /**
   * Grants a permit now, or puts the call in line. With `nowait` the call stays in line only until home has read every release
   * that was sent before. If no grant is out, no release can be on its way.
   */
  acquire(acquirer: Acquirer, nowait: boolean): void {
    if (this.#value > 0) return this.#grant(acquirer)
    if (nowait && this.#grants.size === 0) return acquirer.refused()
    acquirer.waits?.()
    const line = acquirer.wish === 'see' ? this.#seeing : this.#holding
    line.push(acquirer)
    if (!nowait) return
    void caughtUp().then(() => {
      if (line.delete(acquirer)) acquirer.refused()
    })
  }

  forget(acquirer: Acquirer): void {
    if (!this.#holding.delete(acquirer)) this.#seeing.delete(acquirer)
  }

  /** Gives a permit back. Does nothing if the grant was revoked. */
  release(party: Party, grant: number, abandoned: boolean): void {
    if (!this.consume(party, grant)) return
    if (abandoned) this.#abandoned++
    this.#add(1)
  }

  /** Uses a permit up. Gives whether the party held it. */
  consume(party: Party, grant: number): boolean {
    if (!party.grants.delete(grant)) return false
    this.#grants.delete(grant)
    return true
  }

  /** See {@link SemaphoreBackend.post}. */
  post(party: Party, count: number, exact: boolean): boolean {
    if (exact) {
      if (this.#value + count > this.limit) return false
      this.#revoke(party, count)
    }
    this.#add(count)
    return true
  }

  /** The party is gone, or gives up all that it has. Its waiting calls are forgotten, and what it held is free. */
  leave(party: Party): void {
    const isIts = (each: Acquirer) => each.party === party
    this.#holding.remove(isIts)
    this.#seeing.remove(isIts)
    if (this.#last === party) this.#last = undefined
    for (const grant of party.grants) this.release(party, grant, true)
  }

  share(): End {
    return this.#holders.share()
  }

  flush(): void {
    this.#holders.flush()
  }

  handOver(pack: Pack, deadline?: number): Promise<void> {
    this.#holding.clear()
    this.#seeing.clear()
    if (this.local) this.leave(this.local)
    return this.#holders.handOver(pack, deadline, (_, ends, holders) => ({
      kind: 'semaphore',
      id: this.id,
      limit: this.limit,
      value: this.#value,
      abandoned: this.#abandoned,
      nextGrant: this.#nextGrant,
      holders: ends,
      grants: holders.map(({ grants }) => [...grants]),
    }))
  }

  /** Takes over a semaphore whose home's context has ended. */
  static adopt(
    context: Context,
    transport: Transport,
    { id, value, limit, abandoned, nextGrant, holders, grants }: SemaphoreEstate,
    parcelAt: (index: number) => Parcel,
  ): void {
    const home = new SemaphoreHome(context, transport, id, value, limit)
    home.#abandoned = abandoned
    home.#nextGrant = nextGrant
    const owned: [number, Party][] = []
    for (const [index, end] of holders.entries()) {
      const holder = home.#holders.join(open(parcelAt(end) as End, transport))
      for (const grant of grants[index] ?? []) {
        holder.grants.add(grant)
        owned.push([grant, holder])
      }
    }
    for (const [grant, holder] of owned.sort(([a], [b]) => a - b)) home.#grants.set(grant, holder)
  }

  meet(link: Link): SemaphoreHolder {
    const revoked = (grant: number) => link.control(protocol.REVOKED, out => appendU32(out, grant))
    return { link, calls: new HolderCalls(link), grants: new Set(), revoked }
  }

  hear(holder: SemaphoreHolder, message: Message): void {
    const { type, bytes, start } = message
    const call = readU32(bytes, start)
    const answer = (type: number, ...values: number[]) => {
      holder.link.control(type, out => {
        for (const value of [call, ...values]) appendU32(out, value)
      })
    }
    switch (type) {
      case protocol.ACQUIRE:
        holder.calls.check(call)
        return this.acquire(
          {
            party: holder,
            call,
            wish: readU32(bytes, start + 4) === 1 ? 'see' : 'hold',
            granted: ({ number, abandoned, lingers }) => {
              holder.calls.end(call)
              answer(protocol.GRANTED, number, abandoned ? 1 : 0, lingers ? 1 : 0)
            },
            refused: () => {
              holder.calls.end(call)
              answer(protocol.REFUSED)
            },
            waits: () => holder.calls.wait(call),
          },
          readU32(bytes, start + 8) === 1,
        )
      case protocol.POST: {
        const posted = this.post(holder, readU32(bytes, start + 4), readU32(bytes, start + 8) === 1)
        return answer(posted ? protocol.POSTED : protocol.REFUSED)
      }
      case protocol.VALUE:
        return void this.settledValue().then(value => answer(protocol.VALUE_IS, value))
      case CANCEL: {
        holder.calls.end(call)
        const isIt = (each: Acquirer) => each.party === holder && each.call === call
        this.#holding.remove(isIt)
        return this.#seeing.remove(isIt)
      }
      default:
        return this.keep(holder, message)
    }
  }

  keep(holder: SemaphoreHolder, { type, bytes, start }: Message): void {
    const number = readU32(bytes, start)
    switch (type) {
      case protocol.RELEASE:
        return this.release(holder, number, readU32(bytes, start + 4) === 1)
      case protocol.CONSUME:
        return void this.consume(holder, number)
      case protocol.ACQUIRE:
      case protocol.POST:
      case protocol.VALUE:
      case CANCEL:
        return
      default:
        throw new MpError('MP_DECODE', `a semaphore's home knows no message of type ${type}`)
    }
  }

  left(holder: SemaphoreHolder): void {
    this.leave(holder)
  }

  /** The value, once home has read every release that was sent before. */
  async settledValue(): Promise<number> {
    if (this.#grants.size > 0) await caughtUp()
    return this.#value
  }

  #grant({ party, wish, granted }: Acquirer): void {
    if (wish === 'see') return granted(SEEN)
    const abandoned = this.#abandoned > 0
    if (abandoned) this.#abandoned--
    this.#value--
    const number = this.#nextGrant
    this.#nextGrant = (this.#nextGrant % 0xffff_ffff) + 1
    this.#grants.set(number, party)
    party.grants.add(number)
    const lingers = this.#last === party && this.#holding.length === 0 && this.#seeing.length === 0
    this.#last = party
    granted({ number, abandoned, lingers })
  }

  #add(count: number): void {
    this.#value += count
    if (!this.#holders.moving) {
      for (let next = this.#seeing.shift(); next; next = this.#seeing.shift()) this.#grant(next)
      while (this.#value > 0 && this.#holding.length > 0) this.#grant(this.#holding.shift() as Acquirer)
    }
    this.#value = Math.min(this.#value, this.limit)
    this.#abandoned = Math.min(this.#abandoned, this.#value)
  }

  /** Ends up to `count` grants: first those of `first`, then the oldest ones. */
  #revoke(first: Party, count: number): void {
    let left = count
    for (const grant of first.grants) {
      if (left-- === 0) return
      this.#end(first, grant)
    }
    for (const [grant, party] of this.#grants) {
      if (left-- === 0) return
      this.#end(party, grant)
    }
  }

  #end(party: Party, grant: number): void {
    this.consume(party, grant)
    party.revoked(grant)
  }
}
