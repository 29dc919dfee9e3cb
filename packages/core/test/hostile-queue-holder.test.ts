import { describe, expect, it } from 'vitest'
import * as broker from '../src/broker/protocol.js'
import { Context } from '../src/context/context.js'
import { LocalWire } from '../src/link/local-wire.js'
import { RelayedEnd } from '../src/link/relayed-end.js'
import { LiveObject } from '../src/link/wire-end.js'
import { QueueHome } from '../src/queue/home.js'
import { itemOf } from '../src/queue/item.js'
import * as protocol from '../src/queue/protocol.js'
import { RawHolder, transport, until } from './raw-holder.js'
import { stubTransport } from './stub-transport.js'
import { watchedEnd } from './watched-end.js'

const { AWAIT_TASKS, CLAIMED, FILL, GRANTED, IDLE, ITEM, NOTICED, OPENED, PUT, QUERY } = protocol
const { REFUSED, RESERVE, TASK_DONE, TASK_OVER, TRY, UNGET, UNRESERVE, WANT, WATCH } = protocol
const { CANCEL, HELLO, JOIN, SETTLE, SETTLED } = broker

const NONE = new Uint8Array(0)
const MOST = 0xffff_ffff

interface Attack {
  readonly home: QueueHome
  readonly offender: RawHolder
}

/** What a holder of a queue does, and what comes of it. */
interface Row {
  readonly does: string
  /** 0 if absent. */
  readonly maxsize?: number
  /** The items that the queue has before, 1, 2 and so on. */
  readonly items: number
  readonly act: (attack: Attack) => unknown
  /** Whether its link closes. Otherwise it is answered, or ignored. */
  readonly cutOff: boolean
  /** The items that others get after it has gone. */
  readonly left: readonly number[]
}

const unwanted = (type: number, ...values: number[]): Pick<Row, 'items' | 'act' | 'cutOff' | 'left'> => ({
  items: 2,
  act: ({ offender }) => offender.say(type, ...values),
  cutOff: true,
  left: [1, 2],
})

const ignored = (...messages: readonly (readonly [type: number, ...values: number[]])[]) => ({
  items: 2,
  act: ({ offender }: Attack) => {
    for (const [type, ...values] of messages) offender.say(type, ...values)
  },
  cutOff: false,
  left: [1, 2],
})

