import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BarrierHome } from '../src/barrier/home.js'
import { HELLO, JOIN, SETTLE, SETTLED } from '../src/broker/protocol.js'
import { Context } from '../src/context/context.js'
import { LocalWire } from '../src/link/local-wire.js'
import { MOVE, MOVED } from '../src/link/protocol.js'
import { RelayedEnd } from '../src/link/relayed-end.js'
import { LiveObject, type Parcel } from '../src/link/wire-end.js'
import { AttachmentsHome } from '../src/queue/attachments-home.js'
import * as attachments from '../src/queue/attachments-protocol.js'
import { QueueHome } from '../src/queue/home.js'
import { type Item, itemOf } from '../src/queue/item.js'
import * as queue from '../src/queue/protocol.js'
import { SemaphoreHome } from '../src/semaphore/home.js'
import * as semaphore from '../src/semaphore/protocol.js'
import type { NativeQueue } from '../src/transport/engines.js'
import { RawHolder, transport, until } from './raw-holder.js'

const SEED = 25
/** Of each kind of home: 200 runs of 50 messages. */
const RUNS = 200
const MESSAGES = 50

/** What a holder sends: a message, or bytes that are a frame, or almost one. */
type Sent =
  | { readonly type: number; readonly body: Uint8Array; readonly rides: 'nothing' | 'an end' | 'an object' }
  | { readonly frame: Uint8Array<ArrayBuffer> }

const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat(6) },
  { weight: 1, arbitrary: fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff) },
  { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
)

function bytesOf(numbers: readonly number[], cut: number): Uint8Array {
  const all = Uint8Array.from(new Uint8Array(Uint32Array.from(numbers).buffer))
  return all.subarray(0, Math.max(0, all.length - cut))
}

const body = fc
  .tuple(fc.array(number, { maxLength: 6 }), fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(5)))
  .map(([numbers, cut]) => bytesOf(numbers, cut))

/** `known`: the types that the home knows. */
function sent(known: readonly number[]): fc.Arbitrary<Sent> {
  const type = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.constantFrom(MOVE, MOVED, 1, 2, 5, 6, JOIN, HELLO) },
    { weight: 1, arbitrary: fc.nat(63).filter(each => each !== queue.SHUT_DOWN) },
  )
  const rides = fc.oneof(
    { weight: 8, arbitrary: fc.constant('nothing' as const) },
    fc.constantFrom('an end' as const, 'an object' as const),
  )
  const message = fc.record({ type, body, rides })
  const frame = fc
    .tuple(type, body, fc.nat(40), fc.nat(255), fc.nat(4))
    .map(([first, rest, at, value, how]) => mutated(first, rest, at, value, how))
  return fc.oneof({ weight: 4, arbitrary: message }, { weight: 1, arbitrary: frame })
}

/** A frame with one message, of which a byte is another, or the rest is missing, or doubled. */
function mutated(
  type: number,
  rest: Uint8Array,
  at: number,
  value: number,
  how: number,
): { frame: Uint8Array<ArrayBuffer> } {
  const frame = Uint8Array.from([type, rest.length, 0, 0, 0, ...rest])
  if (how === 0) return { frame: frame.slice(0, at) }
  if (how === 1) return { frame: Uint8Array.from([...frame, ...frame]) }
  // Not a SHUT_DOWN, which anybody may say.
  if (how === 2 || at % frame.length === 0) return { frame: Uint8Array.from([...frame, value & 0x0f]) }
  frame[at % frame.length] = value
  return { frame }
}

