import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { group, needs } from '../case.js'
import { eventually, rejects, within } from '../harness.js'
import * as targets from '../targets-consumers.js'
import type { Trial } from '../trial.js'

/** ms in which others get what a consumer has not taken, when it ends or computes. */
const SOON = 1_500
/** Consumers that are killed, each at a moment of its own. The environment may ask for more. */
const kills = () => Number(process.env.MP_CONFORMANCE_KILLS ?? 6)

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
      const busy = await t.start(targets.getThenCompute, [queue, far, 200, 3_000])
      for (let i = 0; i < 600; i++) await queue.put(i)
      assert.equal(await within(near.recv(), 'the first items'), 'computes')
      const began = performance.now()
      // One item may be with the call that it has made; it computes, and will take that.
      let others: number[]
      if (where === 'here') {
        others = []
        while (others.length < 399) others.push(await within(queue.get(), `item ${others.length}`, SOON))
      } else {
        const other = await t.start(targets.getAll, [queue, 399])
        others = await within(other.result(), 'the items', 2_500)
        await t.ends(other)
      }
      assert.ok(performance.now() - began < 2_900, 'they came only when it had computed')
      const got = await within(busy.result(), 'its items')
      await t.ends(busy)
      while (!(await queue.empty())) others.push(await queue.get())
      assertRising(got)
      assertRising(others)
      assertAll([...got, ...others], 600)
    }
  }),

  'Q33 a consumer that is killed takes with it what its program was given, and nothing else': needs(
    'isolation',
    async t => {
      for (let i = 0; i < kills(); i++) await killOne(t, i % 2 === 0 ? 0 : 40, (i * 7) % 23)
    },
  ),

  'Q35 a consumer that is killed with items before it frees their slots only as they are taken': needs(
    'isolation',
    async t => killOne(t, 20, 5),
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

/** A consumer logs what it gets; it is killed; then what is left must be the rest. */
async function killOne(t: Trial, maxsize: number, ms: number): Promise<void> {
  const queue = new t.api.Queue<number>(maxsize)
  const path = t.file('log')
  writeFileSync(path, '')
  const [near, far] = t.api.Pipe<unknown, string>()
  const child = await t.start(targets.getAndLog, [queue, path, far])
  assert.equal(await within(near.recv(), 'the consumer'), 'running')
  let next = 0
  let killed = false
  const puts = (async () => {
    // Not so many that to take them all again would be the test.
    while (!killed && next < 5_000) await queue.put(next++)
  })()
  await eventually(() => readFileSync(path).length > 0, 'an item')
  await new Promise(resolve => setTimeout(resolve, ms))
  child.kill()
  await within(child.join(), 'the end', SOON)
  killed = true
  const rest: number[] = []
  // A put that waited for a slot goes on when one is free.
  let settled = false
  void puts.then(() => {
    settled = true
  })
  while (!settled || !(await queue.empty())) rest.push(await queue.get({ timeout: SOON }))
  await puts
  const logged = readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number)
  // The one that it was given, and had not yet written down.
  const missing = next - logged.length - rest.length
  assert.ok(missing === 0 || missing === 1, `${missing} of ${next} are gone beyond those that its program was given`)
  assertAll(missing === 1 ? [...logged, logged.length, ...rest] : [...logged, ...rest], next)
  assertRising(logged)
  assertRising(rest)
}

function assertRising(items: readonly number[]): void {
  for (let i = 1; i < items.length; i++) {
    assert.ok((items[i] as number) > (items[i - 1] as number), `${items[i]} came after ${items[i - 1]}`)
  }
}

/** Each of the numbers below `count`, once. */
function assertAll(items: readonly number[], count: number): void {
  assert.deepEqual(
    [...items].sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i),
  )
}