const rows: readonly Row[] = [
  // Items and slots.
  { does: 'puts without a slot', maxsize: 3, ...unwanted(PUT, 7) },
  { does: 'fills a slot of an unbounded queue', ...unwanted(FILL, 7) },
  { does: 'fills a slot that it was not granted', maxsize: 3, ...unwanted(FILL, 7) },
  {
    does: 'fills one slot twice',
    maxsize: 3,
    items: 2,
    act: async ({ offender }) => {
      offender.say(RESERVE, 1, 0)
      await offender.hears(GRANTED, 1)
      offender.sayItem(FILL, 8)
      offender.sayItem(FILL, 9)
    },
    cutOff: true,
    left: [1, 2, 8],
  },
  { does: 'gives back a slot that it does not have', maxsize: 3, ...unwanted(UNRESERVE, 1) },
  { does: 'gives back 2 ** 32 - 1 slots', maxsize: 3, ...unwanted(UNRESERVE, MOST) },
  { does: 'gives back no slot', maxsize: 3, ...ignored([UNRESERVE, 0]) },
  {
    does: 'asks for a slot twice with one number',
    maxsize: 2,
    items: 2,
    act: ({ offender }) => {
      offender.say(RESERVE, 1, 0)
      offender.say(RESERVE, 1, 0)
    },
    cutOff: true,
    left: [1, 2],
  },
  ...[TASK_DONE, TRY, WATCH, RESERVE].map(
    (type): Row => ({
      does: `makes another call with the number of one that waits (${type})`,
      maxsize: 2,
      items: 2,
      act: ({ offender }) => {
        offender.say(RESERVE, 1, 0)
        offender.say(type, 1, 1, 1)
        offender.say(RESERVE, 1, 0)
      },
      cutOff: true,
      left: [1, 2],
    }),
  ),
  {
    does: 'asks for a slot without waiting, and is gone before the answer',
    maxsize: 3,
    items: 2,
    act: async ({ home, offender }) => {
      const other = RawHolder.joining(wire => home.admit(wire, transport))
      other.say(RESERVE, 1, 0)
      await other.hears(GRANTED, 1)
      offender.say(RESERVE, 1, 1)
      offender.say(SETTLE, 2)
      await offender.hears(SETTLED, 2)
      offender.die()
      // The slot that the answer waits for.
      other.die()
      await new Promise(resolve => setTimeout(resolve, 30))
    },
    cutOff: false,
    left: [1, 2],
  },
  {
    does: 'puts an item without bytes',
    items: 1,
    act: ({ offender }) => offender.say(PUT),
    cutOff: false,
    left: [1, 0],
  },

  // Claims and give-backs.
  { does: 'claims what it was not sent', ...ignored([CLAIMED, 1], [CLAIMED, MOST]) },
  { does: 'claims on a board that it does not have', ...ignored([CLAIMED, 0]) },
  {
    does: 'claims more than it was sent',
    items: 3,
    act: async ({ offender }) => {
      offender.say(WANT, 0, 1, 1, 0)
      await offender.hears(ITEM, 1)
      offender.say(CLAIMED, 1_000_000)
    },
    cutOff: false,
    left: [2, 3],
  },
  {
    does: 'gives back what it was not sent',
    items: 2,
    act: ({ offender }) => {
      offender.sayItem(UNGET, 9, 1)
      offender.sayItem(UNGET, 9, MOST)
    },
    cutOff: false,
    left: [1, 2],
  },
  {
    does: 'gives back the end of a wire that it was not sent',
    items: 2,
    act: async ({ offender }) => {
      const { end, closed } = watchedEnd()
      offender.sayRaw(UNGET, Uint8Array.of(1, 0, 0, 0, 9), [end])
      await until(closed)
    },
    cutOff: false,
    left: [1, 2],
  },
  {
    does: 'gives an item back twice',
    items: 2,
    act: async ({ offender }) => {
      offender.say(WANT, 0, 1, 1, 0)
      await offender.hears(ITEM, 1)
      offender.say(WANT, 1, 0, 0, 0)
      offender.sayItem(UNGET, 1, 1)
      offender.sayItem(UNGET, 1, 1)
    },
    cutOff: false,
    left: [1, 2],
  },
  {
    does: 'gives back what it has claimed',
    items: 2,
    act: async ({ offender }) => {
      offender.say(WANT, 0, 1, 1, 0)
      await offender.hears(ITEM, 1)
      offender.say(CLAIMED, 1)
      offender.sayItem(UNGET, 1, 1)
    },
    cutOff: false,
    left: [2],
  },
  ...[0, 1, 3].map(
    (length): Row => ({
      does: `gives an item back with a body of ${length} bytes`,
      items: 2,
      act: async ({ offender }) => {
        offender.say(WANT, 0, 1, 1, 0)
        await offender.hears(ITEM, 1)
        offender.sayRaw(UNGET, Uint8Array.of(1, 0, 0).subarray(0, length))
      },
      cutOff: true,
      left: [1, 2],
    }),
  ),

  // Wants.
  {
    does: 'wants 2 ** 32 - 1 items, and claims none',
    items: 3,
    act: async ({ offender }) => {
      offender.say(WANT, 0, MOST, MOST, MOST)
      await offender.hears(ITEM, 3)
    },
    cutOff: false,
    left: [1, 2, 3],
  },
  { does: 'has seen more than it was sent', ...ignored([WANT, MOST, 0, 0, 0], [WANT, 5, 0, 9, 0]) },
  {
    does: 'goes back in what it has seen',
    items: 3,
    act: async ({ offender }) => {
      offender.say(WANT, 0, 1, 1, 0)
      await offender.hears(ITEM, 1)
      offender.say(CLAIMED, 1)
      offender.say(WANT, 1, 0, 0, 0)
      offender.say(WANT, 0x8000_0001, 1, MOST, 0)
      offender.say(WANT, 0, 0, 0, 0)
    },
    cutOff: false,
    left: [2, 3],
  },
  {
    does: 'wants, in a body that is cut short',
    items: 2,
    act: ({ offender }) => offender.say(WANT),
    cutOff: false,
    left: [1, 2],
  },
  {
    does: 'tries a hundred times, and claims nothing',
    items: 3,
    act: async ({ offender }) => {
      for (let call = 1; call <= 100; call++) offender.say(TRY, call, call - 1, 0)
      await offender.hears(ITEM, 3)
    },
    cutOff: false,
    left: [1, 2, 3],
  },
  { does: 'says that it has noticed what did not happen', ...ignored([NOTICED]) },
  { does: 'says that it has opened what it was not offered', ...ignored([OPENED, 1], [OPENED, 0], [OPENED, 1]) },

  // Watches, tasks, calls.
  {
    does: 'watches twice with one number',
    items: 0,
    act: ({ offender }) => {
      offender.say(WATCH, 1, 0)
      offender.say(WATCH, 1, 0)
    },
    cutOff: true,
    left: [],
  },
  {
    does: 'awaits the tasks twice with one number',
    items: 1,
    act: ({ offender }) => {
      offender.say(AWAIT_TASKS, 1)
      offender.say(AWAIT_TASKS, 1)
    },
    cutOff: true,
    left: [1],
  },
  {
    does: 'has done more tasks than there are',
    items: 1,
    act: async ({ offender }) => {
      for (let call = 1; call <= 3; call++) offender.say(TASK_DONE, call)
      await offender.hears(REFUSED, 3, protocol.REASON_WAIT)
    },
    cutOff: false,
    left: [1],
  },
  {
    does: 'says of more items than there are that they are dealt with, and that it takes nothing',
    items: 1,
    act: ({ offender }) => {
      for (let i = 0; i < 3; i++) offender.say(TASK_OVER)
      offender.say(IDLE)
    },
    cutOff: false,
    left: [1],
  },
  { does: 'cancels what it has not called', ...ignored([CANCEL, 1], [CANCEL, MOST]) },
  {
    does: "cancels another holder's call",
    maxsize: 1,
    items: 1,
    act: async ({ home, offender }) => {
      const other = RawHolder.joining(wire => home.admit(wire, transport))
      other.say(RESERVE, 7, 0)
      other.say(SETTLE, 8)
      await other.hears(SETTLED, 8)
      offender.say(CANCEL, 7)
      offender.say(SETTLE, 8)
      await offender.hears(SETTLED, 8)
      home.take(true)
      await other.hears(GRANTED, 7)
      other.sayItem(FILL, 5)
      await until(() => home.size === 1)
    },
    cutOff: false,
    left: [5],
  },
  {
    does: 'asks a thousand times for the counts',
    maxsize: 3,
    items: 2,
    act: async ({ offender }) => {
      for (let call = 1; call <= 1000; call++) offender.say(QUERY, call)
      await offender.hears(protocol.COUNTS, 1000, 2)
    },
    cutOff: false,
    left: [1, 2],
  },

  // Holders.
  { does: 'lets somebody join, without an end', ...unwanted(JOIN) },
  {
    does: 'lets a live object join',
    items: 1,
    act: ({ offender }) => offender.sayRaw(JOIN, NONE, [new LiveObject({})]),
    cutOff: true,
    left: [1],
  },
  {
    does: 'lets somebody join who is gone',
    items: 1,
    act: ({ offender }) => {
      const [near, far] = LocalWire.pair()
      far.close()
      offender.sayRaw(JOIN, NONE, [new RelayedEnd(near)])
    },
    cutOff: false,
    left: [1],
  },
  {
    does: 'lets home join itself',
    items: 1,
    act: ({ offender }) => {
      for (const end of LocalWire.pair()) offender.sayRaw(JOIN, NONE, [new RelayedEnd(end)])
    },
    cutOff: false,
    left: [1],
  },
  {
    does: 'takes another name',
    items: 1,
    act: ({ offender }) => {
      offender.sayRaw(HELLO, Buffer.from('me'))
      offender.sayRaw(HELLO, Buffer.from('somebody else'))
    },
    cutOff: true,
    left: [1],
  },
  {
    does: 'has a name of a megabyte',
    items: 1,
    act: ({ offender }) => offender.sayRaw(HELLO, new Uint8Array(1024 * 1024)),
    cutOff: true,
    left: [1],
  },

  // The wrong direction, and what is no message.
  { does: 'grants a slot', ...unwanted(GRANTED, 1, 5) },
  { does: 'refuses a call', ...unwanted(REFUSED, 1, 1) },
  { does: 'says that a call is done', ...unwanted(protocol.DONE, 1) },
  { does: 'tells the counts', ...unwanted(protocol.COUNTS, 1, 0, 0, 0) },
  { does: 'says that all is settled', ...unwanted(SETTLED, 1) },
  { does: 'sends an item', ...unwanted(ITEM, 1, 7) },
  { does: 'sends items', ...unwanted(protocol.ITEMS, 1, 1, 7) },
  { does: 'says that the queue was shut down', ...unwanted(protocol.WAS_SHUT_DOWN) },
  { does: 'says that nothing will come', ...unwanted(protocol.EXHAUSTED) },
  { does: 'offers a board', ...unwanted(protocol.BOARD, 0) },
  { does: 'lets home go on', ...unwanted(protocol.GO_ON) },
  { does: 'sends a message of a type that nobody knows', ...unwanted(63) },
  ...[0, 7, 10, 11, 14, 15].map((type): Row => ({ does: `sends a link's own type ${type}`, ...unwanted(type, 1, 2) })),
  ...Object.entries({
    'credit in three bytes': [1, 3, 0, 0, 0, 1, 1, 1],
    'a move without an end': [3, 0, 0, 0, 0],
    'an answer to no move': [4, 0, 0, 0, 0],
    'half a header': [16, 0],
    'a body that is longer than the frame': [16, 9, 0, 0, 0, 1],
    'a table behind the frame': [16 | 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 50, 0, 0, 0],
    'a fragment without its head': [2, 1, 0, 0, 0, 1],
    'a fragment that is longer than its message': [2, 7, 0, 0, 0, 0, 1, 0, 0, 0, 9, 9],
    'the last fragment of a message that is not whole': [2, 6, 0, 0, 0, 1, 9, 0, 0, 0, 16],
    'a fragment of a fragment': [2, 10, 0, 0, 0, 1, 5, 0, 0, 0, 2, 0, 0, 0, 0],
    'a fragment of 4 GiB': [2, 6, 0, 0, 0, 0, 255, 255, 255, 255, 16],
  }).map(
    ([what, bytes]): Row => ({
      does: `sends ${what}`,
      items: 2,
      act: ({ offender }) => offender.sendFrame(Uint8Array.from(bytes)),
      cutOff: true,
      left: [1, 2],
    }),
  ),
  {
    does: 'gives credit for what was not sent, says that it has left, and goes on',
    items: 2,
    act: ({ offender }) => {
      offender.sendFrame(Uint8Array.of(1, 4, 0, 0, 0, 255, 255, 255, 255))
      offender.sendFrame(Uint8Array.of(5, 0, 0, 0, 0, 6, 0, 0, 0, 0))
    },
    cutOff: false,
    left: [1, 2],
  },
  {
    does: 'moves home to home',
    items: 2,
    act: ({ home, offender }) => {
      offender.sayRaw(3, NONE, [home.share()])
    },
    cutOff: false,
    left: [1, 2],
  },
]

