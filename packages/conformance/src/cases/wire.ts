import assert from 'node:assert/strict'
import { MessageChannel, MessagePort } from 'node:worker_threads'
import type { Ticket } from '@mp/core/spi'
import { group, needs } from '../case.js'
import { eventually, within } from '../harness.js'
import { type Holdings, holdings, leftBeyond, moreOf } from '../leaks.js'
import {
  acquainted,
  assertFrame,
  closeAll,
  difference,
  openPair,
  pair,
  pattern,
  travelled,
  WireEnd,
} from '../wire-end.js'

/** Bytes of the largest frame that is tried if the medium names no limit, and if it names one that no case can afford. */
const LARGE = 1024 * 1024
const AFFORDABLE = 64 * 1024 * 1024
/** Sizes near those at which media change how they carry a frame. */
const SIZES = [1, 2, 7, 255, 256, 1_023, 1_024, 1_025, 4_096, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 200_000]

/** What the direct wires of a transport promise core. No core takes part: both ends are opened here. */
export const wire = group('Wire', {
  'frames arrive whole and in order, both ways at once': needs('directWires', async t => {
    const [a, b] = openPair(t)
    const sizes = Array.from({ length: 20 }, () => SIZES).flat()
    const sent = Promise.all([a.sendAll(sizes.map(pattern)), b.sendAll(sizes.map(pattern))])
    await within(sent, 'sends')
    for (const end of [a, b]) {
      await end.received(sizes.length)
      for (const [i, { bytes }] of end.frames.entries()) assertFrame(bytes, sizes[i] as number, i)
    }
    closeAll(a, b)
  }),

  'what rides beside a frame arrives with it, in order': needs('directWires', 'attachments', async t => {
    const [a, b] = openPair(t)
    const { port1, port2 } = new MessageChannel()
    const shared = t.capabilities.sharedMemory ? [new SharedArrayBuffer(4)] : []
    const buffer = Uint8Array.of(1, 2, 3).buffer
    a.send(pattern(10, 0))
    a.send(pattern(10, 1), [buffer, port2, ...shared])
    a.send(pattern(10, 2))
    a.send(pattern(5_000, 3), [Uint8Array.of(4).buffer])
    await b.received(4)
    const lengths = [10, 10, 10, 5_000]
    for (const [i, { bytes }] of b.frames.entries()) assertFrame(bytes, lengths[i] as number, i)
    const [none, several = [], alsoNone, one = []] = b.frames.map(frame => frame.attachments ?? [])
    assert.deepEqual([none?.length, several.length, alsoNone?.length, one.length], [0, 2 + shared.length, 0, 1])
    assert.deepEqual(new Uint8Array(several[0] as ArrayBuffer), Uint8Array.of(1, 2, 3))
    assert.deepEqual(new Uint8Array(one[0] as ArrayBuffer), Uint8Array.of(4))
    const port = several[1] as MessagePort
    assert.ok(port instanceof MessagePort, 'a port arrives as a port')
    const answer = new Promise(resolve => port1.once('message', resolve))
    port.postMessage('through')
    assert.equal(await within(answer, 'the word through the port'), 'through')
    for (const each of shared) {
      new Uint8Array(each)[0] = 7
      assert.equal(new Uint8Array(several[2] as SharedArrayBuffer)[0], 7, 'the same memory')
    }
    port1.close()
    closeAll(a, b)
  }),

  'buffers beside a frame arrive with it, in order and in memory of their own': needs(
    'directWires',
    'buffers',
    async t => {
      const [a, b] = openPair(t)
      // Before the ends have met, and after.
      for (let round = 0; round < 2; round++) {
        const sizes = [[100_000], [], [1, 40_000, 0], [], [LARGE]]
        for (const [i, each] of sizes.entries()) {
          const buffers = each.map((size, j) => (size > 0 ? pattern(size, i + j).buffer : new ArrayBuffer(0)))
          a.send(pattern(10 + i, i), buffers.length > 0 ? buffers : undefined)
        }
        await b.received(sizes.length)
        for (const [i, { bytes, attachments = [] }] of b.frames.entries()) {
          assertFrame(bytes, 10 + i, i)
          const wanted = sizes[i] as number[]
          assert.deepEqual(
            attachments.map(each => (each as ArrayBuffer).byteLength),
            wanted,
          )
          for (const [j, each] of attachments.entries()) {
            if (wanted[j]) assertFrame(new Uint8Array(each as ArrayBuffer), wanted[j], i + j)
          }
        }
        b.frames.length = 0
        await acquainted(a, b)
      }
      closeAll(a, b)
    },
  ),

  'a frame of one byte and one of maxFrame bytes arrive': needs('directWires', async t => {
    const [a, b] = openPair(t)
    const largest = Math.min(a.wire.maxFrame ?? LARGE, AFFORDABLE)
    const sizes = [1, largest, 1, largest - 1]
    await within(a.sendAll(sizes.map(pattern)), 'sends')
    await b.received(sizes.length)
    for (const [i, { bytes }] of b.frames.entries()) assertFrame(bytes, sizes[i] as number, i)
    closeAll(a, b)
  }),

  'a frame whose bytes lie in several places arrives as one': needs('directWires', async t => {
    const [a, b] = openPair(t)
    await acquainted(a, b)
    for (const size of [3, 300_000]) {
      const whole = pattern(size, 5)
      const parts = [0, 1, 2].map(i => whole.slice((i * size) / 3, ((i + 1) * size) / 3))
      // `sendParts` is optional: without it core copies.
      if (a.wire.sendParts) a.wire.sendParts(parts)
      else a.send(whole)
      a.send(pattern(9, 6))
      await b.received(2)
      assertFrame(b.frames[0]?.bytes, size, 5)
      assertFrame(b.frames[1]?.bytes, 9, 6)
      b.frames.length = 0
    }
    closeAll(a, b)
  }),

  'each frame has memory of its own, also in the hands of who received it': needs('directWires', async t => {
    const [a, b] = openPair(t)
    const sizes = Array.from({ length: 12 }, () => SIZES).flat()
    // The receiver writes into each frame at once. No other frame may change.
    let wrong: string | undefined
    b.onFrame = (bytes, i) => {
      wrong ??= difference(bytes, sizes[i] as number, i)
      bytes.fill(i)
    }
    await within(a.sendAll(sizes.map(pattern)), 'sends')
    await b.received(sizes.length)
    assert.equal(wrong, undefined)
    for (const [i, { bytes }] of b.frames.entries())
      assert.ok(
        bytes.every(each => each === (i & 255)),
        `frame ${i} is not as its receiver left it`,
      )
    closeAll(a, b)
  }),

  'nothing is called from within start or send': needs('directWires', async t => {
    const [one, two] = pair(t)
    const a = new WireEnd(t, one)
    for (let i = 0; i < 5; i++) a.send(pattern(100, i))
    const b = new WireEnd(t, two, 'idle')
    await calm()
    b.start()
    b.send(pattern(100, 0))
    await Promise.all([b.received(5), a.received(1)])
    for (let i = 0; i < 50; i++) {
      a.send(pattern(50_000, i))
      b.send(pattern(50_000, i))
    }
    await Promise.all([b.received(55), a.received(51)])
    a.wire.close()
    b.send(pattern(10, 0))
    await b.heardClose()
    b.send(pattern(10, 0))
    b.wire.close()
    assert.deepEqual([...a.within, ...b.within], [], 'what was called, and from within what')
  }),

  'frames that came before the start are kept, in order, and so is the close': needs('directWires', async t => {
    for (const closes of [false, true]) {
      const [one, two] = pair(t)
      const a = new WireEnd(t, one)
      const b = new WireEnd(t, two, 'idle')
      for (let i = 0; i < 20; i++) a.send(pattern(SIZES[i % SIZES.length] as number, i))
      if (closes) a.wire.close()
      await calm()
      b.start()
      await b.received(20)
      if (!closes) {
        a.send(pattern(3, 20))
        await b.received(21)
        a.wire.close()
      }
      await b.heardClose()
      for (const [i, { bytes }] of b.frames.entries())
        assertFrame(bytes, i === 20 ? 3 : (SIZES[i % SIZES.length] as number), i)
      assert.equal(b.frames.length, closes ? 20 : 21)
      b.wire.close()
    }
  }),

  'frames that were sent before the other end is open arrive, and so does the close': needs('directWires', async t => {
    for (const first of [0, 1] as const) {
      const tickets = pair(t)
      const a = new WireEnd(t, tickets[first])
      for (let i = 0; i < 20; i++) a.send(pattern(i * 1_000 + 1, i))
      await calm()
      a.send(pattern(5, 20))
      a.wire.close()
      await calm()
      const b = new WireEnd(t, tickets[1 - first] as Ticket)
      await b.heardClose()
      assert.equal(b.frames.length, 21)
      for (const [i, { bytes }] of b.frames.entries()) assertFrame(bytes, i === 20 ? 5 : i * 1_000 + 1, i)
      b.wire.close()
    }
  }),

  'a close is heard at the other side, once, after all that was sent': needs('directWires', async t => {
    const [a, b] = openPair(t)
    await acquainted(a, b)
    // More than a medium takes at once: the rest leaves in later turns.
    for (let i = 0; i < 40; i++) a.send(pattern(100_000, i))
    a.wire.close()
    a.wire.close()
    await b.heardClose()
    assert.equal(b.frames.length, 40)
    for (const [i, { bytes }] of b.frames.entries()) assertFrame(bytes, 100_000, i)
    b.wire.close()
    b.wire.close()
    await calm()
    assert.deepEqual(b.closes, [undefined], 'told once, and of no error')
    assert.equal(b.frames.length, 40)
    assert.deepEqual(a.closes, [], 'who closes does not hear it')
  }),

  'neither side hears a close after its own': needs('directWires', async t => {
    const [a, b] = openPair(t)
    await acquainted(a, b)
    a.wire.close()
    b.wire.close()
    await calm()
    assert.deepEqual([a.closes, b.closes], [[], []])
  }),

  'a send to a side that has closed is dropped': needs('directWires', async t => {
    const [a, b] = openPair(t)
    await acquainted(a, b)
    b.wire.close()
    // At first this side cannot know of the close; later it does.
    for (let i = 0; i < 30; i++) a.send(pattern(100_000, i))
    await a.heardClose()
    for (let i = 0; i < 3; i++) a.send(pattern(100_000, i))
    await calm()
    assert.deepEqual(a.closes, [undefined])
    a.wire.close()
  }),

  'a send that gives false is followed by drain': needs('directWires', async t => {
    const [a, b] = openPair(t)
    await acquainted(a, b)
    const size = 64 * 1024
    for (let round = 0, from = 0; round < 3; round++) {
      let count = 0
      let more = true
      // 32 MiB a round: a medium that takes so much never gives false.
      while (more && count < 512) more = a.send(pattern(size, from + count++))
      if (!more) await eventually(() => a.drained, 'drain')
      await b.received(from + count)
      for (let i = from; i < from + count; i++) assertFrame(b.frames[i]?.bytes, size, i)
      from += count
      if (more) break
    }
    closeAll(a, b)
  }),

  'receiveSync gives the next frame, or false when the time is over': needs('directWires', async t => {
    const [a, b] = openPair(t)
    await acquainted(a, b)
    const receive = b.wire.receiveSync?.bind(b.wire)
    if (receive) {
      for (let i = 0; i < 3; i++) a.send(pattern(2_000, i))
      // This is the only call within which the sink is called.
      for (let count = 1; count <= 3; count++) {
        assert.equal(receive(1_000), true)
        assert.equal(b.frames.length, count)
      }
      assert.equal(receive(10), false)
    } else for (let i = 0; i < 3; i++) a.send(pattern(2_000, i))
    a.send(pattern(2_000, 3))
    await b.received(4)
    await calm()
    assert.equal(b.frames.length, 4)
    for (const [i, { bytes }] of b.frames.entries()) assertFrame(bytes, 2_000, i)
    closeAll(a, b)
  }),

  'an idle wire does not keep the event loop alive': needs('directWires', async t => {
    const before = process.getActiveResourcesInfo()
    const [a, b] = openPair(t)
    const loose = new WireEnd(t, pair(t)[0])
    await acquainted(a, b)
    await eventually(
      () => moreOf(process.getActiveResourcesInfo(), before).length === 0,
      'wires that hold nothing',
      1_000,
    ).catch(error => {
      error.message += `: they hold ${moreOf(process.getActiveResourcesInfo(), before).join(', ')}`
      throw error
    })
    closeAll(a, b, loose)
  }),

  'a ticket is plain data, or lists what rides': needs('directWires', async t => {
    const [a, b] = pair(t).map(ticket => new WireEnd(t, { value: travelled(t, ticket) })) as [WireEnd, WireEnd]
    a.send(pattern(10, 1))
    b.send(pattern(10, 2))
    await Promise.all([b.received(1), a.received(1)])
    assertFrame(b.frames[0]?.bytes, 10, 1)
    assertFrame(a.frames[0]?.bytes, 10, 2)
    closeAll(a, b)
  }),

  'tickets that are never opened hold nothing': needs('directWires', async t => {
    // Makes the transport open what it opens once in a program.
    closeAll(...openPair(t))
    const before = await settled()
    const kept = Array.from({ length: 500 }, () => pair(t))
    await calm()
    assert.deepEqual(await leftBeyond(before), [], `${kept.length} unopened pairs hold it`)
    // An end that closes while the other one is unopened must hold nothing either; the check after the case finds out.
    const alone = new WireEnd(t, pair(t)[0])
    alone.send(pattern(100, 0))
    await calm()
    alone.wire.close()
  }),

  'what is no ticket is refused, or gives a wire that closes with an error': needs('directWires', async t => {
    for (const value of [undefined, null, 0, 'ticket', {}, [], new Uint8Array(16), { token: 'x' }, () => {}]) {
      let end: WireEnd
      try {
        end = new WireEnd(t, { value })
      } catch (error) {
        assert.ok(error instanceof Error, `an error for ${String(value)}`)
        continue
      }
      await end.heardClose()
      assert.ok(end.closes[0] instanceof Error, `an error for ${String(value)}`)
      end.wire.close()
    }
  }),
})

/** Gives what should not come time to come. May miss what comes later, but never fails without cause. */
function calm(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 30))
}

/** What is held once the count of descriptors no longer changes. */
async function settled(): Promise<Holdings> {
  let last = holdings()
  for (let quiet = 0; quiet < 3; quiet++) {
    await calm()
    const now = holdings()
    if (now.descriptors !== last.descriptors) quiet = -1
    last = now
  }
  return last
}
