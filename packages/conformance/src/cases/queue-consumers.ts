import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { group, needs } from '../case.js'
import { eventually, rejects, within } from '../harness.js'
import { assertAll, assertRising, killLessee } from '../kill-lessee.js'
import { patiently } from '../patience.js'
import * as targets from '../targets-consumers.js'
import { turns } from '../turns.js'

/** ms in which others get what a consumer has not taken, when it ends or computes. */
const SOON = 1_500

export const queueConsumers = group('Queue: consumers that give up, compute, or are killed', {
  'Q37 what comes after a get gave up is not lost with its context, however that ends': needs('isolation', async t => {
    for (const how of ['return', 'throw', 'uncaught', 'exit']) {
      const queue = new t.api.Queue<string>()
      const [near, far] = t.api.Pipe<unknown, string>()
      const child = await t.start(targets.giveUpAndEnd, [queue, far, how], { stdio: 'ignore' })
      assert.equal(await within(near.recv(), 'the get'), 'asked')
      // It asks, and gives up, and nobody here reads that before the item is put.
      const end = performance.now() + 150
      while (performance.now() < end);
      await queue.put('item')
      const came = await within(near.recv(), 'what came')
      await within(child.join(), 'the end')
      if (came === 'MP_EMPTY') assert.equal(await within(queue.get(), how, SOON), 'item')
      else assert.equal(came, 'item')
    }
  }),

  'Q37 what a get at the end of a long turn would be given is not lost when its context exits': needs(
    'isolation',
    async t => {
      for (let round = 0; round < 3; round++) {
        const queue = new t.api.Queue<number>()
        for (let i = 0; i < 200; i++) await queue.put(i)
        const path = t.file(`log-${round}`)
        const child = await t.start(targets.exitAfterLongTurn, [queue, path])
        await t.ends(child)
        const given = readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number)
        const rest: number[] = []
        while (!(await queue.empty())) rest.push(await queue.getNowait())
        assertAll([...given, ...rest], 200)
      }
    },
  ),

  'Q37 a large buffer on its way to a consumer that ends is not lost': needs('isolation', async t => {
    for (const how of ['return', 'exit', 'close', 'return', 'exit', 'close'] as const) {
      const queue = new t.api.Queue<Uint8Array>()
      const path = t.file('log')
      writeFileSync(path, '')
      const [near, far] = t.api.Pipe<unknown, string>()
      const child = await t.start(targets.getLargeAndEnd, [queue, path, far, how])
      assert.equal(await within(near.recv(), 'the word'), 'running')
      for (let i = 0; i < 40; i++) {
        // Some are small, and so travel in another way than those between them.
        await queue.put(new Uint8Array(i % 3 === 0 ? 100 : 200_000).fill(i))
        await turns(1)
      }
      if (how !== 'close') await t.ends(child)
      const rest: number[] = []
      const given = () => readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number)
      const all = async () => {
        // Refused while the consumer has the rest.
        const item = await queue.getNowait().catch(() => undefined)
        if (item) rest.push(item[0] as number)
        return given().length + rest.length >= 40
      }
      // What comes back from a context that goes on may take a while.
      await eventually(all, 'all items').catch(() => {})
      assertAll([...given(), ...rest], 40)
      if (how === 'close') {
        await near.send('end')
        await t.ends(child)
      }
      await near.close()
    }
  }),

  'Q38 several calls of one consumer that computes see the items in their order': async t => {
    const queue = new t.api.Queue<number>()
    const consumer = await t.start(targets.getSideBySide, [queue, 4])
    for (let i = 0; i < 1_000; i++) {
      await queue.put(i)
      if (i % 8 === 0) await turns(1)
    }
    for (let i = 0; i < 4; i++) await queue.put(-1)
    const got = await within(consumer.result(), 'the items')
    assertRising(got)
    assertAll(got, 1_000)
  },

  'Q38 beside consumers that give up, each sees the items of a producer in its order': async t => {
    const queue = new t.api.Queue<number>()
    const told = new t.api.Queue<number>()
    const consumer = await t.start(targets.getImpatiently, [queue, told])
    const producer = await t.start(targets.putUnevenly, [queue, 400])
    const own: number[] = []
    let over = false
    void producer.join().then(() => {
      over = true
    })
    for (;;) {
      try {
        own.push(await queue.get({ timeout: 50 }))
      } catch {
        if (over && (await queue.empty())) break
      }
    }
    await queue.put(-1)
    await t.ends(consumer)
    const others: number[] = []
    while (!(await told.empty())) others.push(await told.get())
    assert.equal(others.pop(), -1)
    assertRising(own)
    assertRising(others)
    assertAll([...own, ...others], 400)
  },

  'Q38 several consumers in a loop each see the items in order, and share them out': async t => {
    const queue = new t.api.Queue<number>()
    const consumers = await Promise.all([1, 2, 3].map(() => t.start(targets.getAll, [queue, 200])))
    for (let i = 0; i < 600; i++) await queue.put(i)
    const got = await Promise.all(consumers.map(each => within(each.result(), 'the items')))
    for (const each of got) assertRising(each)
    assertAll(got.flat(), 600)
    for (const each of consumers) await t.ends(each)
  },

  'Q39 what a consumer that computes has not taken goes to another one': needs('isolation', async t => {
    for (const where of ['here', 'in a child']) {
      const queue = new t.api.Queue<number>()
      const [near, far] = t.api.Pipe<unknown, string>()
      const [orders, theirs] = t.pipe<string, never>()
      // It has started before the other one computes.
      const other = where === 'here' ? undefined : await t.start(targets.getAllWhenTold, [queue, theirs as never, 399])
      const busy = await t.start(targets.getThenCompute, [queue, far, 200, patiently(3_000)])
      for (let i = 0; i < 600; i++) await queue.put(i)
      assert.equal(await within(near.recv(), 'the first items'), 'computes')
      const began = performance.now()
      // One item may be with the call that it has made; it computes, and will take that.
      let others: number[]
      if (!other) {
        others = []
        while (others.length < 399) others.push(await within(queue.get(), `item ${others.length}`, SOON))
      } else {
        await orders.send('go')
        others = await within(other.result(), 'the items', 2_500)
        await t.ends(other)
      }
      assert.ok(performance.now() - began < patiently(2_900), 'they came only when it had computed')
      const got = await within(busy.result(), 'its items')
      await t.ends(busy)
      while (!(await queue.empty())) others.push(await queue.get())
      assertRising(got)
      assertRising(others)
      assertAll([...got, ...others], 600)
    }
  }),

  'Q39 consumers that each take a share, and stop, leave none of the others waiting': async t => {
    const queue = new t.api.Queue<number>()
    const pipes = [1, 2, 3].map(() => t.pipe<number, number>())
    const consumers = await Promise.all(pipes.map(([, theirs]) => t.start(targets.getShares, [queue, theirs as never])))
    for (const share of [1, 4, 300, 1, 1_000]) {
      for (const [orders] of pipes) await orders.send(share)
      // All are put in a turn or two: one wake-up may have to serve all who wait.
      for (let i = 0; i < 3 * share; i++) await queue.put(i)
      for (const [orders] of pipes) assert.equal(await within(orders.recv(), `a share of ${share}`), share)
      assert.equal(await queue.qsize(), 0)
    }
    for (const [orders] of pipes) await orders.send(0)
    for (const consumer of consumers) await t.ends(consumer)
  },

  'Q33 a consumer that is killed takes with it what its program was given, and nothing else': needs(
    'isolation',
    async t => {
      for (let i = 0; i < 6; i++) await killLessee(t.api, t.file('log'), i % 2 === 0 ? 0 : 40, (i * 7) % 23)
    },
  ),

  'Q35 a consumer that is killed with items before it frees their slots only as they are taken': needs(
    'isolation',
    async t => void (await killLessee(t.api, t.file('log'), 20, 5)),
  ),

  'Q10 the bound holds while a consumer is sent items ahead': async t => {
    const queue = new t.api.Queue<number>(10)
    const [near, far] = t.api.Pipe<unknown, string>()
    const child = await t.start(targets.getThenCompute, [queue, far, 25, 200])
    for (let i = 0; i < 25; i++) {
      await queue.put(i)
      assert.ok((await queue.qsize()) <= 10)
    }
    assert.equal(await within(near.recv(), 'the first items'), 'computes')
    const got = await within(child.result(), 'its items')
    await t.ends(child)
    assertAll(got, 25)
    for (let i = 0; i < 10; i++) await queue.putNowait(i)
    assert.equal(await queue.full(), true)
    await rejects(queue.putNowait(10), 'MP_FULL')
  },

  'Q10 a producer elsewhere holds no slot that it does not fill': async t => {
    const queue = new t.api.Queue<number>(40)
    const [near, far] = t.api.Pipe<unknown, string>()
    const child = await t.start(targets.putFew, [queue, 7, far])
    assert.equal(await within(near.recv(), 'the puts'), 'put')
    for (let i = 7; i < 40; i++) await queue.putNowait(i)
    assert.equal(await queue.full(), true)
    await rejects(queue.putNowait(40), 'MP_FULL')
    const got: number[] = []
    while (!(await queue.empty())) got.push(await queue.get())
    assertAll(got, 40)
    await near.send('end')
    await t.ends(child)
  },

  'Q40 an item beyond the largest message is refused at the put': needs('process', async t => {
    const queue = new t.api.Queue<unknown>()
    const large = new Uint8Array(1024 * 1024 * 1024)
    await rejects(queue.put(large), 'MP_FRAME_TOO_LARGE')
    assert.equal(await queue.qsize(), 0)
    await queue.put('small')
    assert.equal(await queue.get(), 'small')
  }),
})
