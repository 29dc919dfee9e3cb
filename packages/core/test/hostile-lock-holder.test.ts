import { describe, expect, it } from 'vitest'
import { BarrierHome } from '../src/barrier/home.js'
import * as broker from '../src/broker/protocol.js'
import { Context } from '../src/context/context.js'
import type { RelayedEnd } from '../src/link/relayed-end.js'
import { LiveObject } from '../src/link/wire-end.js'
import { AttachmentsHome } from '../src/queue/attachments-home.js'
import * as attachments from '../src/queue/attachments-protocol.js'
import { SemaphoreHome } from '../src/semaphore/home.js'
import * as protocol from '../src/semaphore/protocol.js'
import type { NativeQueue } from '../src/transport/engines.js'
import { RawHolder, transport, until } from './raw-holder.js'

const { CANCEL, JOIN, SETTLE, SETTLED } = broker
const { ABORT, ACQUIRE, ARRIVE, BROKEN, CONSUME, GRANTED, PASSED, POST, POSTED, REFUSED } = protocol
const { RELEASE, RESET, REVOKED, STATE, STATE_IS, VALUE, VALUE_IS } = protocol

const NONE = new Uint8Array(0)
const MOST = 0xffff_ffff

function context(): Context {
  return new Context({ id: 'home', name: 'home', pid: 1, daemon: false, path: [] }, null)
}

/** What a holder does, and whether its link closes. Otherwise it is answered, or ignored. */
interface Row {
  readonly does: string
  readonly act: (offender: RawHolder, other: RawHolder) => unknown
  readonly cutOff: boolean
}

function says(cutOff: boolean, ...messages: readonly (readonly [type: number, ...values: number[]])[]) {
  const act = (offender: RawHolder) => {
    for (const [type, ...values] of messages) offender.say(type, ...values)
  }
  return { act, cutOff }
}

/** Of every home. */
const common: readonly Row[] = [
  { does: 'lets somebody join, without an end', ...says(true, [JOIN]) },
  {
    does: 'lets a live object join',
    act: offender => offender.sayRaw(JOIN, NONE, [new LiveObject({})]),
    cutOff: true,
  },
  { does: 'says that all is settled', ...says(true, [SETTLED, 1]) },
  { does: 'answers a call', ...says(true, [GRANTED, 1, 2, 3]) },
  { does: 'answers another call', ...says(true, [VALUE_IS, 1, 2, 3]) },
  { does: 'tells of what home alone knows', ...says(true, [REVOKED, 1]) },
  { does: 'sends a message of a type that nobody knows', ...says(true, [63]) },
  { does: 'offers a channel', ...says(true, [14, 1]) },
  { does: 'moves without an end', act: offender => offender.sendFrame(Uint8Array.of(3, 0, 0, 0, 0)), cutOff: true },
  { does: 'cancels what it has not called', ...says(false, [CANCEL, 1], [CANCEL, MOST]) },
]

async function attack({ act, cutOff }: Row, offender: RawHolder, other: RawHolder): Promise<void> {
  await act(offender, other)
  if (cutOff) {
    await until(() => offender.end !== undefined)
    return
  }
  offender.say(SETTLE, 999)
  await until(() => offender.has(SETTLED, 999) || offender.end !== undefined)
  expect(offender.end).toBeUndefined()
  offender.die()
}