function make(maxsize: number, items: number): { home: QueueHome; holder: () => RawHolder } {
  const identity = { id: 'home', name: 'home', pid: 1, daemon: false, path: [] }
  const home = new QueueHome(new Context(identity, null), transport, 'home.1', maxsize)
  for (let value = 1; value <= items; value++) home.put(itemOf(Uint8Array.of(value), 0, 1, undefined))
  return { home, holder: () => RawHolder.joining(wire => home.admit(wire, transport)) }
}

/** Gets everything that is there; 0 stands for an item without bytes. */
async function drain(home: QueueHome, holder: RawHolder): Promise<number[]> {
  const got: number[] = []
  while (home.size > 0) {
    const place = got.length + 1
    holder.say(WANT, got.length, 1, 1, 0)
    await holder.hears(ITEM, place)
    const at = holder.heard.findIndex(each => each[0] === ITEM && each[1] === place)
    const body = holder.bodies[at] as Uint8Array
    expect(body.length).toBeLessThanOrEqual(5)
    got.push(body[4] ?? 0)
    holder.say(CLAIMED, place)
    holder.say(WANT, place, 0, 0, 0)
    holder.say(SETTLE, place)
    await holder.hears(SETTLED, place)
  }
  return got
}

describe('a holder of a queue that', () => {
  it.each(rows)('$does', async ({ maxsize = 0, items, act, cutOff, left }) => {
    const { home, holder } = make(maxsize, items)
    const [offender, other] = [holder(), holder()]
    await act({ home, offender })
    if (cutOff) await until(() => offender.end !== undefined)
    else {
      offender.say(SETTLE, 999)
      await new Promise(resolve => setImmediate(resolve))
      await until(() => offender.has(SETTLED, 999) || offender.end === undefined)
      expect(offender.end).toBeUndefined()
    }
    offender.die()
    expect(await drain(home, other)).toEqual(left)
    expect(home.size).toBe(0)
    // Each slot is free again.
    for (let call = 1; call <= maxsize; call++) other.say(RESERVE, call, 0)
    const granted = () => other.heard.filter(([type]) => type === GRANTED)
    const slots = () => granted().reduce((sum, [, , more]) => sum + 1 + (more as number), 0)
    if (maxsize > 0) await until(() => slots() === maxsize)
    other.sayItem(maxsize > 0 ? FILL : PUT, 77)
    await until(() => home.size === 1)
    expect(home.take(true)?.bytes.at(-1)).toBe(77)
  })
})

it('a holder that does not say whether it could open its board is cut off when too much waits for that', async () => {
  const identity = { id: 'home', name: 'home', pid: 1, daemon: false, path: [] }
  const boards = stubTransport()
  const home = new QueueHome(new Context(identity, null), boards, 'home.1', 0)
  const offender = RawHolder.joining(wire => home.admit(wire, boards))
  offender.say(WANT, 0, 1, 1, 0)
  offender.say(SETTLE, 1)
  await offender.hears(SETTLED, 1)
  // Without such boards, nothing has to wait.
  if (!offender.has(protocol.BOARD)) return
  const want = [WANT, 16, 0, 0, 0, ...new Array<number>(16).fill(0)]
  const many = want.length * 50_000
  const frame = Uint8Array.from({ length: many }, (_, i) => want[i % want.length] as number)
  for (let i = 0; i < 25 && !offender.end; i++) {
    offender.sendFrame(frame)
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => offender.end !== undefined)
  home.put(itemOf(Uint8Array.of(5), 0, 1, undefined))
  expect(home.take(true)?.bytes[0]).toBe(5)
})
