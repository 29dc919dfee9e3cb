import assert from 'node:assert/strict'
import { Lock, Process } from '@mp/shared-array-buffer'
import { describe, test } from 'vitest'
// @ts-expect-error: what the children run is JavaScript.
import { enter, leave } from './fixtures/locking.mjs'

const module = new URL('./fixtures/locking.mjs', import.meta.url).href

const TERMINATIONS = 200
const BATCH = 10
/** ms in which the lock must pass on. */
const SOON = 1_000

function child(name: string, ...args: unknown[]): Process {
  return new Process({ target: { module, export: name } as never, args: args as never, stdio: 'ignore' }) as Process
}

function shared(words: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * words))
}

describe('a lock in shared memory', () => {
  test('keeps a plain counter exact: two threads that block, 100,000 times each', { timeout: 60_000 }, async () => {
    const lock = new Lock()
    const counter = shared(1)
    const children = [0, 1].map(() => child('addSync', lock, counter, 100_000))
    await Promise.all(children.map(each => each.start()))
    const start = performance.now()
    await Promise.all(children.map(each => each.result()))
    const ns = ((performance.now() - start) / 200_000) * 1e6
    assert.equal(counter[0], 200_000)
    console.log(`200,000 contended acquisitions: ${ns.toFixed(0)} ns each`)
    await lock.close()
  })

  test('keeps it exact when some block and others await', { timeout: 60_000 }, async () => {
    const lock = new Lock()
    const counter = shared(1)
    const children = ['addSync', 'addMixed', 'addMixed'].map(name => child(name, lock, counter, 3_000))
    await Promise.all(children.map(each => each.start()))
    const own = Array.from({ length: 500 }, async () => {
      await using _guard = await lock.acquire()
      counter[0] = (counter[0] as number) + 1
    })
    for (let i = 0; i < 200; i++) {
      const guard = lock.acquireSync()
      counter[0] = (counter[0] as number) + 1
      guard.releaseSync()
      if (i % 10 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    await Promise.all(own)
    await Promise.all(children.map(each => each.result()))
    assert.equal(counter[0], 3 * 3_000 + 700)
    assert.equal(await lock.locked(), false)
    await lock.close()
  })

  test('passes on whenever a thread is terminated', { timeout: 120_000 }, async () => {
    const words = shared(5)
    const lock = new Lock()
    let longest = 0
    for (let round = 0; round < TERMINATIONS / BATCH; round++) {
      const victims = Array.from({ length: BATCH }, (_, index) =>
        child('comeAndGo', lock, words, round * BATCH + index + 2, index % 2 === 0),
      )
      await Promise.all(victims.map(each => each.start()))
      for (const victim of victims) {
        const end = performance.now() + Math.random() * 3
        while (performance.now() < end);
        victim.kill()
        const start = performance.now()
        // Its exit is seen here also while this thread blocks.
        const sync = Math.random() < 0.5
        const guard = sync ? lock.acquireSync({ timeout: 10_000 }) : await lock.acquire({ timeout: 10_000 })
        const ms = performance.now() - start
        longest = Math.max(longest, ms)
        assert.ok(guard, `the lock did not pass on (${sync ? 'blocking' : 'awaiting'})`)
        enter(guard, words, 1)
        leave(guard, words)
        await victim.join()
      }
    }
    const [, told, untold, together, rounds] = words
    console.log(
      `${TERMINATIONS} terminations in ${rounds} acquisitions: ${told} held it, and the next was told; longest wait ${longest.toFixed(0)} ms`,
    )
    assert.ok(Number(told) > 0, 'nobody was ended while it held the lock')
    assert.equal(untold, 0)
    assert.equal(together, 0)
    assert.ok(longest < SOON, `the lock took ${longest} ms to pass on`)
    assert.equal(await lock.locked(), false)
    await lock.close()
  })
})
