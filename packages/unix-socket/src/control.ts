/**
 * What contexts of one program say to each other about a wire, in frames of their own:
 *
 *     secret [16] | u8 what | u8 end | u32 hops | token [16] | an address, or the token of another wire, in UTF-8
 *
 * The first frame on every connection is one: who does not know the program's secret is cut off. Later ones stand among
 * core's frames. Those cannot be mistaken for one: no user code knows the secret.
 */
const SECRET = 16
const HOPS = SECRET + 2
const TOKEN = HOPS + 4
const LENGTH = TOKEN + 16
/** Of the longest frame of this kind, bytes. */
export const LONGEST_CONTROL = 256

/** First: this connection is end `end` of the wire `token`. */
export const OPEN = 1
/** First: this connection tells what one context holds. */
export const CONTEXT = 2
/** Context to rendezvous: an unopened end is here. */
export const HELD = 3
/** It is on its way to another context; the text says over which wire. */
export const SENT = 4
/** It was opened here. */
export const OPENED = 9
/** What was on its way over the wire `token` will not arrive any more. */
export const LOST = 10
/** The wire `token` was closed here: what is on its way over it may arrive elsewhere, but not here. */
export const CLOSED = 12
/** Rendezvous to context: may something that came over the wire `token` still be read there? */
export const ASK = 13
/** Its answers. The first means that word will come, that it has arrived or is lost. */
export const MAY = 14
export const CANNOT = 15
/** It could not be opened here, and is gone. */
export const FAILED = 16
/** The context listens at the address in the text, or is about to: a socket to be removed when it has ended. */
export const DOOR = 11
/** Rendezvous to the end that came first: the other one is here, let it come to you. */
export const LISTEN = 5
/** Its answer: I listen here. */
export const LISTENING = 6
/** Rendezvous to the end that came second: the other one listens here. */
export const GO = 7
/** Rendezvous to an end: what the other one had sent before you came has gone to you, if there is any. */
export const READY = 17
/** End to end: what I send from here on comes the direct way. */
export const SWITCHED = 8

/** The end of one wire. The token is random, in hexadecimal. */
export interface WireEnd {
  readonly token: string
  readonly end: 0 | 1
  /** How often it has gone from one context to another, unopened. */
  hops: number
}

/** For what is said of no wire. */
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
  // The quick look rules out core's frames; it tells nobody more than one byte of the secret.
  if (bytes.length < LENGTH || bytes.length > LONGEST_CONTROL || bytes[0] !== secret[0]) return undefined
  return readFirst(secret, bytes)
}

/** As `readControl`, for the frame that shows who somebody is: no byte of the secret can be found by the time it takes. */
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
