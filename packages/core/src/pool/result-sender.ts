import { encodeError } from '../codec/codec.js'
import { Envelope, Envelopes, encodeMessage } from '../context/message-writer.js'
import type { Link } from '../link/link.js'
import { appendBytes, appendU32, ByteBuffer } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import { beginEntry, endEntry, type TaskPacket } from './packet.js'
import * as protocol from './protocol.js'

/** ms that a result may wait for those behind it, from one task to the next. */
const LONGEST_WAIT = 1
/** Bytes of results that may wait. */
const MOST_HELD = 64 * 1024

/** Bytes. A result that is longer goes alone, so that no packet is longer than a message may be. */
const LONGEST_HELD = 512 * 1024 * 1024

/** What a worker tells its pool of its tasks. */
export class ResultSender {
  readonly #link: Link
  readonly #transport: Transport
  readonly #envelopes: Envelopes
  /** A packet of the results that wait for those behind them. At its end, the result that is being encoded. */
  readonly #held = new ByteBuffer(256)
  /** Where the whole results end. */
  #heldEnd = 0
  /** When the work began whose results the next message brings, as `performance.now()` counts. */
  #since = 0

  constructor(link: Link, transport: Transport) {
    this.#link = link
    this.#transport = transport
    this.#envelopes = new Envelopes(transport)
  }

  /** The worker begins a packet of tasks. */
  begin(): void {
    this.#since = performance.now()
  }

  /** Sends what a task gave. Throws where that cannot travel. Gives a promise where the pool's side has too much unread. */
  give(packet: TaskPacket, value: unknown): Promise<void> | undefined {
    if (packet.quiet && this.#hold(packet.task, value)) return undefined
    packet.quiet = false
    void this.send()
    const accepted = this.#sendNow(value, () => this.#beginResults(), packet.task)
    this.#link.flush()
    return this.#link.writable ? undefined : accepted
  }

  /** Sends what one item of a task gave, as `give` does. */
  fulfilled(task: number, index: number, value: unknown): Promise<void> {
    const begin = () => {
      const out = this.#link.begin(protocol.FULFILLED, true)
      appendU32(out, task)
      appendU32(out, index)
      return out
    }
    return this.#sendNow(value, begin, undefined)
  }

  rejected(task: number, index: number, error: unknown): void {
    this.#tellError(protocol.REJECTED, task, index, error)
  }

  settled(task: number): void {
    this.#tell(protocol.SETTLED, task)
    this.#link.flush()
  }

  failed(task: number, error: unknown): void {
    this.#tellError(protocol.FAILED, task, undefined, error)
    this.#link.flush()
  }

  dropped(task: number): void {
    this.#tell(protocol.DROPPED, task)
    this.#link.flush()
  }

  /** Whether results have waited for long enough. */
  due(now: number): boolean {
    return this.#heldEnd > 0 && (now - this.#since > LONGEST_WAIT || this.#heldEnd >= MOST_HELD)
  }

  /** Sends the results that wait. Gives a promise where the pool's side has too much unread. */
  send(): Promise<void> | undefined {
    const { bytes } = this.#held
    const end = this.#heldEnd
    if (end === 0) return undefined
    const out = this.#beginResults()
    appendBytes(out, bytes, 0, end)
    this.#held.length = 0
    this.#heldEnd = 0
    const accepted = this.#link.commit(out, undefined).catch(() => {})
    this.#link.flush()
    return this.#link.writable ? undefined : accepted
  }

  /** Lets a result wait for those behind. False where it needs a message of its own: it is huge, or something rides beside it. */
  #hold(task: number, value: unknown): boolean {
    const held = this.#held
    const at = beginEntry(held, task)
    const envelope = this.#envelopes.take()
    try {
      encodeMessage(value, held, envelope, 'result')
    } catch (error) {
      held.length = at
      throw error
    }
    if (!envelope.unused || held.length > LONGEST_HELD) {
      held.length = at
      envelope.rollback()
      return false
    }
    this.#envelopes.commit(envelope)
    endEntry(held, at)
    this.#heldEnd = held.length
    return true
  }

  #beginResults(): ByteBuffer {
    const out = this.#link.begin(protocol.RESULTS, true)
    const now = performance.now()
    appendU32(out, Math.min((now - this.#since) * 1000, 0xffff_ffff))
    this.#since = now
    return out
  }

  /** Throws where the value cannot travel; then nothing was sent. `task`: the value is the only entry of a packet. */
  #sendNow(value: unknown, begin: () => ByteBuffer, task: number | undefined): Promise<void> {
    const link = this.#link
    const envelope = this.#envelopes.take()
    const out = begin()
    const entry = task === undefined ? undefined : beginEntry(out, task)
    encodeMessage(value, out, envelope, 'result', link)
    if (entry !== undefined) endEntry(out, entry)
    const accepted = link.commit(out, envelope.parcels)
    this.#envelopes.commit(envelope)
    return accepted.catch(() => {})
  }

  /** Tells MP_FRAME_TOO_LARGE instead of an error that no message can hold. */
  #tellError(type: number, task: number, index: number | undefined, error: unknown): void {
    const write = (told: unknown) => (out: ByteBuffer) => {
      if (index !== undefined) appendU32(out, index)
      encodeError(told, out, new Envelope(this.#transport))
    }
    try {
      this.#tell(type, task, write(error))
    } catch (tooLarge) {
      this.#tell(type, task, write(tooLarge))
    }
  }

  #tell(type: number, task: number, write?: (out: ByteBuffer) => void): void {
    this.#link.control(type, out => {
      appendU32(out, task)
      write?.(out)
    })
  }
}
