/**
 * What is sent. Children import this file too, so it imports nothing.
 *
 * Every message carries its sequence number, and every message that counts was checked. Subject and baseline use the same `make`
 * and the same `check`.
 */

export type PayloadName = 'small' | '64B' | '64KiB' | '1MiB' | '1MiB-transfer'

export interface Payload {
  readonly name: PayloadName
  /** For people. */
  readonly label: string
  /** 'object': send(value). 'bytes': sendBytes(bytes) on a pipe. 'transfer': send(buffer, { transfer: [buffer] }). */
  readonly kind: 'object' | 'bytes' | 'transfer'
  /** The size of the content in bytes; null for the object, whose encoded size is the transport's business. */
  readonly bytes: number | null
  readonly definition: string
}

const KiB = 1024
const MiB = 1024 * KiB

export const payloads: readonly Payload[] = [
  {
    name: 'small',
    label: 'small object',
    kind: 'object',
    bytes: null,
    definition: "{ id: 1, name: 'hello', v: [1, 2, 3] }, id being the sequence number",
  },
  { name: '64B', label: '64 B', kind: 'bytes', bytes: 64, definition: 'Uint8Array of 64 bytes' },
  { name: '64KiB', label: '64 KiB', kind: 'bytes', bytes: 64 * KiB, definition: 'Uint8Array of 65,536 bytes' },
  { name: '1MiB', label: '1 MiB', kind: 'bytes', bytes: MiB, definition: 'Uint8Array of 1,048,576 bytes' },
  {
    name: '1MiB-transfer',
    label: '1 MiB transfer',
    kind: 'transfer',
    bytes: MiB,
    definition: 'a new ArrayBuffer of 1,048,576 bytes per message, transferred instead of copied',
  },
]

function payloadNamed(name: PayloadName): Payload {
  const payload = payloads.find(each => each.name === name)
  if (!payload) throw new RangeError(`unknown payload '${name}'`)
  return payload
}

/** A message arrived that is not the one that was sent at this place. The run ends, since no figure counts without a check. */
export class CheckError extends Error {
  override name = 'CheckError'
}

interface SmallObject {
  id: number
  name: string
  v: number[]
}

function makeObject(sequence: number): SmallObject {
  return { id: sequence, name: 'hello', v: [1, 2, 3] }
}

function checkObject(value: unknown, sequence: number): void {
  const { id, name, v } = (value ?? {}) as Partial<SmallObject>
  if (id !== sequence || name !== 'hello' || v?.length !== 3 || v[0] !== 1 || v[1] !== 2 || v[2] !== 3) {
    throw new CheckError(`expected small object number ${sequence}, got ${JSON.stringify(value)}`)
  }
}

/** Writes the sequence number at both ends, so that a torn or repeated message shows. */
function stamp(bytes: Uint8Array, sequence: number): Uint8Array {
  writeSequence(bytes, 0, sequence)
  writeSequence(bytes, bytes.length - 4, sequence)
  return bytes
}

function writeSequence(bytes: Uint8Array, at: number, sequence: number): void {
  bytes[at] = sequence
  bytes[at + 1] = sequence >>> 8
  bytes[at + 2] = sequence >>> 16
  bytes[at + 3] = sequence >>> 24
}

function checkBytes(bytes: unknown, sequence: number, length: number): void {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    const got = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes
    throw new CheckError(`expected ${length} bytes as message number ${sequence}, got ${got}`)
  }
  const head = readSequence(bytes, 0)
  const tail = readSequence(bytes, length - 4)
  if (head !== sequence || tail !== sequence) {
    throw new CheckError(
      `expected bytes number ${sequence}, got number ${head} at their start and ${tail} at their end`,
    )
  }
}

function readSequence(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

function checkBuffer(buffer: unknown, sequence: number, length: number): void {
  checkBytes(buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : buffer, sequence, length)
}

/** `make` and `check` for one payload. Byte payloads use one array again: on both sides a send copies it within the call. */
export interface Messages {
  readonly payload: Payload
  make(sequence: number): unknown
  check(value: unknown, sequence: number): void
}

export function messagesOf(name: PayloadName): Messages {
  const payload = payloadNamed(name)
  const { bytes: length, kind } = payload
  if (kind === 'object' || length === null) return { payload, make: makeObject, check: checkObject }
  if (kind === 'transfer') {
    return {
      payload,
      make: sequence => stamp(new Uint8Array(length), sequence).buffer,
      check: (value, sequence) => checkBuffer(value, sequence, length),
    }
  }
  const bytes = new Uint8Array(length).fill(0xa5)
  return {
    payload,
    make: sequence => stamp(bytes, sequence),
    check: (value, sequence) => checkBytes(value, sequence, length),
  }
}
