/**
 * What is sent. Children import this file too, so it imports nothing.
 *
 * Every message carries its sequence number, and every message that counts was checked. Subject and baseline use the same `make`
 * and the same `check`.
 */

export type PayloadName =
  | 'small'
  | 'record'
  | 'string'
  | 'numbers'
  | '64B'
  | '4KiB'
  | '64KiB'
  | '1MiB'
  | 'mixed'
  | '1MiB-transfer'

export interface Payload {
  readonly name: PayloadName
  /** For people. */
  readonly label: string
  /** 'object': send(value). 'bytes': sendBytes(bytes) on a pipe. 'transfer': send(buffer, { transfer: [buffer] }). */
  readonly kind: 'object' | 'bytes' | 'transfer'
  /** The size of the content in bytes, of an object roughly, where sizes differ their mean; null for the small object. */
  readonly bytes: number | null
  readonly definition: string
}

const KiB = 1024
const MiB = 1024 * KiB

const characters = 10_000
const numbers = 1000
/** Of the mixed sizes, in bytes. The mean is least * (1 + ln(most / least)). */
const mixed = { least: 64, most: MiB, mean: 685 }

export const payloads: readonly Payload[] = [
  {
    name: 'small',
    label: 'small object',
    kind: 'object',
    bytes: null,
    definition: "{ id: 1, name: 'hello', v: [1, 2, 3] }, id being the sequence number",
  },
  {
    name: 'record',
    label: 'record',
    kind: 'object',
    bytes: 1300,
    definition: 'an order with a customer, addresses and eight lines: nested objects, some 1.3 kB as JSON',
  },
  {
    name: 'string',
    label: 'string',
    kind: 'object',
    bytes: characters,
    definition: `a string of ${characters.toLocaleString('en')} ASCII characters`,
  },
  {
    name: 'numbers',
    label: 'numbers',
    kind: 'object',
    bytes: 8 * numbers,
    definition: `an array of ${numbers.toLocaleString('en')} numbers, every second one with a fraction`,
  },
  { name: '64B', label: '64 B', kind: 'bytes', bytes: 64, definition: 'Uint8Array of 64 bytes' },
  { name: '4KiB', label: '4 KiB', kind: 'bytes', bytes: 4 * KiB, definition: 'Uint8Array of 4,096 bytes' },
  { name: '64KiB', label: '64 KiB', kind: 'bytes', bytes: 64 * KiB, definition: 'Uint8Array of 65,536 bytes' },
  { name: '1MiB', label: '1 MiB', kind: 'bytes', bytes: MiB, definition: 'Uint8Array of 1,048,576 bytes' },
  {
    name: 'mixed',
    label: 'mixed sizes',
    kind: 'bytes',
    bytes: mixed.mean,
    definition:
      'Uint8Array of 64 B to 1 MiB with a heavy tail: half of them are smaller than 128 B, one of a hundred is larger than 6 KiB; ' +
      'the same sizes in the same order on both sides',
  },
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

function makeRecord(sequence: number) {
  return {
    id: sequence,
    placed: '2024-05-17T09:30:00.000Z',
    paid: true,
    total: 1234.56,
    customer: {
      id: 71_203,
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      tags: ['returning', 'newsletter', 'wholesale'],
      addresses: [
        { street: '12 St James Square', city: 'London', zip: 'SW1Y 4LB', country: 'GB' },
        { street: '1 rue de la Paix', city: 'Paris', zip: '75002', country: 'FR' },
      ],
    },
    lines: lines.map(line => ({ ...line, discounts: { volume: 0.05, loyalty: null } })),
    note: 'Leave at the front desk, and ring twice.',
  }
}

const lines = Array.from({ length: 8 }, (_, n) => ({
  sku: `SKU-${1000 + n}`,
  title: `Difference engine part ${n}`,
  quantity: n + 1,
  price: 19.99 + n,
}))

function checkRecord(value: unknown, sequence: number): void {
  const { id, customer, lines: got, note } = (value ?? {}) as Partial<ReturnType<typeof makeRecord>>
  const whole =
    id === sequence &&
    customer?.addresses[1]?.zip === '75002' &&
    got?.length === lines.length &&
    got[7]?.price === lines[7]?.price &&
    got[7]?.discounts.loyalty === null &&
    note?.endsWith('twice.')
  if (!whole) throw new CheckError(`expected record number ${sequence}, got ${JSON.stringify(value)}`)
}

const tail = 'the quick brown fox jumps over the lazy dog; '.repeat(characters / 40).slice(0, characters - 10)

function makeString(sequence: number): string {
  return String(sequence).padStart(10, '0') + tail
}

function checkString(value: unknown, sequence: number): void {
  if (typeof value !== 'string' || value.length !== characters || Number(value.slice(0, 10)) !== sequence) {
    throw new CheckError(`expected string number ${sequence}, got ${String(value).slice(0, 20)}`)
  }
}

const some = Array.from({ length: numbers }, (_, n) => (n % 2 === 0 ? n * 7 : n + 0.25))

/** One array again: a send copies it within the call. */
function makeNumbers(sequence: number): number[] {
  some[0] = sequence
  some[numbers - 1] = sequence + 0.5
  return some
}

function checkNumbers(value: unknown, sequence: number): void {
  const got = value as number[]
  if (!Array.isArray(value) || got.length !== numbers || got[0] !== sequence || got[numbers - 1] !== sequence + 0.5) {
    throw new CheckError(`expected the numbers of message ${sequence}, got ${String(value).slice(0, 20)}`)
  }
}

/** The length of one of the mixed messages: a Pareto distribution, cut off at the largest. */
function mixedLength(sequence: number): number {
  // A multiplicative hash: neighbours differ, and every run has the same sizes.
  const uniform = ((Math.imul(sequence + 1, 0x9e37_79b1) >>> 0) + 1) / 2 ** 32
  return Math.min(mixed.most, Math.floor(mixed.least / uniform))
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
  return { payload, ...contents(payload) }
}

function contents({ name, kind, bytes }: Payload): Omit<Messages, 'payload'> {
  switch (name) {
    case 'small':
      return { make: makeObject, check: checkObject }
    case 'record':
      return { make: makeRecord, check: checkRecord }
    case 'string':
      return { make: makeString, check: checkString }
    case 'numbers':
      return { make: makeNumbers, check: checkNumbers }
  }
  const lengthOf = name === 'mixed' ? mixedLength : () => bytes as number
  if (kind === 'transfer') {
    return {
      make: sequence => stamp(new Uint8Array(lengthOf(sequence)), sequence).buffer,
      check: (value, sequence) => checkBuffer(value, sequence, lengthOf(sequence)),
    }
  }
  const all = new Uint8Array(name === 'mixed' ? mixed.most : (bytes as number)).fill(0xa5)
  // Of the mixed ones each is an array of its own: structured clone would copy all that is behind a part of one.
  const next = name === 'mixed' ? (sequence: number) => all.slice(0, mixedLength(sequence)) : () => all
  return {
    make: sequence => stamp(next(sequence), sequence),
    check: (value, sequence) => checkBytes(value, sequence, lengthOf(sequence)),
  }
}
