import assert from 'node:assert/strict'
import type { Ticket, Wire, WireSink, Wires } from '@mp/core/spi'
import { eventually } from './harness.js'
import type { Trial } from './trial.js'

/** An opened end of a wire, and all that it was told. */
export class WireEnd implements WireSink {
  readonly wire: Wire
  readonly frames: { readonly bytes: Uint8Array; readonly attachments: readonly object[] | undefined }[] = []
  /** The error of each close that it was told. */
  readonly closes: (Error | undefined)[] = []
  /** `drain` was called since the last send. */
  drained = false
  /** What the wire called within a call of ours, and within which. */
  readonly within = new Set<string>()
  onFrame: ((bytes: Uint8Array, index: number) => void) | undefined
  #calling: string | undefined

  constructor(t: Trial, ticket: Pick<Ticket, 'value'>, then: 'start' | 'idle' = 'start') {
    this.wire = wiresOf(t).open(ticket.value)
    if (then === 'start') this.start()
  }

  /** Calls `unref` right after `start`, as core does. */
  start(): void {
    this.#call('start', () => this.wire.start(this))
    this.wire.unref()
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    this.drained = false
    return this.#call('send', () => this.wire.send(bytes, attachments))
  }

  /** Waits for `drain` after each send that gives false. */
  async sendAll(frames: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    for (const each of frames) if (!this.send(each)) await eventually(() => this.drained, 'drain')
  }

  received(count: number): Promise<boolean> {
    return eventually(() => this.frames.length >= count, `${count} frames`).catch(error => {
      error.message += `: ${this.frames.length} of ${count} frames came`
      throw error
    })
  }

  heardClose(): Promise<boolean> {
    return eventually(() => this.closes.length > 0, 'close')
  }

  frame(bytes: Uint8Array, attachments?: readonly object[]): void {
    this.#told('frame')
    this.frames.push({ bytes, attachments })
    this.onFrame?.(bytes, this.frames.length - 1)
  }

  drain(): void {
    this.#told('drain')
    this.drained = true
  }

  close(error?: Error): void {
    this.#told('close')
    this.closes.push(error)
  }

  #call<T>(name: string, call: () => T): T {
    this.#calling = name
    try {
      return call()
    } finally {
      this.#calling = undefined
    }
  }

  #told(what: string): void {
    if (this.#calling) this.within.add(`${what} within ${this.#calling}`)
  }
}

function wiresOf({ transport }: Trial): Wires {
  return transport.wires as Wires
}

export function pair(t: Trial): [Ticket, Ticket] {
  return wiresOf(t).pair()
}

export function openPair(t: Trial): [WireEnd, WireEnd] {
  const [a, b] = pair(t)
  return [new WireEnd(t, a), new WireEnd(t, b)]
}

/** Sends a frame each way: a medium may connect the ends in a later turn, and take everything until then. */
export async function acquainted(a: WireEnd, b: WireEnd): Promise<void> {
  a.send(pattern(1, 0))
  b.send(pattern(1, 0))
  await Promise.all([a.received(1), b.received(1)])
  a.frames.length = 0
  b.frames.length = 0
}

export function closeAll(...ends: readonly WireEnd[]): void {
  for (const { wire } of ends) wire.close()
}

/** The value as it arrives in another context. */
export function travelled(t: Trial, { value, transfer = [] }: Ticket): unknown {
  assert.ok(transfer.length === 0 || t.capabilities.attachments, 'what rides needs the capability `attachments`')
  const there = structuredClone(value, { transfer: [...transfer] as never })
  if (transfer.length === 0) assert.deepEqual(there, value)
  wiresOf(t).arrived?.(there)
  return there
}

/** A frame whose bytes depend on its index and on their place, so that a mix-up shows. Its buffer holds nothing else. */
export function pattern(size: number, index: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i += 61) bytes[i] = index + i
  bytes[size - 1] = index + size
  return bytes
}

export function assertFrame(bytes: Uint8Array | undefined, size: number, index: number): void {
  assert.equal(difference(bytes, size, index), undefined)
}

export function difference(bytes: Uint8Array | undefined, size: number, index: number): string | undefined {
  if (!bytes) return `frame ${index} is missing`
  if (bytes.length !== size) return `frame ${index} has ${bytes.length} bytes, not ${size}`
  return Buffer.compare(bytes, pattern(size, index)) === 0 ? undefined : `frame ${index} has other bytes`
}
