import assert from 'node:assert/strict'
import { eventually } from '@mp/conformance'
import { describe, test } from 'vitest'
import { RingQueue } from '../dist/engines.js'

/** Two views of one queue, as two threads have them. */
function pair(maxsize = 0): [RingQueue, RingQueue] {
  const queue = RingQueue.create(maxsize)
  return [queue, new RingQueue(queue.memory)]
}

function put(queue: RingQueue, value: number): string {
  return queue.put(Uint8Array.of(value), 0, 1, 0)
}

const ATOMICS = ['load', 'store', 'exchange', 'compareExchange', 'add'] as const

/** Runs, and calls `act` just before atomic operation `at` of that. Gives whether there is such an operation. */
function interleave(at: number, run: () => void, act: () => void): boolean {
  const functions = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>
  let count = 0
  const undo = ATOMICS.map(name => {
    const real = functions[name] as (...args: unknown[]) => unknown
    functions[name] = (...args) => {
      if (count++ === at) act()
      return real.apply(Atomics, args)
    }
    return () => {
      functions[name] = real
    }
  })
  try {
    run()
  } finally {
    for (const each of undo) each()
  }
  return count > at
}

describe('a queue in shared memory', () => {
  test('gives what was put before a shutdown, wherever both come into a take', () => {
    for (let at = 0, isThere = true; isThere; at++) {
      const [producer, consumer] = pair()
      let first: string | undefined
      let hasPut = false
      isThere = interleave(
        at,
        () => {
          first = consumer.take(() => {})
        },
        () => {
          hasPut = put(producer, 5) === 'done'
          producer.shutDown()
        },
      )
      if (!hasPut) continue
      assert.notEqual(first, 'shut')
      if (first === 'empty')
        assert.equal(
          consumer.take(() => {}),
          'done',
        )
      assert.equal(consumer.bytes[consumer.start], 5)
      assert.equal(
        consumer.take(() => {}),
        'shut',
      )
    }
  })

  test('wakes who waits, although one before him has given up', async () => {
    const [first, second] = pair()
    let isWoken = false
    first.watch('item', () => true)
    first.unwatch('item')
    second.watch('item', () => {
      isWoken = true
      return true
    })
    const producer = new RingQueue(first.memory)
    assert.equal(put(producer, 5), 'done')
    producer.announce()
    await eventually(() => isWoken, 'the wake-up')
  })
})
