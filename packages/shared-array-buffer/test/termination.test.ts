import assert from 'node:assert/strict'
import { MessageChannel, Worker } from 'node:worker_threads'
import { patiently } from '@mp/conformance'
import { describe, test } from 'vitest'
import { ourPeers, RingQueue } from '../dist/engines.js'
// @ts-expect-error: what the threads share is JavaScript.
import { numberIn } from './fixtures/bodies.mjs'

/** How many threads are ended at a random moment, and how many of them at a time. */
const TERMINATIONS = 1000
const BATCH = 20
/** Numbers of items that one producer may use. */
const RANGE = 10_000
/** ms. A longer wait is for something that will never come. */
const LONGEST_GAP = 1000

const PUT_LOCK = 64
const GET_LOCK = 80

interface Thread {
  readonly id: number
  readonly role: 'put' | 'take'
  readonly first: number
  readonly done: Int32Array
  readonly worker: Worker
  readonly ended: Promise<void>
}

class Arena {
  readonly queue: RingQueue
  readonly taken: Int32Array
  readonly threads = new Set<Thread>()
  readonly producers: Thread[] = []
  #next = 0

  constructor(maxsize: number, producers: number) {
    this.queue = RingQueue.create(maxsize, -10)
    this.taken = new Int32Array(new SharedArrayBuffer(4 * (producers * RANGE + 1)))
  }

  /** Starts a thread that begins when the gate opens. Word 0 opens it; word 1 counts the threads that are there. */
  start(role: Thread['role'], gate: Int32Array, pace = 0): Thread {
    const peers = ourPeers()
    const { port1, port2 } = new MessageChannel()
    port1.unref()
    const child = peers.add(port1)
    const done = new Int32Array(new SharedArrayBuffer(4))
    const first = role === 'put' ? this.#next++ * RANGE : 0
    const worker = new Worker(new URL('./fixtures/victim.mjs', import.meta.url), {
      workerData: {
        peer: { peers: peers.memory, id: child.id, life: port2 },
        memory: this.queue.memory,
        role,
        first,
        done,
        taken: this.taken,
        gate,
        pace,
      },
      transferList: [port2],
      execArgv: [],
    })
    const ended = new Promise<void>(resolve => {
      worker.on('exit', () => resolve())
    })
    const thread: Thread = { id: child.id, role, first, done, worker, ended: ended.then(() => peers.ended(child)) }
    this.threads.add(thread)
    if (role === 'put') this.producers.push(thread)
    return thread
  }

  async end(thread: Thread): Promise<void> {
    this.threads.delete(thread)
    await thread.worker.terminate()
    await thread.ended
  }

  /** Whether the thread, which has ended, held its lock, and nobody has taken it over yet. */
  holds(thread: Thread): boolean {
    const words = new Int32Array(this.queue.memory, 0, 128)
    const lock = thread.role === 'put' ? PUT_LOCK : GET_LOCK
    const word = Atomics.load(words, lock)
    return (word & 1) === 1 && word >>> 2 === thread.id
  }
}

async function until(condition: () => boolean, what: string): Promise<number> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > patiently(20_000)) throw new Error(`${what}: not within 20 s`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  return performance.now() - start
}

describe('threads that are terminated at any instruction', () => {
  for (const maxsize of [0, 5]) {
    test(`leave the queue whole (maxsize ${maxsize})`, { timeout: patiently(120_000) }, async () => {
      const rounds = TERMINATIONS / 2 / BATCH
      const arena = new Arena(maxsize, rounds * (BATCH / 2) + 1)
      const open = new Int32Array(new SharedArrayBuffer(12))
      open[0] = 1
      // So many items are put as one of these takers can take.
      const survivors = [arena.start('put', open, 5), arena.start('take', open)]
      await until(() => survivors.every(each => Atomics.load(each.done, 0) > 0), 'the first items')
      let inside = 0
      let takers = 0
      let longestGap = 0
      for (let round = 0; round < rounds; round++) {
        const gate = new Int32Array(new SharedArrayBuffer(12))
        const victims = Array.from({ length: BATCH }, (_, index) => arena.start(index % 2 === 0 ? 'put' : 'take', gate))
        await until(() => Atomics.load(gate, 1) === BATCH, 'the victims ready')
        Atomics.store(gate, 0, 1)
        Atomics.notify(gate, 0)
        const end = performance.now() + Math.random() * 3
        while (performance.now() < end);
        // All end at once, so a lock that one of them holds cannot pass to another of them.
        await Promise.all(
          victims.map(async each => {
            await arena.end(each)
            if (arena.holds(each)) inside++
          }),
        )
        takers += BATCH / 2
        const before = survivors.map(each => Atomics.load(each.done, 0))
        const moved = () => survivors.every((each, index) => Atomics.load(each.done, 0) !== before[index])
        longestGap = Math.max(longestGap, await until(moved, 'the survivors at work'))
      }
      await Promise.all(survivors.map(each => arena.end(each)))
      takers++

      const { queue, taken, producers } = arena
      for (let outcome = queue.take(() => {}); outcome !== 'empty'; outcome = queue.take(() => {})) {
        if (outcome === 'done') Atomics.add(taken, numberIn(queue.bytes, queue.start, queue.end) + 1, 1)
      }
      let items = 0
      let lost = 0
      let doubled = 0
      for (const { first, done } of producers) {
        const put = Atomics.load(done, 0)
        assert.ok(put < RANGE, `a producer used up its numbers: ${put}`)
        items += put
        for (let n = first; n < first + RANGE; n++) {
          const times = taken[n + 1] as number
          if (times > 1) doubled++
          if (times === 0 && n < first + put) lost++
          if (times > 0 && n > first + put) assert.fail('an item came that was never put')
        }
      }
      console.log(
        `maxsize ${maxsize}: ${rounds * BATCH} terminations, ${inside} with a lock held; ${items} items put, ` +
          `${lost} gone with ${takers} dead takers, ${doubled} doubled, ${taken[0]} torn; longest gap ${longestGap.toFixed(0)} ms`,
      )
      assert.ok(inside > 0, 'no thread was ended inside the critical section')
      assert.equal(taken[0], 0)
      assert.equal(doubled, 0)
      assert.ok(lost <= takers)
      assert.ok(longestGap < LONGEST_GAP)
    })
  }
})
