import { describe, expect, it } from 'vitest'
import { offerBoard } from '../src/board/offer.js'
import { Context } from '../src/context/context.js'
import { Envelope, encodeMessage } from '../src/context/message-writer.js'
import * as protocol from '../src/queue/protocol.js'
import { RemoteQueue } from '../src/queue/remote.js'
import { appendBytes, appendText, appendU32, ByteBuffer } from '../src/runtime/byte-buffer.js'
import { RawHolder as RawHome, transport, until } from './raw-holder.js'
import { stubTransport } from './stub-transport.js'

const { BOARD, CLAIMED, DONE, IDLE, ITEMS, OPENED, TASK_DONE, TASK_OVER, WANT } = protocol

function body(write: (out: ByteBuffer) => void): Uint8Array {
  const out = new ByteBuffer(256)
  write(out)
  return out.bytes.slice(0, out.length)
}

/** A queue of which items have come, to be claimed on a board that the home has. The first is taken. */
async function makeLessee(values = ['a', 'b', 'c']) {
  let queue: RemoteQueue | undefined
  const context = new Context({ id: 'holder', name: 'holder', pid: 1, daemon: false, path: [] }, null)
  const packed = { id: 'queue', maxsize: 0, shutDown: false, end: 0 }
  const home = RawHome.joining(wire => {
    queue = new RemoteQueue(context, transport, packed, wire).use()
  })
  const offered = offerBoard({}, stubTransport())
  if (!queue || !offered) throw new Error('there are no boards here')
  const { board, slot, text, close } = offered
  const place = body(out => {
    appendU32(out, slot)
    appendText(out, text)
  })
  home.sayRaw(BOARD, place)
  await home.hears(OPENED, 1)
  const get = () => (queue as RemoteQueue).get(undefined, false, () => {})
  const first = get()
  await home.hears(WANT)
  const items = body(out => {
    appendU32(out, 1)
    for (const value of values) {
      const item = body(bytes => encodeMessage(value, bytes, new Envelope(transport)))
      appendU32(out, item.length)
      appendBytes(out, item, 0, item.length)
    }
  })
  board.sent(values.length, values.length)
  home.sayRaw(ITEMS, items)
  expect(await first).toBe('a')
  return { home, board, get, taskDone: () => (queue as RemoteQueue).taskDone(), close }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

describe('a queue whose home is elsewhere', () => {
  it('says that it takes none of the items that it has, when others wait for them', async () => {
    const { home, board, get, close } = await makeLessee()
    board.ask(5, 3)
    expect(await get()).toBe('b')
    await home.hears(IDLE)
    expect(home.has(CLAIMED)).toBe(false)
    close()
  })

  it('does not say so while it takes them, though each takes it a turn', async () => {
    const { home, board, get, close } = await makeLessee(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    board.ask(5, 7)
    for (const item of ['b', 'c', 'd', 'e', 'f']) {
      expect(await get()).toBe(item)
      await turns(1)
    }
    expect(home.has(IDLE)).toBe(false)
    await home.hears(IDLE)
    close()
  })

  it('tells that an item is dealt with that it has taken, once, and asks about any other', async () => {
    const { home, get, taskDone, close } = await makeLessee()
    expect(await get()).toBe('b')
    // Home says nothing.
    expect([await taskDone(), await taskDone()]).toEqual([true, true])
    await until(() => home.heard.filter(([type]) => type === TASK_OVER).length === 2)
    const third = taskDone()
    await home.hears(TASK_DONE)
    const [, call] = home.heard.find(([type]) => type === TASK_DONE) as [number, number]
    home.say(DONE, call)
    expect(await third).toBe(true)
    close()
  })

  it('does not say so when nobody waits', async () => {
    const { home, get, close } = await makeLessee()
    expect(await get()).toBe('b')
    await turns(10)
    expect(home.has(IDLE)).toBe(false)
    close()
  })
})
