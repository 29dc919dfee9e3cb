import { Pending } from '../runtime/pending-call.js'
import { WaitList } from '../runtime/wait-list.js'
import type { NativePipe } from '../transport/engines.js'
import type { Transport } from '../transport/transport.js'
import { brokenPipe, noRoom } from './errors.js'
import { type Unsent, writeRecords } from './record.js'

/** A message that waits for room, or for the rest of it to have room. */
export interface Sender extends Unsent {
  readonly pending: Pending<void>
  /** What it was rejected with. */
  error: Error | undefined
}

/**
 * The messages of a native pipe that wait for room, first come first served. Where one waits, the pipe was full when it was
 * last looked at.
 */
export class SendLine {
  readonly #pipe: NativePipe
  readonly #transport: Transport
  /** The lines of this context in which something waits: it sends that when it ends. */
  readonly #waiting: Set<{ flush(): void }>
  readonly #line = new WaitList<Sender>()

  constructor(pipe: NativePipe, transport: Transport, waiting: Set<{ flush(): void }>) {
    this.#pipe = pipe
    this.#transport = transport
    this.#waiting = waiting
  }

  get length(): number {
    return this.#line.length
  }

  /** Settles when the message that waits last has gone, or never will. Undefined if none waits. */
  get last(): Promise<void> | undefined {
    let last: Promise<void> | undefined
    for (const { pending } of this.#line) last = pending.promise
    return last
  }

  /** Keeps what is left of a message, in memory of its own: the caller's may be the next message's. */
  push({ bytes, end, kind, envelope, written }: Unsent): Sender {
    const left = bytes.slice(Math.max(written, 0), end)
    const sender: Sender = {
      bytes: left,
      end: left.length,
      kind,
      envelope,
      written: Math.min(written, 0),
      pending: new Pending<void>(),
      error: undefined,
    }
    this.#line.push(sender)
    this.#waiting.add(this)
    this.#pipe.watch('room', this.#send)
    return sender
  }

  /** Blocks until the next message can go, so that mostly none need be kept here. */
  waitForRoom(deadline: number): void {
    while (this.#pipe.room === 'full' && this.#line.length === 0) {
      const left = deadline - performance.now()
      if (left <= 0) throw noRoom()
      this.#pipe.wait('room', left)
    }
  }

  /** Blocks until it has gone. What has begun to go cannot be taken back: it has no deadline. */
  waitFor(sender: Sender, deadline: number): void {
    sender.pending.promise.catch(() => {})
    for (;;) {
      this.#send()
      if (sender.error) throw sender.error
      if (sender.pending.settled) return
      const left = deadline - performance.now()
      if (left <= 0 && sender.written < 0) {
        this.#line.delete(sender)
        sender.envelope?.rollback()
        sender.pending.resolve()
        throw noRoom()
      }
      this.#pipe.wait('room', Math.max(left, 1))
    }
  }

  /** Sends all that waits, beyond the limit: this context ends, or this end of the pipe does. */
  flush(): void {
    for (const next of this.#line) this.#settle(next, writeRecords(this.#pipe, next, this.#transport, true))
    this.#waiting.delete(this)
  }

  /** Sends as much as there is room for. Whether anything had waited. */
  readonly #send = (): boolean => {
    const useful = this.#line.length > 0
    for (const next of this.#line) {
      const outcome = writeRecords(this.#pipe, next, this.#transport, false)
      if (outcome === 'full') {
        this.#pipe.watch('room', this.#send)
        return useful
      }
      this.#settle(next, outcome)
    }
    this.#waiting.delete(this)
    return useful
  }

  #settle(sender: Sender, outcome: 'done' | 'full' | 'gone'): void {
    this.#line.delete(sender)
    if (outcome === 'done') return sender.pending.resolve()
    sender.error = brokenPipe()
    sender.pending.reject(sender.error)
  }
}
