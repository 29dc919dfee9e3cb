import { MpError } from '../errors.js'
import type { NetworkWire } from '../transport/network.js'
import type { Wire, WireSink } from '../transport/wire.js'

/**
 * How two programs show each other that they know the same key, without sending it:
 *
 *     server   'mp1' | nonce [32]
 *     client   nonce [32] | HMAC-SHA256(key, 'mp1 client' | server's nonce | client's nonce)
 *     server   HMAC-SHA256(key, 'mp1 server' | server's nonce | client's nonce), or one byte: refused
 *     client   what it wants
 *     server   its answer
 *
 * In each place the server may say instead that it is busy, also in one byte, and close. A client that is told so before it is
 * known tries again, and so does one that cannot connect since too many do.
 *
 * Both nonces are in every answer, so an answer is good for one connection only. The role is in it too, so nobody can send an
 * answer back as his own. Until it has answered, the other side may send 256 bytes in a frame, and may take 5 s.
 */
const VERSION = Buffer.from('mp1')
const NONCE = 32
const MAC = 32
const REFUSED = Uint8Array.of(0)
const BUSY = Uint8Array.of(1)

/** ms between two attempts to connect: at first, and at most. Each takes about twice as long as the one before. */
const FIRST_PAUSE = 10
const LONGEST_PAUSE = 300

/** ms that the other side may take until it has shown that it knows the key, and has said what it wants. */
const LONGEST_HANDSHAKE = 5000

/** The bytes of a key. Throws a TypeError for what is neither text nor bytes. */
export function checkKey(key: unknown): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key)
  // A copy: the caller may wipe the array, or use it again, before the other side comes.
  if (key instanceof Uint8Array) return Uint8Array.from(key)
  throw new TypeError('authKey must be a string or a Uint8Array: the key that both sides know')
}

interface Frame {
  readonly bytes: Uint8Array
  readonly attachments: readonly object[] | undefined
}

/** A wire whose first frames are read here. Then it belongs to a link. What comes in between is kept. */
class IntroducedWire implements Wire {
  readonly #wire: NetworkWire
  #reader: WireSink | undefined
  #sink: WireSink | undefined
  #kept: Frame[] = []
  #ended: { readonly error: Error | undefined } | undefined
  #closed = false
  readonly maxFrame?: number
  readonly sendParts?: (parts: readonly Uint8Array<ArrayBuffer>[]) => boolean
  readonly receiveSync?: (timeoutMs: number) => boolean

  constructor(wire: NetworkWire, reader: WireSink) {
    this.#wire = wire
    this.#reader = reader
    if (wire.maxFrame !== undefined) this.maxFrame = wire.maxFrame
    if (wire.sendParts) this.sendParts = parts => wire.sendParts?.(parts) ?? true
    if (wire.receiveSync) this.receiveSync = timeoutMs => this.#receiveSync(timeoutMs)
    wire.start({
      frame: (bytes, attachments) => {
        const user = this.#user
        if (user) user.frame(bytes, attachments)
        else this.#kept.push({ bytes, attachments })
      },
      drain: () => this.#sink?.drain(),
      close: error => {
        this.#ended = { error }
        this.#user?.close(error)
      },
    })
    wire.unref()
  }

  /** The introductions are over. */
  introduced(): void {
    this.#reader = undefined
  }

  start(sink: WireSink): void {
    this.#sink = sink
    if (this.#kept.length > 0 || this.#ended) setImmediate(() => this.#deliverKept())
  }

  send(bytes: Uint8Array<ArrayBuffer>, attachments?: readonly object[]): boolean {
    return this.#wire.send(bytes, attachments)
  }

  close(): void {
    this.#closed = true
    this.#kept = []
    this.#wire.close()
  }

  unref(): void {
    // The constructor has done it.
  }

  get #user(): WireSink | undefined {
    if (this.#closed) return undefined
    return this.#reader ?? (this.#kept.length === 0 ? this.#sink : undefined)
  }

  #deliverKept(): void {
    for (let next = this.#kept.shift(); next && !this.#closed; next = this.#kept.shift()) {
      this.#sink?.frame(next.bytes, next.attachments)
    }
    if (this.#ended && !this.#closed) {
      this.#closed = true
      this.#sink?.close(this.#ended.error)
    }
  }

  #receiveSync(timeoutMs: number): boolean {
    const first = this.#kept.shift()
    if (first) this.#sink?.frame(first.bytes, first.attachments)
    return first !== undefined || (this.#wire.receiveSync?.(timeoutMs) ?? false)
  }
}

/** What came of a connection. */
export interface ServerEvents {
  /** The other side knows the key, and wants something. */
  request(wire: Wire, wanted: Uint8Array): void
  /** The other side does not know the key. */
  refused(error: MpError): void
  /** The last call, whatever came of it. */
  over(): void
}

/** The last word to somebody who knows the key, or may know it, and cannot be served now. */
export function turnAway(wire: Wire): void {
  wire.send(BUSY.slice())
  wire.close()
}

