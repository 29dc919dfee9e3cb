import assert from 'node:assert/strict'
import { MessageChannel, Worker } from 'node:worker_threads'
import { patiently } from '@mp/conformance'
import { Lock, Process } from '@mp/shared-array-buffer'
import { describe, test } from 'vitest'
import { ourPeers, SharedSemaphore } from '../dist/engines.js'
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
  test('keeps a plain counter exact: two threads that block, 100,000 times each', {
    timeout: patiently(60_000),
  }, async () => {
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

  test('keeps it exact when some block and others await', { timeout: patiently(60_000) }, async () => {
    const lock = new Lock()
    const counter = shared(1)
    const children = ['addSync', 'addMixed', 'addMixed'].map(name => child(name, lock, counter, 3_000))
    await Promise.all(children.map(each => each.start()))
    const own = Array.from({ length: 500 }, async () => {
      await using _guard = await lock.acquire()
      counter[0] = (counter[0] as number) + 1
    })
    // The first call may have the lock by now: this thread must not block before that call has gone on.
    await new Promise(resolve => setImmediate(resolve))
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

  test('passes on whenever a thread is terminated', { timeout: patiently(120_000) }, async () => {
    const words = shared(5)
    const lock = new Lock()
    let longest = 0
    for (let round = 0; round < TERMINATIONS / BATCH; round++) {
      const victims = Array.from({ length: BATCH }, (_, index) =>
        child('comeAndGo', lock, words, round * BATCH + index + 2, index % 2 === 0),
      )
      await Promise.all(victims.map(each => each.start()))
      const living = new Map(victims.map((each, index) => [round * BATCH + index + 2, each]))
      while (living.size > 0) {
        const end = performance.now() + Math.random() * 3
        while (performance.now() < end);
        // Ends the thread that is inside, if it is one of these; else the next one.
        const inside = living.get(Atomics.load(words, 0)) ?? ([...living.values()][0] as Process)
        inside.kill()
        const start = performance.now()
        // This thread sees its exit even while it blocks.
        const sync = Math.random() < 0.5
        const guard = sync
          ? lock.acquireSync({ timeout: patiently(10_000) })
          : await lock.acquire({ timeout: patiently(10_000) })
        const ms = performance.now() - start
        longest = Math.max(longest, ms)
        assert.ok(guard, `the lock did not pass on (${sync ? 'blocking' : 'awaiting'})`)
        enter(guard, words, 1)
        leave(guard, words)
        await inside.join()
        for (const [id, each] of living) if (each === inside) living.delete(id)
      }
    }
    const [, told, untold, together, rounds] = words
    console.log(
      `${TERMINATIONS} terminations in ${rounds} acquisitions: ${told} held it, and the next was told; longest wait ${longest.toFixed(0)} ms`,
    )
    assert.ok(Number(told) > 0, 'nobody was ended while it held the lock')
    assert.equal(untold, 0)
    assert.equal(together, 0)
    assert.ok(longest < patiently(SOON), `the lock took ${longest} ms to pass on`)
    assert.equal(await lock.locked(), false)
    await lock.close()
  })
})

/** Words of a semaphore's memory. */
const MUTEX = 0
const UNDO_LENGTH = 17

describe('a semaphore in shared memory', () => {
  test('is whole whenever threads are terminated, also in the middle of a step', {
    timeout: patiently(120_000),
  }, async () => {
    const peers = ourPeers()
    // The numbers of calls wrap meanwhile.
    const semaphore = SharedSemaphore.create(3, 3, 0x7fff_ff00)
    const words = new Int32Array(semaphore.memory, 0, 32)
    let inside = 0
    let halfway = 0
    let calls = 0
    for (let round = 0; round < 40; round++) {
      const gate = shared(4)
      const victims = Array.from({ length: 6 }, (_, index) => {
        const { port1, port2 } = new MessageChannel()
        port1.unref()
        const peer = peers.add(port1)
        const worker = new Worker(new URL('./fixtures/semaphore-victim.mjs', import.meta.url), {
          workerData: {
            peer: { peers: peers.memory, id: peer.id, life: port2 },
            memory: semaphore.memory,
            gate,
            pause: index === 0 ? 1 : 0,
          },
          transferList: [port2],
          execArgv: [],
        })
        return { peer, worker }
      })
      await until(() => Atomics.load(gate, 1) === victims.length)
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      await until(() => Atomics.load(gate, 2) > 0)
      const end = performance.now() + Math.random() * 5
      while (performance.now() < end);
      await Promise.all(victims.map(each => each.worker.terminate()))
      const word = Atomics.load(words, MUTEX)
      const holder = word & 1 ? word >>> 2 : 0
      if (victims.some(each => each.peer.id === holder)) inside++
      if (Atomics.load(words, UNDO_LENGTH) > 0) halfway++
      for (const each of victims) peers.ended(each.peer)
      calls += Atomics.load(gate, 2)
      assert.equal(semaphore.value, 3, `round ${round}`)
      const turns = [0, 1, 2].map(() => semaphore.acquire('hold', true))
      assert.ok(turns.every(each => each?.look() === 'granted'))
      assert.equal(semaphore.acquire('hold', true), undefined)
      for (const each of turns) each?.release()
    }
    console.log(`240 terminations in ${calls} calls: ${inside} times with the mutex held, ${halfway} of them in a step`)
    assert.ok(inside > 0, 'nobody was ended inside')
    assert.ok(halfway > 0, 'nobody was ended in the middle of a step')
  })

  test('has room for many calls at a time, and uses it again', () => {
    const semaphore = SharedSemaphore.create(0, 2 ** 31 - 1)
    for (let round = 0; round < 2; round++) {
      const waiting = Array.from({ length: 5_000 }, () => semaphore.acquire('hold', false))
      assert.ok(waiting.every(each => each?.look() === 'waits'))
      for (const each of waiting.slice(0, 1_000)) each?.giveUp()
      assert.ok(semaphore.post(3_999, true))
      assert.deepEqual(
        waiting.slice(1_000).map(each => each?.look()),
        [...Array(3_999).fill('granted'), 'waits'],
      )
      assert.equal(semaphore.value, 0)
      for (const each of waiting) each?.giveUp()
      assert.equal(semaphore.value, 3_999)
      for (let i = 0; i < 3_999; i++) semaphore.acquire('hold', true)?.consume()
      assert.equal(semaphore.value, 0)
    }
    assert.ok(semaphore.memory.byteLength < 400_000)
  })
})

async function until(condition: () => boolean): Promise<void> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > patiently(20_000)) throw new Error('not within 20 s')
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}
