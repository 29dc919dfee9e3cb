import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import type { Connection, Queue } from '@mp/core'
import { group, needs } from '../case.js'
import { eventually, rejects, timed, within } from '../harness.js'
import * as targets from '../targets-abandon.js'
import { turns } from '../turns.js'

/** ms in which every call must settle once its peer is gone. */
const SOON = 1_500

/** ms. A peer's wire ends with it. Core waits a second to hear of that, and then goes on without. */
const PROMPT = 700

const KIB = 1024

export const abandon = group('Death at any moment', {
  'Q33 a consumer that dies among its gets takes the one item with it that it was given, and the next gets go on':
    async t => {
      for (const moment of await t.moments(4)) {
        const items = Array.from({ length: 40 }, (_, index) => index)
        const queue = new t.api.Queue<number>()
        for (const item of items) await queue.put(item)
        const [mine, theirs] = t.pipe()
        const child = await t.start(targets.getAndTell, [queue, theirs])
        assert.equal(await within(mine.recv(), 'the word'), 'running')
        await t.abandon(child, moment)
        const told = await readAll(mine)
        const rest: number[] = []
        while (!(await queue.empty())) rest.push(await queue.getNowait())
        assert.deepEqual(told, items.slice(0, told.length))
        assert.deepEqual(rest, items.slice(items.length - rest.length))
        assert.ok(items.length - told.length - rest.length <= 1, `${told.length} told, ${rest.length} left`)
        const next = queue.get()
        await queue.put(99)
        assert.equal(await within(next, 'the next get', SOON), 99)
      }
    },

  'Q29 a producer that dies among large puts leaves whole items, in order, and a queue that works': async t => {
    for (const moment of await t.moments(3, 60)) {
      const queue = new t.api.Queue<Uint8Array>()
      const [mine, theirs] = t.pipe()
      const child = await t.start(targets.putLarge, [queue, 300 * KIB, theirs])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      await t.abandon(child, moment)
      await rejects(mine.recv(), 'MP_EOF', SOON)
      for (let i = 0; !(await queue.empty()); i++) assertWhole(await queue.getNowait(), 300 * KIB, i)
      await queue.put(new Uint8Array(1))
      assert.equal((await within(queue.get(), 'get', SOON)).length, 1)
    }
  },

  'Q35 a producer that dies among puts that wait leaves every slot to others': async t => {
    for (const moment of await t.moments(4)) {
      const queue = new t.api.Queue<number>(2)
      const [mine, theirs] = t.pipe()
      const child = await t.start(targets.putAhead, [queue, theirs])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      const got: number[] = []
      for (let i = 0; i < 5; i++) got.push(await within(queue.get(), 'get'))
      await t.abandon(child, moment)
      // The puts that had reached the queue, and waited there, got no slot: their items were not put.
      while (!(await queue.empty())) got.push(await queue.getNowait())
      assert.deepEqual(
        got,
        got.map((_, index) => index),
      )
      await within(Promise.all([queue.putNowait(1), queue.putNowait(2)]), 'puts', SOON)
      await rejects(queue.putNowait(3), 'MP_FULL', SOON)
    }
  },

  'C19 a peer that dies while it sends, and has read nothing, leaves whole messages, then the end of file': async t => {
    for (const moment of await t.moments(3, 60)) {
      const [mine, theirs] = t.pipe()
      const child = await t.start(targets.sendLarge, [theirs, 300 * KIB])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      // More than may be unread: some of these wait.
      const sends = Array.from({ length: 8 }, () =>
        mine.send(new Uint8Array(2 * KIB * KIB)).catch(error => assert.equal(error.code, 'MP_BROKEN_PIPE')),
      )
      await t.abandon(child, moment)
      await within(Promise.all(sends), 'the sends', SOON)
      for (const [index, bytes] of (await readAll(mine)).entries()) assertWhole(bytes as Uint8Array, 300 * KIB, index)
      await rejects(mine.send(1), 'MP_BROKEN_PIPE', SOON)
    }
  },

  'C15 the end of file of a peer that died comes with its death, not when core has waited in vain for it': async t => {
    const ms: number[] = []
    // A busy machine may be late once.
    for (let i = 0; i < 3; i++) {
      const [mine, theirs] = t.pipe()
      const child = await t.start(targets.hold, [theirs])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      const recv = rejects(mine.recv(), 'MP_EOF')
      ms.push((await timed(() => Promise.all([recv, t.abandon(child, { how: 'kill', turns: 0 })]))).ms)
      if ((ms[i] as number) < PROMPT) return
    }
    assert.fail(`it took ${ms.map(Math.round).join(', ')} ms, never less than ${PROMPT}`)
  },

  'C15 sends to a peer that has just died are dropped or refused, and do nothing else': async t => {
    for (const moment of await t.moments(3, 5)) {
      const [mine, theirs] = t.pipe()
      const queue = new t.api.Queue<number>()
      const child = await t.start(targets.hold, [theirs])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      let gone = false
      const abandoned = t.abandon(child, moment).finally(() => {
        gone = true
      })
      const refused = new Set<unknown>()
      while (!gone) {
        await within(
          mine.send({ queue, bytes: new Uint8Array(100) }).catch(error => refused.add(error.code)),
          'send',
          SOON,
        )
        await turns(1)
      }
      await abandoned
      assert.deepEqual(
        [...refused].filter(code => code !== 'MP_BROKEN_PIPE'),
        [],
      )
      await queue.put(1)
      assert.equal(await queue.get(), 1)
    }
  },

  'C15 a peer that dies holding ends, read and unread, closes them all': async t => {
    for (const moment of await t.moments(3)) {
      const [mine, theirs] = t.pipe()
      const child = await t.start(targets.hold, [theirs])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      const pipes = [t.pipe(), t.pipe(), t.pipe()]
      const recvs = pipes.map(([near]) => rejects(near.recv(), 'MP_EOF'))
      for (const [, far] of pipes) await mine.send({ far })
      await t.abandon(child, moment)
      await within(Promise.all(recvs), 'the ends of file', SOON)
    }
  },

  'Q36 a creator that dies among calls on its queue settles every one of them': async t => {
    for (const moment of await t.moments(3)) {
      const [mine, theirs] = t.pipe<never, Queue<number>>()
      const child = await t.start(targets.makeQueue, [t.module, theirs as never])
      const queue = await within(mine.recv(), 'the queue')
      const calls = Array.from({ length: 12 }, (_, index) => (index % 3 ? queue.get() : queue.put(index)))
      const settled = Promise.all(calls.map(call => call.catch(error => assert.equal(error.code, 'MP_SHUT_DOWN'))))
      await t.abandon(child, moment)
      await within(settled, 'the calls', SOON)
      await rejects(queue.get(), 'MP_SHUT_DOWN', SOON)
    }
  },

  'LK8 a process that dies while it takes and gives back a lock leaves it to the next': async t => {
    for (const moment of await t.moments(4)) {
      const lock = new t.api.Lock()
      const [mine, theirs] = t.pipe()
      const child = await t.start(targets.lockAgainAndAgain, [lock, theirs])
      assert.equal(await within(mine.recv(), 'the word'), 'running')
      await t.abandon(child, moment)
      // The first holder is told whether the dead one held the lock.
      for (let i = 0; i < 2; i++) {
        const guard = await within(lock.acquire(), 'acquire', SOON)
        assert.ok(guard)
        if (i > 0) assert.equal(guard.abandoned, false)
        await guard.release()
      }
    }
  },

  'P58 P16 the daemons of a process that is killed end by themselves; its other children are told': needs(
    'crash',
    async t => {
      const [daemonPath, otherPath] = [t.file('daemon'), t.file('other')]
      const child = await t.start(targets.startBoth, [t.module, daemonPath, otherPath])
      const notes = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [])
      await eventually(() => notes(daemonPath)[0] && notes(otherPath)[0], 'the grandchildren')
      const [daemon, other] = [notes(daemonPath)[0] as string, notes(otherPath)[0] as string]
      assert.match(`${daemon}, ${other}`, /^\d+ true, \d+ true$/)
      await t.abandon(child, { how: 'kill', turns: 0 })
      await eventually(() => !isAlive(Number.parseInt(daemon, 10)), 'the end of the daemon', 3_000)
      await eventually(() => notes(otherPath)[1], 'the word of the other', 3_000)
      assert.equal(notes(otherPath)[1], other.replace('true', 'false'))
      await eventually(() => !isAlive(Number.parseInt(other, 10)), 'the end of the other', 3_000)
    },
  ),
})

/** All that can still be received, up to the end of file. */
async function readAll(end: Connection): Promise<unknown[]> {
  const all: unknown[] = []
  for (;;) {
    const next = await within(
      end.recv().then(
        value => [value],
        error => error,
      ),
      'recv',
      SOON,
    )
    if (Array.isArray(next)) all.push(next[0])
    else {
      assert.equal(next.code, 'MP_EOF')
      return all
    }
  }
}

function assertWhole(bytes: Uint8Array, size: number, filledWith: number): void {
  assert.equal(bytes.length, size)
  assert.ok(Buffer.compare(bytes, new Uint8Array(size).fill(filledWith)) === 0, 'a torn message')
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
