import { openBoard } from '../board/offer.js'
import { HomeLink, type HomeLinkUser } from '../broker/home-link.js'
import { isAnswer } from '../broker/protocol.js'
import type { PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MessageReader } from '../context/message-reader.js'
import { Envelope, Envelopes, encodeMessage, type HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { malformedFrame } from '../link/frame.js'
import type { Message } from '../link/link.js'
import type { Parcel } from '../link/wire-end.js'
import { appendBytes, appendU32, ByteBuffer, readText, readU32 } from '../runtime/byte-buffer.js'
import { Pending, type Waits } from '../runtime/pending-call.js'
import { atTurnEnd, roughNow, turn, turnIsLong } from '../runtime/turn.js'
import { WaitList } from '../runtime/wait-list.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { empty, full, type JoinableBackend, type PackedQueue, shutDown, tasksLeft } from './backend.js'
import { Hand, type Received } from './hand.js'
import type { Counts } from './home.js'
import * as protocol from './protocol.js'

/** A `get` that waits. */
interface Getter {
  readonly pending: Pending<unknown>
  /** Whether it cannot give up: it has no timeout and no signal. */
  readonly firm: boolean
}

/** What a holder says about the places and slots that one home has given it. To the next home it would be about others. */
const ABOUT_PLACES: ReadonlySet<number> = new Set([
  protocol.WANT,
  protocol.CLAIMED,
  protocol.NOTICED,
  protocol.OPENED,
  protocol.IDLE,
  protocol.UNRESERVE,
])

const ACCEPTED = Promise.resolve()
const TOLD = Promise.resolve(true)
const yes = () => true
const WAITS = [0]
const NOWAIT = [1]

/** A queue whose home is elsewhere, used over a link. There is one per context and queue, so that one producer has one order. */
export class RemoteQueue implements JoinableBackend, HomeLinkUser {
  readonly id: string
  readonly maxsize: number
  readonly #transport: Transport
  readonly #home: HomeLink
  readonly #envelopes: Envelopes
  readonly #reader: MessageReader
  /** Gets that wait, oldest first. While there is one, nothing in the hand can be taken. */
  readonly #getters = new WaitList<Getter>()
  /** How many of them are firm. */
  #firm = 0
  readonly #hand: Hand
  /** How many gets that do not wait are asking home. */
  #tries = 0
  #lookAgain: NodeJS.Timeout | undefined
  /** Slots of a bounded queue that home has granted ahead. Those that are left at the end of the turn go back. */
  #slots = 0
  /** How many puts wait for their slot. */
  #putting = 0
  #turnEndAwaited = false
  /** How many items were taken here, less those that this context has said to be dealt with. */
  #undone = 0
  #shutDown: boolean
  /** The context ends: no call is given an item any more. */
  #retired = false
  /** Whether this context looks, two turns after a claim, if it still takes items. */
  #stopAwaited = false
  /** Whether items went back that home may not have yet. */
  #returning = false
  /** Whether a call has given up since home last said that it has read all: an item may be on its way for it. */
  #unsure = false

  constructor(context: Context, transport: Transport, { id, maxsize, shutDown }: PackedQueue, wire: Wire) {
    this.#transport = transport
    this.#envelopes = new Envelopes(transport)
    this.#reader = new MessageReader(context, transport)
    this.id = id
    this.maxsize = maxsize
    this.#shutDown = shutDown
    this.#home = new HomeLink(context, transport, wire, this)
    this.#hand = new Hand(this)
  }

  use(): this {
    this.#home.open()
    return this
  }

  put(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    if (this.#shutDown) throw shutDown()
    this.#home.checkOpen()
    return this.maxsize > 0 ? this.#putBounded(value, options, nowait, waits) : this.#putUnbounded(value, options)
  }

  get(options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<unknown> {
    this.#home.checkOpen()
    const ready = this.#getters.length === 0 && this.#hand.length > 0 && !this.#retired
    const later = ready && turnIsLong(roughNow())
    if (ready && !later) {
      const item = this.#hand.take()
      if (item) {
        if (this.#hand.low) this.#askAhead()
        return Promise.resolve(this.#open(item))
      }
    }
    if (nowait) return this.#retired ? Promise.reject(empty()) : this.#try(options, waits)
    const pending = new Pending<unknown>()
    const firm = (options?.timeout ?? undefined) === undefined && !options?.signal
    const getter: Getter = { pending, firm }
    this.#getters.push(getter)
    if (firm) this.#firm++
    if (later) void turn().then(() => this.#deliverLater())
    else this.#want()
    if (this.#hand.undecided) this.#lookSoon()
    const forget = () => {
      this.#remove(getter)
      this.#unsure = true
      this.#want()
    }
    waits(pending.limit(options, () => pending.reject(empty()), forget))
    return pending.promise
  }

  counts(options: WaitOptions | undefined, waits: Waits): Promise<Counts> {
    this.#home.checkOpen()
    const pending = new Pending<Counts>()
    const call = this.#home.call({
      type: protocol.QUERY,
      answered: ({ bytes, start }) => {
        pending.resolve({ size: readU32(bytes, start), full: readU32(bytes, start + 4) === 1 })
      },
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(new MpError('MP_TIMEOUT', "the queue's home did not answer in time")),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  readable(now: boolean, options: WaitOptions | undefined, waits: Waits): Promise<boolean> {
    // If home is gone, a get rejects at once, and so does not wait.
    if (this.#home.closed || (this.#hand.length > 0 && this.#getters.length === 0)) return Promise.resolve(true)
    const pending = new Pending<boolean>()
    const call = this.#home.call({
      type: protocol.WATCH,
      values: now ? NOWAIT : WAITS,
      answered: ({ type }) => pending.resolve(type === protocol.DONE),
      lost: () => pending.resolve(true),
    })
    waits(
      pending.limit(
        options,
        () => pending.resolve(false),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  /**
   * Whoever has taken an item may say once that it has been dealt with, and home need not be asked: 20 to 100 times as
   * fast. Home is asked about all further calls, since another context may have taken the item.
   */
  taskDone(): Promise<boolean> {
    this.#home.checkOpen()
    if (this.#undone > 0) {
      this.#undone--
      this.#home.tell(protocol.TASK_OVER)
      return turnIsLong(roughNow()) ? turn().then(yes) : TOLD
    }
    const pending = new Pending<boolean>()
    this.#home.call({
      type: protocol.TASK_DONE,
      answered: ({ type }) => pending.resolve(type === protocol.DONE),
      lost: error => pending.reject(error),
    })
    return pending.promise
  }

  tasksDone(options: WaitOptions | undefined, waits: Waits): Promise<void> {
    this.#home.checkOpen()
    const pending = new Pending<void>()
    const call = this.#home.call({
      type: protocol.AWAIT_TASKS,
      answered: () => pending.resolve(),
      lost: error => pending.reject(error),
    })
    waits(
      pending.limit(
        options,
        () => pending.reject(tasksLeft()),
        () => this.#home.cancel(call),
      ),
    )
    return pending.promise
  }

  /** Resolves when everything that this context put or gave back has reached home, or home is gone. */
  async settled(): Promise<void> {
    do {
      this.#returning = false
      this.#unsure = false
      await this.#home.settled()
    } while (this.#returning)
  }

  /** As {@link Remote.retire}. What came on a board home takes back. The rest goes back, also what is on its way. */
  retire(deadline?: number): void {
    this.#retired = true
    if (this.#home.closed) return
    const asked = this.#getters.length > 0 || this.#tries > 0 || this.#unsure
    if (asked) this.#want()
    this.#returnUnwanted()
    if (asked && deadline !== undefined) this.#home.settleSync(deadline)
  }

  shutDown(immediate: boolean): void {
    this.#shutDown = true
    this.#home.tell(protocol.SHUT_DOWN, immediate ? 1 : 0)
  }

  close(): void {
    this.#home.close()
  }

  leave(): Promise<void> | undefined {
    if (this.#tries === 0 && !this.#unsure) return undefined
    this.retire()
    return this.settled()
  }

  collected(): void {
    this.#home.collected()
  }

  /** What is in the hand stays with home. */
  closed(): void {
    this.#hand.clear()
  }

  pack(packing: HandlePacking): PackedHandle {
    const end = this.#home.share(packing)
    return { kind: 'queue', state: { id: this.id, maxsize: this.maxsize, shutDown: this.#shutDown, end } }
  }

  /** The next home knows nothing of what this one has sent and granted. So what came goes back, and what fills slots goes, too. */
  moving(): void {
    this.#giveBack()
    if (this.maxsize > 0) this.#home.link.flushAll()
  }

  /** The home took back what was in the hand before it moved. It also knows which calls wait, but is told once more. */
  moved(): void {
    this.#home.link.withdraw(ABOUT_PLACES)
    this.#hand.clear()
    this.#slots = 0
    if (this.#getters.length > 0) this.#want()
  }

  lost(error: MpError): void {
    this.#hand.clear()
    this.#rejectAll(() => error)
  }

  unasked(message: Message): void {
    const { type, bytes, start, end, parcels } = message
    switch (type) {
      case protocol.ITEM:
        this.#hand.add({ bytes, start: start + 4, end, parcels, place: readU32(bytes, start), onBoard: false })
        return this.#deliver()
      case protocol.ITEMS:
        this.#receive(bytes, start, end)
        return this.#deliver()
      case protocol.BOARD: {
        const board = openBoard(readU32(bytes, start), readText(bytes, start + 4, end), parcels)
        if (board) this.#hand.use(board)
        return this.#home.tell(protocol.OPENED, board ? 1 : 0)
      }
      case protocol.GO_ON:
        return this.#hand.resume()
      case protocol.WAS_SHUT_DOWN:
        this.#shutDown = true
        return
      case protocol.EXHAUSTED:
        return this.#rejectAll(shutDown)
      case protocol.NO_ITEM: {
        const getter = this.#getters.shift()
        if (getter?.firm) this.#firm--
        return getter?.pending.reject(whyRefused(readU32(bytes, start)))
      }
      case protocol.GRANTED:
        // The put has given up meanwhile.
        return this.#home.tell(protocol.UNRESERVE, 1 + readU32(bytes, start + 4))
      default:
        if (isAnswer(type)) return
        throw new MpError('MP_DECODE', `a queue's home sends no message of type ${type}`)
    }
  }

  lostError(cause?: Error): MpError {
    return new MpError(
      'MP_SHUT_DOWN',
      "the context that held this queue's items is gone",
      cause ? { cause } : undefined,
    )
  }

  /** Waits only if this context is far ahead of what home has read. A put that gives up while it waits has sent nothing. */
  #putUnbounded(value: unknown, options: WaitOptions | undefined): Promise<void> {
    const { link } = this.#home
    const envelope = this.#envelopes.take()
    const out = link.begin(protocol.PUT, true)
    encodeMessage(value, out, envelope, 'value', link)
    if (options === undefined || link.writable) {
      const accepted = link.commit(out, envelope.parcels)
      this.#envelopes.commit(envelope)
      return accepted
    }
    const sent = link.commit(out, envelope.parcels, (pending, withdraw) => {
      const giveUp = () => {
        withdraw()
        envelope.rollback()
      }
      pending.limit(options, () => pending.reject(full()), giveUp)
    })
    return sent.then(() => envelope.commit())
  }

  /** The item stays here until home grants a slot, so that a put that gives up has sent nothing. */
  #putBounded(value: unknown, options: WaitOptions | undefined, nowait: boolean, waits: Waits): Promise<void> {
    if (this.#slots > 0 && this.#putting === 0) return this.#fill(value)
    const envelope = new Envelope(this.#transport)
    const body = new ByteBuffer(256)
    encodeMessage(value, body, envelope)
    const pending = new Pending<void>()
    this.#putting++
    const refuse = (error: MpError) => {
      this.#putting--
      envelope.rollback()
      pending.reject(error)
    }
    const call = this.#home.call({
      type: protocol.RESERVE,
      values: nowait ? NOWAIT : WAITS,
      answered: ({ type, bytes, start }) => {
        const number = readU32(bytes, start)
        if (type === protocol.REFUSED) return refuse(number === protocol.REASON_SHUT_DOWN ? shutDown() : full())
        this.#putting--
        this.#send(protocol.FILL, body.bytes, 0, body.length, envelope.parcels)
        envelope.commit()
        this.#grantAhead(number)
        pending.resolve()
      },
      lost: refuse,
    })
    const forget = () => {
      this.#putting--
      this.#home.cancel(call)
      envelope.rollback()
    }
    waits(pending.limit(options, () => pending.reject(full()), forget))
    return pending.promise
  }

  /** Fills a slot that was granted ahead. */
  #fill(value: unknown): Promise<void> {
    const { link } = this.#home
    const envelope = this.#envelopes.take()
    const out = link.begin(protocol.FILL, false)
    encodeMessage(value, out, envelope, 'value', link)
    this.#slots--
    void link.commit(out, envelope.parcels)
    this.#envelopes.commit(envelope)
    return turnIsLong(roughNow()) ? turn() : ACCEPTED
  }

  #grantAhead(more: number): void {
    if (more === 0) return
    this.#slots += more
    if (this.#turnEndAwaited) return
    this.#turnEndAwaited = true
    // In a microtask, because the next turn's end may otherwise come before the caller goes on.
    queueMicrotask(() => atTurnEnd(this))
  }

  /** Gives back the slots that are left, so that nobody sees the queue full because of slots that this context does not use. */
  turnEnded(): void {
    this.#turnEndAwaited = false
    if (this.#slots === 0 || this.#home.closed) return
    this.#home.tell(protocol.UNRESERVE, this.#slots)
    this.#slots = 0
  }

  /** Reads the body of ITEMS. */
  #receive(bytes: Uint8Array, start: number, end: number): void {
    let place = readU32(bytes, start)
    for (let at = start + 4; at < end; ) {
      const itemStart = at + 4
      if (itemStart > end) throw malformedFrame()
      at = itemStart + readU32(bytes, at)
      if (at > end) throw malformedFrame()
      this.#hand.add({ bytes, start: itemStart, end: at, parcels: undefined, place, onBoard: true })
      place = (place + 1) >>> 0
    }
  }

  /** Gives what is in the hand to the calls that wait, in the order of both. */
  #deliver(): void {
    if (this.#retired) return this.#returnUnwanted()
    while (this.#getters.length > 0) {
      const item = this.#hand.take()
      if (!item) break
      const { pending, firm } = this.#getters.shift() as Getter
      if (firm) this.#firm--
      try {
        pending.resolve(this.#open(item))
      } catch (error) {
        pending.reject(error)
      }
    }
    if (this.#hand.undecided) return this.#lookSoon()
    if (this.#hand.low) this.#askAhead()
    this.#returnUnwanted()
  }

  #open(item: Received): unknown {
    this.#undone++
    return this.#reader.read(item)
  }

  /** Serves a call that was made in a long turn. What has come since may be void, or fewer than the calls. */
  #deliverLater(): void {
    this.#deliver()
    if (this.#getters.length > 0) this.#want()
  }

  /** Gives back what came without a board and no call waits for: home cannot take it back by itself. */
  #returnUnwanted(): void {
    if (this.#home.closed || (!this.#retired && (this.#getters.length > 0 || this.#tries > 0))) return
    this.#giveBack()
  }

  #giveBack(): void {
    for (const { bytes, start, end, parcels, place } of this.#hand.takeUnwanted()) {
      this.#returning = true
      this.#home.link.control(
        protocol.UNGET,
        out => {
          appendU32(out, place)
          appendBytes(out, bytes, start, end)
        },
        parcels,
      )
    }
  }

  /** Home is between two steps of a take-back: look again in 1 ms. */
  #lookSoon(): void {
    if (this.#lookAgain) return
    this.#lookAgain = setTimeout(() => {
      this.#lookAgain = undefined
      this.#deliver()
    }, 1)
  }

  /** As {@link HandUser.claimed}. */
  claimed(place: number): void {
    this.#home.tell(protocol.CLAIMED, place)
    this.#home.link.flush()
  }

  /** As {@link HandUser.waitedFor}. Nobody shall wait for what this context has and does not take: home is told when it stops. */
  waitedFor(): void {
    if (this.#stopAwaited) return
    this.#stopAwaited = true
    const before = this.#hand.claims
    // Two turns: what a loop does between two calls may take the rest of one.
    const look = () => {
      this.#stopAwaited = false
      if (this.#getters.length > 0 || this.#hand.length === 0 || this.#home.closed) return
      if (this.#hand.claims !== before) return this.waitedFor()
      this.#home.tell(protocol.IDLE)
      this.#home.link.flush()
    }
    setImmediate(() => setImmediate(look))
  }

  /** As {@link HandUser.revoked}. */
  revoked(): void {
    this.#home.tell(protocol.NOTICED)
    this.#home.link.flush()
  }

  #want(): void {
    if (this.#home.closed) return
    const [waiting, firm] = this.#retired ? [0, 0] : [this.#getters.length, this.#firm]
    this.#home.tell(protocol.WANT, this.#hand.seen, waiting, firm, this.#hand.pace())
  }

  /** Asks at once, because this turn may go on with what is still in the hand. */
  #askAhead(): void {
    this.#home.tell(protocol.WANT, this.#hand.seen, this.#getters.length, this.#firm, 0)
    this.#home.link.flush()
  }

  #remove(getter: Getter): void {
    if (this.#getters.delete(getter) && getter.firm) this.#firm--
  }

  #rejectAll(why: () => MpError): void {
    for (let getter = this.#getters.shift(); getter; getter = this.#getters.shift()) getter.pending.reject(why())
    this.#firm = 0
  }

  /** A get that does not wait. Home sends an item, if it has one, and then says so. */
  #try(options: WaitOptions | undefined, waits: Waits): Promise<unknown> {
    const pending = new Pending<unknown>()
    const hand = this.#hand
    const getters = this.#getters
    const waiting = () => (this.#retired ? 0 : getters.length)
    this.#tries++
    const settle = (settle: () => void) => {
      this.#tries--
      settle()
      this.#returnUnwanted()
    }
    waits(
      pending.limit(
        options,
        () => pending.reject(empty()),
        () => {},
      ),
    )
    const ask = () => {
      this.#home.call({
        type: protocol.TRY,
        get values() {
          return [hand.seen, waiting()]
        },
        answered: ({ type, bytes, start }) => {
          if (type === protocol.REFUSED) return settle(() => pending.reject(whyRefused(readU32(bytes, start))))
          if (pending.settled) return settle(() => {})
          if (this.#retired) return settle(() => pending.reject(empty()))
          const item = getters.length === 0 ? hand.take() : undefined
          // Home has taken it back, or another call of this context has it.
          if (!item) return ask()
          settle(() => {
            try {
              pending.resolve(this.#open(item))
            } catch (error) {
              pending.reject(error)
            }
          })
        },
        lost: error => settle(() => pending.reject(error)),
      })
    }
    ask()
    return pending.promise
  }

  #send(type: number, bytes: Uint8Array, start: number, end: number, parcels: readonly Parcel[] | undefined): void {
    this.#home.link.control(type, out => appendBytes(out, bytes, start, end), parcels)
  }
}

/** Why a get was refused. */
function whyRefused(reason: number): MpError {
  if (reason === protocol.REASON_SHUT_DOWN) return shutDown()
  if (reason !== protocol.REASON_NOT_SHAREABLE) return empty()
  return new MpError('MP_NOT_SHAREABLE', 'the next item holds a handle: it stays for a getter of its own program')
}
