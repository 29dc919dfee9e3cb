import { Link, type LinkUser, type Message } from '../src/link/link.js'
import { LocalWire } from '../src/link/local-wire.js'
import type { Parcel } from '../src/link/wire-end.js'
import { appendBytes, appendU32, readU32 } from '../src/runtime/byte-buffer.js'
import type { Wire } from '../src/transport/wire.js'
import { stubTransport } from './stub-transport.js'

/** Of contexts in one thread, without boards. */
export const transport = stubTransport({ reach: 'thread', isolation: 'none' })

/** Waits, a turn of the event loop at a time, until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${condition}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** What home has said: a type, and the numbers behind it. */
type Heard = readonly [type: number, ...values: number[]]

/** A holder of some object that says what it likes to the object's home. */
export class RawHolder implements LinkUser {
  readonly heard: Heard[] = []
  /** The bodies of what home has said, in the same order. */
  readonly bodies: Uint8Array[] = []
  end: { readonly error: Error | undefined } | undefined
  readonly #wire: Wire
  readonly #link: Link

  constructor(wire: Wire) {
    this.#wire = wire
    this.#link = new Link(wire, transport, this)
  }

  /** `join` gives home the other end of a new wire. */
  static joining(join: (wire: Wire) => unknown): RawHolder {
    const [mine, homes] = LocalWire.pair()
    const holder = new RawHolder(mine)
    join(homes)
    return holder
  }

  say(type: number, ...values: number[]): void {
    this.#link.control(type, out => {
      for (const value of values) appendU32(out, value)
    })
    this.#link.flush()
  }

  /** Says something with an item behind the numbers. Home does not decode it. */
  sayItem(type: number, item: number, ...values: number[]): void {
    this.#link.control(type, out => {
      for (const value of values) appendU32(out, value)
      appendBytes(out, Uint8Array.of(item), 0, 1)
    })
  }

  /** Says something with any body, and with what rides along. */
  sayRaw(type: number, body: Uint8Array, parcels?: readonly Parcel[]): void {
    this.#link.control(type, out => appendBytes(out, body, 0, body.length), parcels)
    this.#link.flush()
  }

  /** Sends bytes that may be no frame. */
  sendFrame(bytes: Uint8Array<ArrayBuffer>): void {
    this.#wire.send(bytes)
  }

  /** Waits until home has said this. */
  async hears(...expected: Heard): Promise<void> {
    await until(() => this.has(...expected))
  }

  has(...expected: Heard): boolean {
    return this.heard.some(each => expected.every((value, i) => each[i] === value))
  }

  die(): void {
    this.#link.close()
  }

  /** As `die`, also where its link follows a move, or has broken. */
  cut(): void {
    this.#wire.close()
  }

  message({ type, bytes, start, end }: Message): void {
    const values: number[] = []
    for (let at = start; at + 4 <= end; at += 4) values.push(readU32(bytes, at))
    this.heard.push([type, ...values])
    this.bodies.push(bytes.slice(start, end))
  }

  closed(error: Error | undefined): void {
    this.end = { error }
  }

  lost(): never {
    throw new Error('nothing here waits for a window')
  }
}
