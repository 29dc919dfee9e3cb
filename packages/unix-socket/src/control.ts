/**
 * What contexts of one program tell each other about a wire, in frames of this shape:
 *
 *     secret [16] | u8 what | u8 end | u32 hops | token [16] | an address, or the token of another wire, in UTF-8
 *
 * The first frame on every connection is such a frame; whoever does not know the program's secret is cut off. Later ones come
 * among core's frames, and cannot be confused with them, since no user code knows the secret.
 */
const SECRET = 16
const HOPS = SECRET + 2
const TOKEN = HOPS + 4
const LENGTH = TOKEN + 16
/** Bytes of the longest such frame. */
export const LONGEST_CONTROL = 256

/** First frame: this connection is end `end` of the wire `token`. */
export const OPEN = 1
/** First frame: over this connection a context tells which unopened ends it holds. */
export const CONTEXT = 2
/** The answer to OPEN and CONTEXT: the rendezvous has the connection, and reads what is sent over it. */
export const ACCEPTED = 18
/** Context to rendezvous: an unopened end is here. */
export const HELD = 3
/** Context to rendezvous: the end is on its way to another context; the text says over which wire. */
export const SENT = 4
/** Context to rendezvous: the end was opened here. */
export const OPENED = 9
/** Context to rendezvous: what was on its way over the wire `token` will never arrive. */
export const LOST = 10
/** Context to rendezvous: the wire `token` was closed here. What is on its way over it may arrive elsewhere, but not here. */
export const CLOSED = 12
/** Rendezvous to context: may something that came over the wire `token` still be read there? */
export const ASK = 13
/** The answers to ASK. After MAY the context will tell whether it has arrived or is lost. */
export const MAY = 14
export const CANNOT = 15
/** Context to rendezvous: the end was closed here, unopened, or could not be opened, and is gone. */
export const FAILED = 16
/** Context to rendezvous: I listen, or am about to, at the path in the text. Remove it when I have ended. */
export const ACCEPTOR = 11
/** Rendezvous to the end that came first: the other end has come. Listen for its connection. */
export const LISTEN = 5
/** The answer to LISTEN: I listen at the address in the text. */
export const LISTENING = 6
/** Rendezvous to the end that came second: the other one listens at the address in the text. Connect to it. */
export const GO = 7
/** Rendezvous to an end: whatever the other end sent before you came has been passed to you. */
export const READY = 17
/** End to end: all that I send from here on comes over the direct connection. */
export const SWITCHED = 8

/** One end of a wire. The token is random, in hexadecimal. */
export interface WireEnd {
  readonly token: string
  readonly end: 0 | 1
  /** How often the unopened end has gone from one context to another. */
  hops: number
}

/** For frames that are about no wire. */
export const NO_WIRE: WireEnd = Object.freeze({ token: '', end: 0, hops: 0 })

export interface Control extends WireEnd {
  readonly what: number
  readonly text: string
}

export function control(
  secret: Buffer,
  what: number,
  { token, end, hops }: WireEnd,
  note = '',
): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(note)
  const bytes = new Uint8Array(LENGTH + text.length)
  bytes.set(secret)
  bytes[SECRET] = what
  bytes[SECRET + 1] = end
  new DataView(bytes.buffer).setUint32(HOPS, hops)
  bytes.set(Buffer.from(token, 'hex'), TOKEN)
  bytes.set(text, LENGTH)
  return bytes
}

/** Undefined for a frame of core's. */
export function readControl(secret: Buffer, bytes: Uint8Array): Control | undefined {
  // The quick check rules out most of core's frames. Its timing tells at most one byte of the secret.
  if (bytes.length < LENGTH || bytes.length > LONGEST_CONTROL || bytes[0] !== secret[0]) return undefined
  return readFirst(secret, bytes)
}

/** As `readControl`, for the first frame of a connection. The time it takes tells nothing about the secret. */
export function readFirst(secret: Buffer, bytes: Uint8Array): Control | undefined {
  if (bytes.length < LENGTH || bytes.length > LONGEST_CONTROL) return undefined
  const { timingSafeEqual } = process.getBuiltinModule('node:crypto')
  if (!timingSafeEqual(bytes.subarray(0, SECRET), secret)) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    what: bytes[SECRET] as number,
    end: bytes[SECRET + 1] === 0 ? 0 : 1,
    hops: text.readUInt32BE(HOPS),
    token: text.toString('hex', TOKEN, LENGTH),
    text: text.toString('utf8', LENGTH),
  }
}