const semaphoreRows: readonly Row[] = [
  ...common,
  { does: 'releases what it was not granted', ...says(false, [RELEASE, 0, 0], [RELEASE, 9, 1], [RELEASE, MOST, 1]) },
  {
    does: 'releases and uses up what another holds',
    act: async (offender, other) => {
      other.say(ACQUIRE, 50, 0, 0)
      await other.hears(GRANTED, 50)
      const grant = other.heard.find(([type, call]) => type === GRANTED && call === 50)?.[2] as number
      offender.say(RELEASE, grant, 0)
      offender.say(RELEASE, grant, 1)
      offender.say(CONSUME, grant)
      offender.say(VALUE, 1)
      await offender.hears(VALUE_IS, 1, 1)
      other.say(RELEASE, grant, 0)
    },
    cutOff: false,
  },
  {
    does: 'releases twice',
    act: async offender => {
      offender.say(ACQUIRE, 1, 0, 0)
      await offender.hears(GRANTED, 1)
      const grant = offender.heard.at(-1)?.[2] as number
      offender.say(RELEASE, grant, 0)
      offender.say(RELEASE, grant, 0)
      offender.say(CONSUME, grant)
    },
    cutOff: false,
  },
  { does: 'keeps all permits', ...says(false, [ACQUIRE, 1, 0, 0], [ACQUIRE, 2, 0, 0], [ACQUIRE, 3, 0, 0]) },
  { does: 'makes calls in bodies that are cut short', ...says(false, [VALUE], [POST], [RELEASE], [CONSUME], [CANCEL]) },
  {
    does: 'adds more permits than there may be',
    act: async offender => {
      offender.say(POST, 1, 1, 1)
      await offender.hears(REFUSED, 1)
      offender.say(POST, 2, MOST, 1)
      await offender.hears(REFUSED, 2)
      offender.say(POST, 3, MOST, 0)
      await offender.hears(POSTED, 3)
    },
    cutOff: false,
  },
  {
    does: 'makes a call twice with one number',
    ...says(true, [ACQUIRE, 1, 0, 0], [ACQUIRE, 2, 0, 0], [ACQUIRE, 3, 0, 0], [ACQUIRE, 3, 0, 0]),
  },
  ...[POST, VALUE].map(
    (type): Row => ({
      does: `makes another call with the number of one that waits (${type})`,
      act: async offender => {
        for (const call of [1, 2, 3]) offender.say(ACQUIRE, call, 0, 0)
        offender.say(type, 3, 0, 0)
        await until(() => offender.has(POSTED, 3) || offender.has(VALUE_IS, 3))
        offender.say(ACQUIRE, 3, 0, 0)
      },
      cutOff: true,
    }),
  ),
  {
    does: "cancels another's call",
    act: async (offender, other) => {
      for (const call of [50, 51, 52]) other.say(ACQUIRE, call, 0, 0)
      other.say(SETTLE, 53)
      await other.hears(SETTLED, 53)
      offender.say(CANCEL, 52)
      offender.say(SETTLE, 1)
      await offender.hears(SETTLED, 1)
      const grantOf = (call: number) => other.heard.find(each => each[0] === GRANTED && each[1] === call)?.[2] as number
      other.say(RELEASE, grantOf(50), 0)
      await other.hears(GRANTED, 52)
      for (const call of [51, 52]) other.say(RELEASE, grantOf(call), 0)
    },
    cutOff: false,
  },
]

describe('a holder of a semaphore that', () => {
  it.each(semaphoreRows)('$does', async row => {
    const home = new SemaphoreHome(context(), transport, 'home.1', 2, 2)
    const [offender, other] = [0, 1].map(() => new RawHolder((home.share() as RelayedEnd).wire)) as [
      RawHolder,
      RawHolder,
    ]
    await attack(row, offender, other)
    other.say(VALUE, 100)
    await until(() => other.heard.some(each => each[0] === VALUE_IS && each[1] === 100))
    // Two permits, and no more.
    await until(() => home.value === 2)
    for (const call of [101, 102, 103]) other.say(ACQUIRE, call, 0, call === 103 ? 1 : 0)
    await other.hears(GRANTED, 101)
    await other.hears(GRANTED, 102)
    await other.hears(REFUSED, 103)
  })
})

const barrierRows: readonly Row[] = [
  ...common,
  { does: 'arrives, and is gone', ...says(false, [ARRIVE, 1, 0]) },
  { does: 'arrives twice with one number', ...says(true, [ARRIVE, 1, 0], [ARRIVE, 1, 0]) },
  { does: 'arrives more often than there are parties', ...says(false, [ARRIVE, 1, 0], [ARRIVE, 2, 0], [ARRIVE, 3, 0]) },
  { does: 'makes calls in bodies that are cut short', ...says(false, [STATE], [RESET], [ABORT], [CANCEL], [ARRIVE]) },
  {
    does: 'resets and aborts a hundred times',
    act: async offender => {
      for (let call = 0; call < 100; call++) offender.say(call % 2 ? RESET : ABORT, call)
      await offender.hears(protocol.DONE, 99)
    },
    cutOff: false,
  },
]