/** The server's part. Gives a function that turns the other side away before this is over. */
export function receiveStranger(stranger: NetworkWire, key: Uint8Array, events: ServerEvents): () => void {
  const { randomBytes, timingSafeEqual } = process.getBuiltinModule('node:crypto')
  const nonce = randomBytes(NONCE)
  let known = false
  const end = () => {
    late.cancel()
    events.over()
  }
  const cut = () => {
    wire.close()
    end()
  }
  const cutBusy = () => {
    turnAway(wire)
    end()
  }
  const late = new Deadline(cutBusy, LONGEST_HANDSHAKE).unref()
  const wire = new IntroducedWire(stranger, {
    frame(bytes) {
      if (known) {
        wire.introduced()
        end()
        events.request(wire, bytes)
        return
      }
      const theirs = bytes.subarray(0, NONCE)
      const proof = bytes.subarray(NONCE)
      if (bytes.length !== NONCE + MAC) return cut()
      if (!timingSafeEqual(proof, mac(key, 'client', nonce, theirs))) {
        wire.send(REFUSED.slice())
        cut()
        events.refused(new MpError('MP_AUTH', 'somebody connected who does not know the key'))
        return
      }
      known = true
      late.extend()
      stranger.trust()
      wire.send(mac(key, 'server', nonce, theirs))
    },
    drain() {},
    close: end,
  })
  wire.send(Uint8Array.from(Buffer.concat([VERSION, nonce])))
  return cutBusy
}

/** Ends a handshake that takes longer than `ms`. If this thread was busy, what has come meanwhile is read first. */
class Deadline {
  readonly #timer: NodeJS.Timeout
  #look: NodeJS.Immediate | undefined

  constructor(passed: () => void, ms: number) {
    this.#timer = setTimeout(() => {
      this.#look = setImmediate(passed)
    }, ms)
  }

  unref(): this {
    this.#timer.unref()
    return this
  }

  extend(): void {
    clearImmediate(this.#look)
    this.#timer.refresh()
  }

  cancel(): void {
    clearImmediate(this.#look)
    clearTimeout(this.#timer)
  }
}

export interface Introduction {
  readonly key: Uint8Array
  /** The first frame after the handshake: what the client wants. */
  readonly wanted: Uint8Array
  readonly signal: AbortSignal | undefined
}

export interface Introduced {
  readonly wire: Wire
  /** The server's, to what the client wants. */
  readonly answer: Uint8Array
}

/**
 * The client's part. `dial` connects. Resolves when both sides have shown that they know the key, and the server has answered. Tries
 * again for 5 s while the server is busy.
 */
export async function introduce(dial: () => NetworkWire, introduction: Introduction): Promise<Introduced> {
  const deadline = performance.now() + LONGEST_HANDSHAKE
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await attempt(dial(), introduction, deadline)
    } catch (error) {
      if (!(error instanceof BusyNow)) throw error
      // Not all at once: others wait, too.
      const some = pause * (0.5 + Math.random())
      if (performance.now() + some >= deadline) throw busy('does not take this connection', error.cause)
      await passes(some, introduction.signal)
    }
  }
}

/** The server may take a connection a moment later. */
class BusyNow extends Error {}

function busy(why: string, cause?: unknown): MpError {
  return new MpError('MP_BUSY', `what listens there ${why}: try again later`, cause ? { cause } : undefined)
}

/** Rejects with the reason when the signal aborts. */
function passes(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

function attempt(server: NetworkWire, { key, wanted, signal }: Introduction, deadline: number): Promise<Introduced> {
  const { randomBytes, timingSafeEqual } = process.getBuiltinModule('node:crypto')
  const nonce = randomBytes(NONCE)
  let challenge: Uint8Array | undefined
  let known = false
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      finish()
      wire.close()
      reject(error)
    }
    const aborted = () => fail(signal?.reason)
    const passed = () => fail(busy(`has not answered within ${LONGEST_HANDSHAKE / 1000} s`))
    const late = new Deadline(passed, deadline - performance.now())
    const finish = () => {
      late.cancel()
      signal?.removeEventListener('abort', aborted)
    }
    signal?.addEventListener('abort', aborted, { once: true })
    const wire = new IntroducedWire(server, {
      frame(bytes) {
        if (bytes.length === 1 && bytes[0] === BUSY[0]) {
          return fail(known ? busy('has no room for more') : new BusyNow())
        }
        if (!challenge) {
          if (bytes.length !== VERSION.length + NONCE || VERSION.compare(bytes.subarray(0, VERSION.length)) !== 0) {
            return fail(new MpError('MP_AUTH', 'what listens there is no Listener of this version'))
          }
          challenge = bytes.subarray(VERSION.length)
          wire.send(Uint8Array.from(Buffer.concat([nonce, mac(key, 'client', challenge, nonce)])))
          return
        }
        if (known) {
          finish()
          wire.introduced()
          resolve({ wire, answer: bytes })
          return
        }
        if (bytes.length !== MAC || !timingSafeEqual(bytes, mac(key, 'server', challenge, nonce))) {
          return fail(new MpError('MP_AUTH', 'the two sides do not know the same key'))
        }
        known = true
        server.trust()
        wire.send(Uint8Array.from(wanted))
      },
      drain() {},
      close(error) {
        const { syscall, code } = (error ?? {}) as NodeJS.ErrnoException
        if (syscall === 'connect' && code !== 'EAGAIN') return fail(error)
        // Too many connect at once, or the server has no descriptor left.
        if (!challenge) return fail(new BusyNow('', { cause: error }))
        if (known) return fail(new MpError('MP_CLOSED', 'the Listener was closed meanwhile'))
        fail(
          new MpError('MP_AUTH', 'the other side hung up before it had shown that it knows the key', {
            ...(error && { cause: error }),
          }),
        )
      },
    })
  })
}

function mac(
  key: Uint8Array,
  role: 'client' | 'server',
  server: Uint8Array,
  client: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { createHmac } = process.getBuiltinModule('node:crypto')
  const code = createHmac('sha256', key).update(VERSION).update(` ${role}`).update(server).update(client).digest()
  return Uint8Array.from(code)
}