function runOf(known: readonly number[]): fc.Arbitrary<Sent[]> {
  return fc.array(sent(known), { minLength: MESSAGES, maxLength: MESSAGES })
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

/** Says all of it. Who is cut off joins again. Gives all who did; they are gone. */
async function attack(messages: readonly Sent[], join: () => RawHolder): Promise<readonly RawHolder[]> {
  const all: RawHolder[] = []
  const ends: LocalWire[] = []
  let offender: RawHolder | undefined
  for (const message of messages) {
    if (!offender || offender.end) {
      offender = join()
      all.push(offender)
    }
    if ('frame' in message) offender.sendFrame(message.frame)
    else {
      const parcels: Parcel[] = []
      if (message.rides === 'an object') parcels.push(new LiveObject({}))
      if (message.rides === 'an end') {
        const [near, far] = LocalWire.pair()
        ends.push(far)
        parcels.push(new RelayedEnd(near))
      }
      offender.sayRaw(message.type, message.body, parcels.length > 0 ? parcels : undefined)
    }
    await turns(2)
  }
  for (const each of all) each.cut()
  for (const end of ends) end.close()
  await turns(4)
  return all
}

async function check(known: readonly number[], run: (messages: readonly Sent[]) => Promise<void>): Promise<void> {
  const before = process.memoryUsage().arrayBuffers
  await fc.assert(fc.asyncProperty(runOf(known), run), { seed: SEED, numRuns: RUNS })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
}

function context(): Context {
  return new Context({ id: 'home', name: 'home', pid: 1, daemon: false, path: [] }, null)
}

const MAGIC = 0x5eed_5eed
const queueTypes = [
  ...[queue.PUT, queue.RESERVE, queue.FILL, queue.UNRESERVE, queue.WANT, queue.UNGET, queue.QUERY, queue.TASK_DONE],
  ...[queue.AWAIT_TASKS, queue.WATCH, queue.TRY, queue.CLAIMED, queue.OPENED, queue.NOTICED, queue.IDLE],
  ...[queue.TASK_OVER, SETTLE, 22],
]

function honestItem(value: number): Item {
  const bytes = new Uint8Array(Uint32Array.of(MAGIC, value).buffer)
  return itemOf(bytes, 0, bytes.length, undefined)
}

/** The honest items that a holder was sent, as their numbers. */
function honestItems({ heard, bodies }: RawHolder): number[] {
  const values: number[] = []
  for (const [i, [type, , magic, value]] of heard.entries()) {
    if (type === queue.ITEM && magic === MAGIC && bodies[i]?.length === 12) values.push(value as number)
  }
  return values
}

/** Gets everything, as a holder does. */
async function drain(home: QueueHome, holder: RawHolder): Promise<void> {
  for (let place = 1; home.size > 0; place++) {
    holder.say(queue.WANT, place - 1, 1, 1, 0)
    await holder.hears(queue.ITEM, place)
    holder.say(queue.CLAIMED, place)
    holder.say(queue.WANT, place, 0, 0, 0)
    holder.say(SETTLE, place)
    await holder.hears(SETTLED, place)
  }
}

describe('10,000 messages, whatever they are, harm nobody but who sends them', () => {
  it.each([0, 8])('to the home of a queue of %i', async maxsize => {
    await check(queueTypes, async messages => {
      const home = new QueueHome(context(), transport, 'home.1', maxsize)
      const join = () => RawHolder.joining(wire => home.admit(wire, transport))
      const other = join()
      for (let value = 1; value <= 5; value++) home.put(honestItem(value))
      const offenders = await attack(messages, join)
      await drain(home, other)
      const got = honestItems(other)
      // Each once, in order; and what is missing was sent to an offender.
      expect(got).toEqual([...new Set(got)].sort((a, b) => a - b))
      const theirs = new Set(offenders.flatMap(honestItems))
      for (let value = 1; value <= 5; value++) expect(got.includes(value) || theirs.has(value)).toBe(true)
      expect(other.end).toBeUndefined()
      expect(home.size).toBe(0)
      if (maxsize > 0) await fillsAll(other, maxsize)
    })
  })

  it('to the home of a semaphore', async () => {
    const { ACQUIRE, CONSUME, GRANTED, POST, REFUSED, RELEASE, VALUE } = semaphore
    // Who may add or use up permits may do so.
    const known = [ACQUIRE, RELEASE, VALUE, SETTLE, 22]
    await check(known, async messages => {
      const home = new SemaphoreHome(context(), transport, 'home.1', 2, 2)
      const join = () => new RawHolder((home.share() as RelayedEnd).wire)
      const other = join()
      const mayNot = new Set<number>([POST, CONSUME])
      const fair = messages.filter(each => !mayNot.has(('frame' in each ? (each.frame[0] ?? 0) : each.type) & 0x3f))
      await attack(fair, join)
      await until(() => home.value === 2)
      for (const call of [1, 2, 3]) other.say(ACQUIRE, call, 0, call === 3 ? 1 : 0)
      await other.hears(GRANTED, 1)
      await other.hears(GRANTED, 2)
      await other.hears(REFUSED, 3)
      expect(other.end).toBeUndefined()
    })
  })

  it('to the home of a barrier', async () => {
    const { ABORT, ARRIVE, PASSED, RESET, STATE } = semaphore
    await check([ARRIVE, ABORT, RESET, STATE, SETTLE, 22], async messages => {
      const home = new BarrierHome(context(), transport, 'home.1', 2)
      const join = () => new RawHolder((home.share() as RelayedEnd).wire)
      const other = join()
      await attack(messages, join)
      other.say(RESET, 1)
      other.say(ARRIVE, 2, 0)
      other.say(ARRIVE, 3, 0)
      await other.hears(PASSED, 2, 0)
      await other.hears(PASSED, 3, 1)
      expect(other.end).toBeUndefined()
    })
  })

  it("to the home of a native queue's attachments", async () => {
    const { COLLECT, COLLECTED, DEPOSIT, NAME } = attachments
    await check([NAME, DEPOSIT, COLLECT, SETTLE, HELLO], async messages => {
      const home = new AttachmentsHome(context(), transport, 'home.1', { memory: undefined } as unknown as NativeQueue)
      home.use()
      const join = () => new RawHolder((home.share() as RelayedEnd).wire)
      const other = join()
      await attack(messages, join)
      other.sayRaw(DEPOSIT, Buffer.from('other.1'), [new LiveObject({})])
      other.sayRaw(COLLECT, Buffer.from('\x01\0\0\0other.1'))
      await other.hears(COLLECTED, 1)
      expect(other.end).toBeUndefined()
      home.unuse()
    })
  })
})

/** Each slot is free, and an item can fill each. */
async function fillsAll(holder: RawHolder, maxsize: number): Promise<void> {
  for (let call = 1; call <= maxsize; call++) holder.say(queue.RESERVE, call, 0)
  const granted = () => holder.heard.filter(([type]) => type === queue.GRANTED)
  await until(() => granted().reduce((sum, [, , more]) => sum + 1 + (more as number), 0) === maxsize)
}
