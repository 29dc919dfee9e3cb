import assert from 'node:assert/strict'
import type { Barrier } from '@mp/core'
import { group, needs } from '../case.js'
import { assertPending, assertTook, eventually, rejects, throws, timed, within } from '../harness.js'
import * as targets from '../targets-sync.js'
import type { Trial } from '../trial.js'
import { turns } from '../turns.js'

export const barrier = group('Barrier', {
  'BR1 all pass in lockstep, 10 times': async t => {
    const barrier = new t.api.Barrier(3)
    const order = new t.api.Queue<number>()
    const children = []
    for (let i = 0; i < 2; i++) children.push(await t.start(targets.lockstep, [barrier, 10, order]))
    const own = await within(targets.lockstep(barrier, 10, order), 'ten rounds')
    const all = [own, ...(await within(Promise.all(children.map(child => child.result())), 'results'))]
    for (let round = 0; round < 10; round++) {
      assert.deepEqual(all.map(each => each[round]).sort(), [0, 1, 2])
    }
    // Nobody begins a round before all have finished the round before.
    const rounds: number[] = []
    for (let i = 0; i < 30; i++) rounds.push(await order.getNowait())
    assert.deepEqual(
      rounds,
      Array.from({ length: 30 }, (_, i) => Math.floor(i / 3)),
    )
    for (const child of children) await t.ends(child)
  },

  'BR1 1,000 times': async t => {
    const barrier = new t.api.Barrier(3)
    const child = await t.start(targets.lockstep, [barrier, 1_000, null])
    const two = [0, 1].map(() => targets.lockstep(barrier, 1_000, null))
    const all = await within(Promise.all([...two, child.result()]), 'a thousand rounds', 15_000)
    for (let round = 0; round < 1_000; round++) {
      assert.deepEqual(all.map(each => each[round]).sort(), [0, 1, 2])
    }
    assert.equal(await barrier.broken, false)
    await t.ends(child)
  },

  'BR2 wait gives each its own index, and exactly one gets 0': async t => {
    const barrier = new t.api.Barrier(5)
    const waits = Array.from({ length: 5 }, () => barrier.wait())
    assert.deepEqual((await within(Promise.all(waits), 'all')).sort(), [0, 1, 2, 3, 4])
  },

  'BR3 the action runs once per generation, before anyone passes': async t => {
    const events: string[] = []
    const action = async () => {
      events.push('action')
      await new Promise(resolve => setTimeout(resolve, 10))
      events.push('acted')
    }
    const barrier = new t.api.Barrier(2, { action })
    const child = await t.start(targets.lockstep, [barrier, 3, null])
    for (let i = 0; i < 3; i++) {
      await within(barrier.wait(), 'wait')
      events.push('passed')
    }
    assert.deepEqual(events, Array.from({ length: 3 }, () => ['action', 'acted', 'passed']).flat())
    await t.ends(child)
  },

  'BR3 an action that throws breaks the barrier': async t => {
    const barrier = new t.api.Barrier(2, {
      action: () => {
        throw new RangeError('as ordered')
      },
    })
    const [child] = await party(t, barrier)
    const error = await rejects(barrier.wait(), 'MP_BROKEN_BARRIER')
    assert.ok(error.cause instanceof RangeError)
    assert.equal(await within(child.result(), 'result'), 'MP_BROKEN_BARRIER')
    assert.equal(await barrier.broken, true)
    await t.ends(child)
  },

  'BR3 one that is killed while the action runs breaks it for all who wait': async t => {
    const acts = new Acts()
    const barrier = new t.api.Barrier(2, { action: acts.action })
    const [child] = await party(t, barrier)
    const own = rejects(barrier.wait(), 'MP_BROKEN_BARRIER', 1_500)
    await eventually(() => acts.begun === 1, 'the action')
    child.kill()
    await own
    acts.end()
    assert.equal(await barrier.broken, true)
    await t.ends(child, -9)
  },

  'BR3 a reset while the action runs frees its generation, and the next one has an action of its own': async t => {
    const acts = new Acts()
    const barrier = new t.api.Barrier(2, { action: acts.action })
    const both = () => [barrier.wait(), barrier.wait()]
    const refused = both().map(each => rejects(each, 'MP_BROKEN_BARRIER'))
    await eventually(() => acts.begun === 1, 'the first action')
    await barrier.reset()
    await Promise.all(refused)
    const second = both()
    await eventually(() => acts.begun === 2, 'the second action')
    acts.end()
    await turns(5)
    const third = both()
    await turns(5)
    // The second action runs still.
    assert.equal(acts.begun, 2)
    await assertPending(Promise.race([...second, ...third]), 20)
    acts.end()
    await within(Promise.all(second), 'the second generation')
    await eventually(() => acts.begun === 3, 'the third action')
    acts.end()
    await within(Promise.all(third), 'the third generation')
  },

  'BR3 one with an action is broken when the context that made it has ended; without, only if it was before':
    async t => {
      for (const [how, code] of [
        ['with an action', 'MP_BROKEN_BARRIER'],
        ['broken', 'MP_BROKEN_BARRIER'],
        ['whole', undefined],
      ] as const) {
        const [mine, theirs] = t.pipe<never, Barrier>()
        const child = await t.start(targets.ownBarrier, [t.module, theirs as never, how])
        const barrier = t.own(await within(mine.recv(), 'the barrier'))
        await t.ends(child)
        assert.equal(await barrier.broken, code !== undefined, how)
        if (code) await rejects(barrier.wait(), code)
        else await within(Promise.all([barrier.wait(), barrier.wait()]), 'both')
      }
    },

  'BR4 abort breaks it for all who wait, and for all who come': async t => {
    const barrier = new t.api.Barrier(4)
    const [child] = await party(t, barrier)
    const own = rejects(barrier.wait(), 'MP_BROKEN_BARRIER')
    await t.run(targets.ruin, barrier, 'abort')
    await own
    assert.equal(await within(child.result(), 'result'), 'MP_BROKEN_BARRIER')
    assert.equal(await barrier.broken, true)
    assert.equal(await barrier.waiting, 0)
    await rejects(barrier.wait(), 'MP_BROKEN_BARRIER')
    assert.equal(await t.run(targets.waitBriefly, barrier, 1_000), 'MP_BROKEN_BARRIER')
    await t.ends(child)
  },

  'BR5 reset frees those who wait with MP_BROKEN_BARRIER; then it works, also after an abort': async t => {
    const barrier = new t.api.Barrier(2)
    const [child] = await party(t, barrier)
    await barrier.reset()
    assert.equal(await within(child.result(), 'result'), 'MP_BROKEN_BARRIER')
    assert.equal(await barrier.broken, false)
    await t.ends(child)
    const both = () => within(Promise.all([barrier.wait(), barrier.wait()]), 'both')
    assert.deepEqual((await both()).sort(), [0, 1])
    await barrier.abort()
    await rejects(barrier.wait(), 'MP_BROKEN_BARRIER')
    await t.run(targets.ruin, barrier, 'reset')
    assert.deepEqual((await both()).sort(), [0, 1])
  },

  'BR6 a wait that times out breaks it for all': async t => {
    const barrier = new t.api.Barrier(3)
    const [child] = await party(t, barrier)
    const { ms } = await timed(() => rejects(barrier.wait({ timeout: 60 }), 'MP_BROKEN_BARRIER'))
    assertTook(ms, 60)
    assert.equal(await within(child.result(), 'result'), 'MP_BROKEN_BARRIER')
    assert.equal(await barrier.broken, true)
    await t.ends(child)
    const other = new t.api.Barrier(3)
    const own = rejects(other.wait(), 'MP_BROKEN_BARRIER')
    assert.equal(await t.run(targets.waitBriefly, other, 30), 'MP_BROKEN_BARRIER')
    await own
    const third = new t.api.Barrier(2)
    await rejects(third.wait({ timeout: 0 }), 'MP_BROKEN_BARRIER')
    assert.equal(await third.broken, true)
  },

  'BR6 the time limit of the constructor holds where a wait has none': async t => {
    const barrier = new t.api.Barrier(2, { timeout: 60 })
    const { ms } = await timed(() => rejects(barrier.wait(), 'MP_BROKEN_BARRIER'))
    assertTook(ms, 60)
    await barrier.reset()
    const [child] = await party(t, barrier)
    assert.equal(await within(child.result(), 'result'), 'MP_BROKEN_BARRIER')
    await t.ends(child)
    await barrier.reset()
    const abort = new AbortController()
    const own = barrier.wait({ timeout: Number.POSITIVE_INFINITY, signal: abort.signal })
    await assertPending(own, 120)
    const reason = new Error('enough')
    abort.abort(reason)
    await rejects(own, { reason })
    assert.equal(await barrier.broken, true)
  },

  'BR7 a barrier for one never waits': async t => {
    const barrier = new t.api.Barrier(1)
    for (let i = 0; i < 10; i++) assert.equal(await within(barrier.wait(), 'wait'), 0)
    assert.deepEqual(await t.run(targets.lockstep, barrier, 3, null), [0, 0, 0])
    assert.equal(await barrier.wait({ timeout: 0 }), 0)
  },

  'BR8 parties, waiting and broken can be read, everywhere': async t => {
    const barrier = new t.api.Barrier(3)
    assert.ok(barrier instanceof t.api.Barrier)
    assert.equal(barrier.parties, 3)
    assert.equal(await barrier.waiting, 0)
    assert.equal(await barrier.broken, false)
    const refused = rejects(barrier.wait(), 'MP_BROKEN_BARRIER')
    const [child] = await party(t, barrier)
    assert.equal(await barrier.waiting, 2)
    assert.deepEqual(await t.run(targets.stateOf, barrier), { parties: 3, waiting: 2, broken: false })
    await barrier.abort()
    await refused
    assert.deepEqual(await t.run(targets.stateOf, barrier), { parties: 3, waiting: 0, broken: true })
    await t.ends(child)
  },

  'BR9 parties must be a positive integer': async t => {
    for (const parties of [0, -1, 1.5]) throws(() => new t.api.Barrier(parties), RangeError)
    throws(() => new t.api.Barrier('2' as never), TypeError)
    throws(() => new t.api.Barrier(2, { action: 5 as never }), TypeError)
    throws(() => new t.api.Barrier(2, { timeout: '5' as never }), TypeError)
  },

  'one that is killed while it waits breaks it': async t => {
    const barrier = new t.api.Barrier(3)
    const [child] = await party(t, barrier)
    const own = barrier.wait()
    await assertPending(own, 20)
    child.kill()
    await rejects(own, 'MP_BROKEN_BARRIER', 1_500)
    await t.ends(child, -9)
  },

  'one that ends while it waits breaks it': needs('isolation', async t => {
    const barrier = new t.api.Barrier(3)
    const refused = rejects(barrier.wait(), 'MP_BROKEN_BARRIER', 3_000)
    await t.run(targets.arriveAndEnd, barrier)
    await refused
  }),
})

/** Actions that end when they are told to, the one that began first at first. */
class Acts {
  begun = 0
  readonly #ends: (() => void)[] = []

  readonly action = (): Promise<void> => {
    this.begun++
    return new Promise(resolve => this.#ends.push(resolve))
  }

  end(): void {
    this.#ends.shift()?.()
  }
}

/** A child that waits at the barrier. */
async function party(t: Trial, barrier: Barrier) {
  const [orders, theirs] = t.pipe()
  const child = await t.start(targets.waitFor, [barrier, theirs as never])
  assert.equal(await within(orders.recv(), 'the word'), 'waiting')
  return [child, orders] as const
}
