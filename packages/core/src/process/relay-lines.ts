import type { Readable, Writable } from 'node:stream'
import { caughtUp } from '../runtime/turn.js'
import { within } from '../runtime/within.js'

const NEWLINE = 0x0a
/** Bytes. A longer line is cut into several, so that output without line ends does not fill the memory. */
const LONGEST_LINE = 64 * 1024
/** ms that the output of a child may take to end after the child, and to leave this context. */
const LAST_OUTPUT = 1000

/**
 * Writes what comes from a child's stream to a stream of this context, each line with `[name] ` before it. For transports, where
 * {@link SpawnOptions.stdio} is 'pipe'. A transport calls this at spawn: when the child ends, Node drops what nobody listens to.
 *
 * Resolves when everything has been written, also where a stream failed. `ended`: fulfils when the child has ended. Its stream
 * may stay open then, since a process that the child has left behind may hold the descriptor. It is waited for a second, and
 * what still comes is still written.
 */
export function relayLines(from: Readable, to: Writable, name: string, ended?: Promise<unknown>): Promise<void> {
  const outlet = Outlet.of(to)
  const lines = new PrefixedLines(name)
  let childEnded = false
  from.on('data', (chunk: Buffer) => {
    const hasRoom = outlet.write(lines.feed(chunk))
    // What an ended child has left is no more than its descriptors hold. This context may keep it all.
    if (hasRoom || childEnded) return
    from.pause()
    outlet.whenRoom(() => from.resume())
  })
  from.on('error', () => {})
  return new Promise(resolve => {
    let isOver = false
    let limit: NodeJS.Timeout | undefined
    const end = () => {
      if (isOver) return
      isOver = true
      clearTimeout(limit)
      outlet.write(lines.takeRest())
      void within(outlet.written(), LAST_OUTPUT).then(resolve)
    }
    from.once('close', end)
    from.once('end', end)
    void ended?.then(() => {
      childEnded = true
      from.resume()
      // After a pause of the whole event loop, what has come is read before the end.
      if (!isOver) limit = setTimeout(() => void caughtUp().then(end), LAST_OUTPUT)
    })
  })
}

/** Puts a prefix before each line of a stream, whose chunks cut the lines anywhere. */
class PrefixedLines {
  readonly #prefix: Buffer
  /** The parts of a line whose end has not come. */
  #rest: Buffer[] = []
  #length = 0

  constructor(name: string) {
    this.#prefix = Buffer.from(`[${name}] `)
  }

  /** The lines that the chunk completes. */
  feed(chunk: Buffer): Buffer {
    const lines: Buffer[] = []
    let at = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      lines.push(this.#prefix, ...this.#rest, chunk.subarray(at, end + 1))
      this.#rest = []
      this.#length = 0
      at = end + 1
    }
    if (at < chunk.length) {
      this.#rest.push(chunk.subarray(at))
      this.#length += chunk.length - at
    }
    if (this.#length > LONGEST_LINE) lines.push(this.takeRest())
    return Buffer.concat(lines)
  }

  /** The last line, which had no end, as a whole one. */
  takeRest(): Buffer {
    if (this.#length === 0) return Buffer.alloc(0)
    const line = Buffer.concat([this.#prefix, ...this.#rest, Buffer.of(NEWLINE)])
    this.#rest = []
    this.#length = 0
    return line
  }
}

/** A stream to which lines of children go. It has one listener for each event, however many children there are. */
class Outlet {
  static readonly #all = new WeakMap<Writable, Outlet>()

  readonly #to: Writable
  /** Nobody reads any more. Node's stdout, when it broke, is not `destroyed`, and emits 'close' for each later write. */
  #isBroken = false
  #waiting: (() => void)[] = []

  static of(to: Writable): Outlet {
    const known = Outlet.#all.get(to)
    if (known) return known
    const outlet = new Outlet(to)
    Outlet.#all.set(to, outlet)
    return outlet
  }

  private constructor(to: Writable) {
    this.#to = to
    to.on('drain', () => this.#goOn())
    to.on('close', () => {
      this.#isBroken = true
      this.#goOn()
    })
  }

  /** Gives whether there is room for more. What nobody reads is dropped, so there is. */
  write(bytes: Buffer): boolean {
    return bytes.length === 0 || this.#broken || this.#to.write(bytes)
  }

  /** Calls `action` when there is room again, or nobody reads any more. */
  whenRoom(action: () => void): void {
    this.#waiting.push(action)
  }

  /** Fulfils when the system has taken everything, or nobody reads any more. */
  written(): Promise<void> {
    return new Promise(resolve => {
      if (this.#broken || this.#to.writableLength === 0) return resolve()
      this.#waiting.push(resolve)
      this.#to.write('', () => resolve())
    })
  }

  get #broken(): boolean {
    return this.#isBroken || this.#to.destroyed
  }

  #goOn(): void {
    for (const action of this.#waiting.splice(0)) action()
  }
}