describe('a holder of a barrier that', () => {
  it.each(barrierRows)('$does', async row => {
    const home = new BarrierHome(context(), transport, 'home.1', 2)
    const [offender, other] = [0, 1].map(() => new RawHolder((home.share() as RelayedEnd).wire)) as [
      RawHolder,
      RawHolder,
    ]
    await attack(row, offender, other)
    // Home has noticed that it is gone.
    await new Promise(resolve => setImmediate(resolve))
    other.say(SETTLE, 99)
    await other.hears(SETTLED, 99)
    other.say(RESET, 100)
    other.say(ARRIVE, 101, 0)
    other.say(STATE, 102)
    await other.hears(STATE_IS, 102, 1, 0)
    other.say(ARRIVE, 103, 0)
    await other.hears(PASSED, 101, 0)
    await other.hears(PASSED, 103, 1)
    expect(other.has(BROKEN, 101)).toBe(false)
  })
})

const name = (text: string) => Buffer.from(text)
const collect = (call: number, key: string) => Buffer.concat([Uint8Array.of(call, 0, 0, 0), Buffer.from(key)])

const attachmentsRows: readonly Row[] = [
  ...common,
  {
    does: "takes another's name",
    act: offender => {
      offender.sayRaw(broker.HELLO, name('offender'))
      offender.sayRaw(attachments.NAME, name('other'))
    },
    cutOff: true,
  },
  {
    does: 'deposits twice under one key',
    act: offender => {
      offender.sayRaw(attachments.DEPOSIT, name('offender.1'), [new LiveObject({})])
      offender.sayRaw(attachments.DEPOSIT, name('offender.1'), [new LiveObject({})])
    },
    cutOff: true,
  },
  {
    does: "deposits under another's key",
    act: async (offender, other) => {
      other.sayRaw(attachments.DEPOSIT, name('other.7'), [new LiveObject([7])])
      other.say(SETTLE, 70)
      await other.hears(SETTLED, 70)
      offender.sayRaw(attachments.DEPOSIT, name('other.7'), [new LiveObject([9])])
      await until(() => offender.end !== undefined)
      other.sayRaw(attachments.COLLECT, collect(71, 'other.7'))
      await other.hears(attachments.COLLECTED, 71)
    },
    cutOff: true,
  },
  {
    does: 'collects twice with one number',
    act: offender => {
      offender.sayRaw(attachments.COLLECT, collect(1, 'other.8'))
      offender.sayRaw(attachments.COLLECT, collect(1, 'other.9'))
    },
    cutOff: true,
  },
  {
    does: 'collects what another waits for',
    act: async (offender, other) => {
      other.sayRaw(attachments.COLLECT, collect(60, 'somebody.6'))
      other.say(SETTLE, 61)
      await other.hears(SETTLED, 61)
      offender.sayRaw(attachments.COLLECT, collect(1, 'somebody.6'))
      // It has an answer.
      await other.hears(attachments.GONE, 60)
    },
    cutOff: false,
  },
  {
    does: 'deposits and collects nothing',
    act: offender => {
      offender.sayRaw(attachments.DEPOSIT, NONE)
      offender.sayRaw(attachments.COLLECT, NONE)
    },
    cutOff: false,
  },
]

describe("a holder of a native queue's attachments that", () => {
  it.each(attachmentsRows)('$does', async row => {
    const home = new AttachmentsHome(context(), transport, 'home.1', { memory: undefined } as unknown as NativeQueue)
    home.use()
    const [offender, other] = [0, 1].map(() => new RawHolder((home.share() as RelayedEnd).wire)) as [
      RawHolder,
      RawHolder,
    ]
    other.sayRaw(broker.HELLO, name('other'))
    await attack(row, offender, other)
    other.sayRaw(attachments.DEPOSIT, name('other.1'), [new LiveObject({ sound: true })])
    other.sayRaw(attachments.COLLECT, collect(100, 'other.1'))
    await other.hears(attachments.COLLECTED, 100)
    home.unuse()
  })
})
