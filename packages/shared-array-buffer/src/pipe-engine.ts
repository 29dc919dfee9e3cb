import { MessageChannel, MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { IN_PLACE, type NativePipe, type Ticket } from '@mp/core/spi'
import { closePorts, post } from '@mp/worker-threads/spi'
import { Bell } from './bell.js'
import { ourPeers } from './peers.js'
import { USER_WORDS } from './segment-layout.js'
import { SegmentLog } from './segment-log.js'

/**
 * A pipe: one log each way, and a channel between the two ends. Each log has one producer and one consumer, so it needs no
 * lock. Invariants:
 *
 * - When a message is appended, the log holds less than HIGH_WATER unread bytes.
 * - What bytes cannot carry is posted on the channel *before* the record is appended, under the record's number. Posting is
 *   synchronous between threads, so whoever reads the record finds what was posted. Something with another number came from a
 *   writer that died in between.
 * - Each end has one port of the channel. The port closes when the end's thread is gone, or the end lies in a message that nobody
 *   will ever read. So the other end always hears of it. CLOSED tells at once of an end that closed in order.
 * - An end moves with its memory, its port and all that is unread. Positions are in the memory, so there is no handshake.
 *
 *     word 48  CLOSED: 1 once the log's writer is closed     word 49  1 once its reader is
 *     word 50  the number of the last attachments             word 51  ROOM_AT
 *     word 64  MESSAGE_BELL                                   word 80  ROOM_BELL
 *
 * ROOM_AT is the count of taken bytes at which a waiting writer goes on. The writer stores it before it says that it waits, and
 * the reader reads it after it has told what it has taken. So the writer is woken once, and not in vain after each 16 KiB.
 */
const WRITER_CLOSED = USER_WORDS
const READER_CLOSED = USER_WORDS + 1
const ATTACHED = USER_WORDS + 2
const ROOM_AT = USER_WORDS + 3
const MESSAGE_BELL = USER_WORDS + 16
const ROOM_BELL = USER_WORDS + 32

/** Unread bytes from which on a writer waits. */
const HIGH_WATER = 1024 * 1024
/** Unread bytes below which a waiting writer goes on: it is not woken for each message that is read. */
const RESUME = HIGH_WATER / 2
/** Bytes of one record. A larger message goes in pieces, so that the reader can take some while others are written. */
const LARGEST = 32 * 1024
/** Bytes up to which a message is copied to ordinary memory, from which it is decoded faster. Larger ones are read in place. */
const SMALL = 4096

/** The value of an unopened end. */
interface EndValue {
  readonly incoming: SharedArrayBuffer
  readonly outgoing: SharedArrayBuffer
  readonly port: MessagePort
  /** What has come over the port, and belongs to records that are unread. */
  readonly came: readonly Posted[]
}

/** What travels beside a record. */
interface Posted {
  readonly number: number
  readonly objects: readonly object[]
}

export function pair(): [Ticket, Ticket] {
  let made: [EndValue, EndValue] | undefined
  const ends = () => {
    made ??= make()
    return made
  }
  return [ticket(() => ends()[0]), ticket(() => ends()[1])]
}

function make(): [EndValue, EndValue] {
  const there = SegmentLog.create()
  const back = SegmentLog.create()
  const { port1, port2 } = new MessageChannel()
  return [
    { incoming: back, outgoing: there, port: port1, came: [] },
    { incoming: there, outgoing: back, port: port2, came: [] },
  ]
}

/** The end is made at its first use: an open port is never garbage, but a Pipe that nobody used may be. */
function ticket(end: () => EndValue): Ticket {
  return {
    get value() {
      return end()
    },
    get transfer() {
      const { port, came } = end()
      return [port, ...came.flatMap(({ objects }) => objects.filter(each => !(each instanceof SharedArrayBuffer)))]
    },
  }
}

export function open(value: unknown): RingPipe {
  return new RingPipe(value as EndValue)
}

export class RingPipe implements NativePipe {
  readonly largest = LARGEST

  get piece(): number {
    return this.#out.piece
  }

  readonly #in: SegmentLog
  readonly #out: SegmentLog
  readonly #inWords: Int32Array
  readonly #outWords: Int32Array
  #small = new Uint8Array(SMALL)
  #smallWords = new Int32Array(this.#small.buffer)
  bytes: Uint8Array = this.#small
  start = 0
  end = 0
  readonly #port: MessagePort
  readonly #came: Posted[]
  /** Rung by the other end: a message has come; there is room again. */
  readonly #message: Bell
  readonly #room: Bell
  /** Rung by this end, for the other one. */
  readonly #otherMessage: Bell
  readonly #otherRoom: Bell
  /** The other end is gone, and did not close in order. */
  #gone = false
  #closed = false
  #deaths = ourPeers().deaths
  /** After a death: how often a blocked call will still ask the port whether the other end lives. */
  #pings = 0
  /** Something was written since the last wait for a message: the next message may be its answer. */
  #asked = true

  constructor({ incoming, outgoing, port, came }: EndValue) {
    if (!(port instanceof MessagePort)) throw new TypeError('the end of a pipe is memory and a MessagePort')
    this.#in = new SegmentLog(incoming, true)
    this.#out = new SegmentLog(outgoing, true)
    this.#inWords = new Int32Array(incoming, 0, 128)
    this.#outWords = new Int32Array(outgoing, 0, 128)
    this.#port = port
    this.#came = [...came]
    this.#message = new Bell(this.#inWords, MESSAGE_BELL, () => this.#in.any || this.#nobodyWrites())
    this.#room = new Bell(this.#outWords, ROOM_BELL, () => this.#out.below(RESUME) || this.#nobodyReads())
    this.#otherMessage = new Bell(this.#outWords, MESSAGE_BELL, () => true)
    this.#otherRoom = new Bell(this.#inWords, ROOM_BELL, () => true)
    port.on('message', this.#onPosted)
    port.on('close', this.#onClose)
    // If the other side was gone before anyone listened here, the port has emitted 'close' already.
    this.#gone = !(port as MessagePort & { hasRef(): boolean }).hasRef()
    port.unref()
    // The other end's thread may have ended, and the event of that be still to come. The first write must know it.
    if (this.#deaths > 0) this.#ping()
  }

  get tag(): number {
    return this.#in.tag & 0xff
  }

  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    tag: number,
    attachments?: readonly object[],
    beyond = false,
  ): 'done' | 'full' | 'gone' {
    if (this.#gone || Atomics.load(this.#outWords, READER_CLOSED) === 1) return 'gone'
    const log = this.#out
    if (!log.below(HIGH_WATER)) {
      if (this.#nobodyReads()) return 'gone'
      if (!beyond) return 'full'
    }
    const mark = attachments === undefined ? tag : tag | (this.#post(attachments) << 8)
    if (!log.append(bytes, start, end, mark)) throw new RangeError('the memory of a pipe cannot grow')
    this.#otherMessage.ring()
    this.#asked = true
    return 'done'
  }

  /** Posts the attachments, and gives their number. */
  #post(attachments: readonly object[]): number {
    const number = (Atomics.load(this.#outWords, ATTACHED) + 1) & 0x7f_ffff
    Atomics.store(this.#outWords, ATTACHED, number)
    post(this.#port, objects => ({ number, objects }), attachments)
    return number
  }

  get room(): 'open' | 'full' | 'gone' {
    // Whether the other end has died is checked only when there is no more room.
    if (this.#gone || Atomics.load(this.#outWords, READER_CLOSED) === 1) return 'gone'
    if (this.#out.below(HIGH_WATER)) return 'open'
    return this.#nobodyReads() ? 'gone' : 'full'
  }

  read(): 'done' | 'empty' | 'over' {
    const log = this.#in
    if (!log.peek()) {
      if (!this.#nobodyWrites()) return 'empty'
      if (!log.peek()) return 'over'
    }
    const length = log.end - log.start
    if (length > SMALL || log.tag === IN_PLACE) {
      this.bytes = log.bytes
      this.start = log.start
      this.end = log.end
    } else {
      log.copyTo(this.#small, this.#smallWords)
      this.bytes = this.#small
      this.start = 0
      this.end = length
    }
    return 'done'
  }

  takeCopy(tag: number): Uint8Array | undefined {
    const log = this.#in
    const copy = log.takeCopy(tag)
    if (log.told && copy !== undefined) this.#ringRoom()
    return copy
  }

  attachments(): readonly object[] {
    const number = this.#in.tag >>> 8
    for (;;) {
      const posted = this.#came.shift() ?? this.#receive()
      if (!posted) throw new RangeError('what came beside a message is missing')
      if (posted.number === number) return posted.objects
      // The writer died before it had appended the record.
      closePorts(posted.objects)
    }
  }

  skip(): void {
    if (this.#in.take()) this.#ringRoom()
  }

  #ringRoom(): void {
    if (this.#in.hasTaken(Atomics.load(this.#inWords, ROOM_AT))) this.#otherRoom.ring()
  }

  watch(what: 'message' | 'room', wake: () => boolean): void {
    if (what === 'room') this.#sayRoom()
    this.#bell(what).watch(wake)
  }

  unwatch(what: 'message' | 'room'): void {
    this.#bell(what).unwatch()
  }

  spin(what: 'message' | 'room'): boolean {
    if (what === 'message') this.#rest()
    return this.#bell(what).spinWait.briefly()
  }

  wait(what: 'message' | 'room', timeout: number): void {
    if (this.#pings > 0) {
      this.#pings--
      this.#ping()
    }
    if (what === 'room') this.#sayRoom()
    else this.#rest()
    this.#bell(what).waitSync(timeout)
  }

  #rest(): void {
    this.#message.spinWait.rest(this.#in.taken, this.#asked)
    this.#asked = false
  }

  #sayRoom(): void {
    Atomics.store(this.#outWords, ROOM_AT, this.#out.belowFrom(RESUME))
  }

  release(): Ticket {
    this.#deafen()
    this.#in.settle('consumer')
    this.#out.settle('producer')
    for (let posted = this.#receive(); posted; posted = this.#receive()) this.#came.push(posted)
    this.#closed = true
    const value = { incoming: this.#in.memory, outgoing: this.#out.memory, port: this.#port, came: this.#came }
    return ticket(() => value)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#deafen()
    Atomics.store(this.#outWords, WRITER_CLOSED, 1)
    Atomics.store(this.#inWords, READER_CLOSED, 1)
    this.#otherMessage.ringAll()
    this.#otherRoom.ringAll()
    // Ports in messages that nobody will take would stay open, and their other sides would never hear of it.
    for (const { objects } of this.#came) closePorts(objects)
    for (let posted = this.#receive(); posted; posted = this.#receive()) closePorts(posted.objects)
    this.#port.close()
  }

  readonly #onPosted = (posted: Posted | number): void => {
    if (typeof posted !== 'number') this.#came.push(posted)
  }

  readonly #onClose = (): void => {
    this.#gone = true
    this.#message.ringAll()
    this.#room.ringAll()
  }

  #deafen(): void {
    this.#message.unwatch()
    this.#room.unwatch()
    this.#port.off('message', this.#onPosted)
    this.#port.off('close', this.#onClose)
  }

  /** The next message that waits at the port. It comes behind all that the event loop has delivered. */
  #receive(): Posted | undefined {
    for (;;) {
      const received: { message: Posted | number } | undefined = receiveMessageOnPort(this.#port)
      if (!received) return undefined
      if (typeof received.message !== 'number') return received.message
    }
  }

  #bell(what: 'message' | 'room'): Bell {
    return what === 'message' ? this.#message : this.#room
  }

  #nobodyWrites(): boolean {
    return Atomics.load(this.#inWords, WRITER_CLOSED) === 1 || this.#isGone()
  }

  #nobodyReads(): boolean {
    return Atomics.load(this.#outWords, READER_CLOSED) === 1 || this.#isGone()
  }

  #isGone(): boolean {
    const { deaths } = ourPeers()
    if (deaths !== this.#deaths) {
      this.#deaths = deaths
      this.#pings = 20
      this.#ping()
    }
    return this.#gone
  }

  /** Asks whether the other end lives: a port whose other end is gone takes nothing. A blocked thread hears no 'close' event. */
  #ping(): void {
    if (!this.#gone && (this.#port.postMessage(0) as unknown) === false) this.#gone = true
  }
}
