import { isBytes } from '../codec/codec.js'
import type { PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import { MessageReader } from '../context/message-reader.js'
import { Envelopes, encodeMessage, type HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Link, type Message } from '../link/link.js'
import { discard, discardParcels, type End, open, pair } from '../link/wire-end.js'
import { appendBytes } from '../runtime/byte-buffer.js'
import { Deque } from '../runtime/deque.js'
import type { Transport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { type Found, giveBytes, type PipeBackend, type Side, type Wanted } from './backend.js'
import { brokenPipe, MessageStays, noBytes, notOpen } from './errors.js'

/** The link message that holds one value, encoded. */
const VALUE = 16

/** What another context needs to open an end that arrives there. */
export interface PackedLinked extends Side {
  readonly end: number
  /** The end of a wire that brings what the mover had received and not read; it comes before all else. */
  readonly backlog: number | null
}

/**
 * The end of a pipe over a link. It moves by a move of the link's other side: see docs/adr/0004-moving-connections.md.
 */
export class LinkedPipeBackend implements PipeBackend {
  readonly blocking = undefined
  readonly #context: Context
  readonly #transport: Transport
  readonly #side: Side
  /** Until the first use. An end that was never used moves on without a trace. */
  #end: End | undefined
  #link: Link | undefined
  #closed = false
  /** Nobody reads here any more: what comes is dropped, while what was sent still waits for the other end. */
  #unread = false
  readonly #inbox = new Deque<Message>()
  /** Called when there is something in the inbox, or nothing more will come. */
  #wake: (() => boolean) | undefined
  /** The other end is gone: what is in the inbox is all that will come. */
  #over = false
  error: Error | undefined
  /** Until the first use. */
  #backlogEnd: End | undefined
  /** What arrives on the main link while the backlog of a moved end is still coming. */
  #held: (() => void)[] | undefined
  #backlogEnded: Promise<void> | undefined
  #endBacklog: (() => void) | undefined
  /** Where messages go that arrive after this end has moved. */
  #forward: ((message: Message) => void) | undefined
  readonly #envelopes: Envelopes
  readonly #reader: MessageReader
  /** The other end is in another program. A message that is larger than the window comes on only while a reader waits. */
  readonly #isForeign: boolean
  #isAwaited = false

  constructor(context: Context, transport: Transport, side: Side, end: End, backlog?: End) {
    this.#context = context
    this.#transport = transport
    this.#side = side
    this.#end = end
    this.#backlogEnd = backlog
    this.#envelopes = new Envelopes(transport)
    this.#reader = new MessageReader(context, transport)
    this.#isForeign = transport.capabilities.reach === 'host'
  }

  /** Opens this end now, so that what comes counts against the window also before the first use. */
  listen(): void {
    this.#open()
  }

  send(value: unknown, transfer: readonly object[] | undefined): Promise<void> {
    const link = this.#open()
    if (this.#over) throw brokenPipe(this.error)
    const envelope = this.#envelopes.take(transfer)
    const out = link.begin(VALUE, true)
    encodeMessage(value, out, envelope, undefined, link, this.#checkOpen)
    const accepted = link.commit(out, envelope.parcels)
    this.#envelopes.commit(envelope)
    return accepted
  }

  /** The encode of a message may close this end, or send it elsewhere. */
  readonly #checkOpen = (): void => {
    if (this.#closed || this.#forward) throw notOpen(this.#forward ? 'moved' : 'closed', this.#transport.name)
  }

  sendBytes(bytes: Uint8Array): Promise<void> {
    return this.send(new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength), undefined)
  }

  find(): Found {
    if (this.#link === undefined) this.#open()
    if (this.#inbox.length > 0) return 'done'
    if (this.#over) return 'over'
    if (this.#isForeign) this.#await()
    return 'empty'
  }

  #await(): void {
    this.#isAwaited = true
    this.#link?.readOn()
  }

  spin(): boolean {
    return false
  }

  take(wanted: Wanted): unknown {
    const message = this.#inbox.shift() as Message
    try {
      const value = this.#read(message, wanted)
      message.link.credit(message.cost)
      return value
    } catch (error) {
      if (error instanceof MessageStays) {
        this.#inbox.unshift(message)
        throw error.reason
      }
      message.link.credit(message.cost)
      throw error
    }
  }

  watch(wake: () => boolean): void {
    this.#wake = wake
  }

  unwatch(): void {
    this.#wake = undefined
  }

  /** Closes, once the other end has made room for the sends that wait. */
  collected(): void {
    if (this.#closed || this.#forward) return
    const last = this.#link?.lastCall
    if (!last) return this.close()
    this.#unread = true
    for (const each of this.#inbox) this.#drop(each)
    this.#inbox.clear()
    const again = () => this.collected()
    last.then(again, again)
  }

  close(): void {
    this.#closed = true
    for (const { parcels } of this.#inbox) discardParcels(parcels, this.#transport)
    this.#inbox.clear()
    if (this.#backlogEnd) discard(this.#backlogEnd, this.#transport)
    if (this.#end) discard(this.#end, this.#transport)
    else if (this.#link) {
      this.#link.close()
      this.#context.links.delete(this.#link)
    }
  }

  pack(packing: HandlePacking): PackedHandle {
    let state: PackedLinked
    if (this.#link || this.#backlogEnd) {
      const [forOther, forTaker] = pair(this.#transport)
      const [forBacklog, backlog] = pair(this.#transport)
      packing.onCommit(() => this.#hand(forOther, forBacklog))
      state = { ...this.#side, end: packing.attachEnd(forTaker), backlog: packing.attachEnd(backlog) }
    } else {
      const end = packing.attachMoved(this.#end as End)
      packing.onCommit(() => {
        this.#end = undefined
      })
      state = { ...this.#side, end, backlog: null }
    }
    return { kind: 'connection', state }
  }

  /**
   * Moves an end that was in use. The other end goes over to a new wire, which leads to the taker. What it had sent this way
   * before, and nobody has read, goes to the taker first, on a second wire.
   */
  #hand(forOther: End, forBacklog: End): void {
    const link = this.#open()
    const unread = new Link(open(forBacklog, this.#transport), this.#transport, {
      message() {},
      closed() {},
      lost: brokenPipe,
    })
    this.#context.links.add(unread)
    const forward = ({ link: from, bytes, start, end, parcels, cost }: Message) => {
      unread.control(VALUE, out => appendBytes(out, bytes, start, end), parcels)
      from.credit(cost)
    }
    for (const each of this.#inbox) forward(each)
    this.#inbox.clear()
    this.#forward = forward
    // An end that came here in the same way has a backlog of its own, all of which must have come.
    const done = Promise.all([link.move(forOther), this.#backlogEnded]).then(() => {
      unread.close()
      this.#context.links.delete(unread)
      this.#context.links.delete(link)
    })
    this.#context.finishing(done, link)
  }

  #read(message: Message, wanted: Wanted): unknown {
    if (wanted === undefined) return this.#reader.read(message)
    if (!isBytes(message.bytes, message.start)) throw new MessageStays(noBytes())
    return giveBytes(this.#reader.read(message) as Uint8Array, wanted)
  }

  #arrived(message: Message): void {
    if (this.#closed) return discardParcels(message.parcels, this.#transport)
    if (this.#forward) return this.#forward(message)
    if (this.#unread) return this.#drop(message)
    this.#isAwaited = false
    this.#inbox.push(message)
    this.#tell()
  }

  #drop({ link, parcels, cost }: Message): void {
    discardParcels(parcels, this.#transport)
    link.credit(cost)
  }

  #ended(error: Error | undefined): void {
    this.#over = true
    this.error = error
    if (this.#link) this.#context.links.delete(this.#link)
    this.#tell()
  }

  #tell(): void {
    const wake = this.#wake
    if (wake === undefined) return
    this.#wake = undefined
    wake()
  }

  #open(): Link {
    if (this.#link) return this.#link
    const wire = open(this.#end as End, this.#transport)
    this.#end = undefined
    this.#link = this.#listen(wire, false)
    this.#link.keepFirst()
    if (this.#backlogEnd) {
      this.#held = []
      this.#backlogEnded = new Promise(resolve => {
        this.#endBacklog = resolve
      })
      this.#listen(open(this.#backlogEnd, this.#transport), true)
      this.#backlogEnd = undefined
    }
    return this.#link
  }

  #listen(wire: Wire, backlog: boolean): Link {
    const link = new Link(wire, this.#transport, {
      message: message => {
        if (message.type !== VALUE) throw new MpError('MP_DECODE', `a pipe carries no message of type ${message.type}`)
        if (message.cost === 0 && !backlog) throw new MpError('MP_DECODE', 'a value does not count against the window')
        if (this.#held && !backlog) this.#held.push(() => this.#arrived(message))
        else this.#arrived(message)
      },
      closed: error => {
        this.#context.links.delete(link)
        if (backlog) {
          const held = this.#held ?? []
          this.#held = undefined
          for (const each of held) each()
          this.#endBacklog?.()
        } else if (this.#held) this.#held.push(() => this.#ended(error))
        else this.#ended(error)
      },
      lost: error => (this.#forward ? notOpen('moved', this.#transport.name) : brokenPipe(error)),
      first: this.#side.first,
      ...(this.#isForeign && { takesMore: () => this.#isAwaited }),
    })
    this.#context.links.add(link)
    return link
  }
}
