import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { RingQueue, SegmentLog } from '../dist/engines.js'

const none = () => {}

function filled(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = seed + (i >> 8) + i
  return bytes
}

function put(queue: RingQueue, bytes: Uint8Array): string {
  return queue.put(bytes, 0, bytes.length, 0)
}

function take(queue: RingQueue): Uint8Array {
  assert.equal(queue.take(none), 'done')
  return queue.bytes.slice(queue.start, queue.end)
}

describe('a log in shared memory', () => {
  for (const first of [-10, 2 ** 31 - 10, 0]) {
    test(`keeps order and counts while its counters wrap from ${first >>> 0}`, () => {
      const queue = RingQueue.create(3, first)
      for (let i = 0; i < 40; i++) {
        for (let n = 0; n < 3; n++) assert.equal(put(queue, filled(20 + n, i)), 'done')
        assert.equal(put(queue, filled(1, 1)), 'full')
        assert.equal(queue.size, 3)
        assert.equal(queue.full, true)
        for (let n = 0; n < 3; n++) assert.deepEqual(take(queue), filled(20 + n, i))
        assert.equal(queue.take(none), 'empty')
        assert.equal(queue.size, 0)
      }
    })
  }

  test('carries items of every length around the size of a segment', () => {
    const queue = RingQueue.create(0)
    const lengths = [0, 1, 7, 8, 4080, 4088, 4089, 4096, 65_504, 65_512, 65_520, 65_528, 65_536, 131_072, 200_001]
    for (let round = 0; round < 5; round++) {
      for (const length of lengths) assert.equal(put(queue, filled(length, round)), 'done')
      for (const length of lengths) assert.deepEqual(take(queue), filled(length, round))
    }
  })

  test('carries what just fits into a segment, and what just does not', () => {
    for (let length = 65_480; length <= 65_560; length += 4) {
      const log = new SegmentLog(SegmentLog.create(), true)
      // The next record begins in the next segment, since too little is left here.
      const lengths = [62_000, length, 100, 62_000, 100]
      for (const [i, each] of lengths.entries()) assert.ok(log.append(filled(each, i), 0, each, 7))
      for (const [i, each] of lengths.entries()) {
        assert.ok(log.peek())
        assert.deepEqual(log.bytes.slice(log.start, log.end), filled(each, i), `${length}: record ${i}`)
        log.take()
      }
      assert.equal(log.peek(), false)
    }
  })

  test('carries 64 MiB, and uses the memory of a burst again', () => {
    const queue = RingQueue.create(0)
    const large = filled(64 * 1024 * 1024, 3)
    assert.equal(put(queue, large), 'done')
    const { byteLength } = queue.memory
    assert.equal(Buffer.compare(take(queue), large), 0)
    for (let i = 0; i < 5; i++) {
      assert.equal(put(queue, large), 'done')
      assert.equal(Buffer.compare(take(queue), large), 0)
    }
    assert.ok(queue.memory.byteLength <= byteLength * 1.5, `${queue.memory.byteLength} after ${byteLength}`)
  })

  test('says full where its memory is at its limit, and goes on when there is room', () => {
    const queue = RingQueue.create(0, 0, 1024 * 1024)
    let count = 0
    while (put(queue, filled(10_000, count)) === 'done') count++
    assert.ok(count > 80, `only ${count}`)
    assert.equal(put(queue, filled(10_000, 0)), 'full')
    for (let i = 0; i < count; i++) assert.deepEqual(take(queue), filled(10_000, i))
    assert.equal(put(queue, filled(10_000, 0)), 'done')
  })

  test('another view of it sees what was appended after it had grown', () => {
    const memory = SegmentLog.create()
    const writer = new SegmentLog(memory, true)
    const reader = new SegmentLog(memory, true)
    for (let i = 0; i < 100; i++) assert.ok(writer.append(filled(30_000, i), 0, 30_000, 7))
    for (let i = 0; i < 100; i++) {
      assert.ok(reader.peek())
      assert.equal(reader.tag, 7)
      assert.deepEqual(reader.bytes.slice(reader.start, reader.end), filled(30_000, i))
      reader.take()
    }
    assert.equal(reader.peek(), false)
  })

  test('goes on where a producer died that had just added a segment', () => {
    const memory = SegmentLog.create()
    const words = new Int32Array(memory, 0, 128)
    const [SEGMENTS, PUTS, TAIL] = [0, 16, 17]
    const victim = new SegmentLog(memory, false)
    let count = 0
    for (;;) {
      const before = words.slice(0, 20)
      assert.ok(victim.append(filled(3_000, count), 0, 3_000, 7))
      if (words[SEGMENTS] === before[SEGMENTS]) {
        count++
        continue
      }
      // It died before it had counted the segment, and published nothing.
      for (const word of [SEGMENTS, PUTS, TAIL, TAIL + 1]) words[word] = before[word] as number
      break
    }
    const producer = new SegmentLog(memory, false)
    const consumer = new SegmentLog(memory, false)
    for (let i = count; i < 500; i++) assert.ok(producer.append(filled(3_000, i), 0, 3_000, 7))
    for (let i = 0; i < 500; i++) {
      assert.ok(consumer.peek())
      assert.deepEqual(consumer.bytes.slice(consumer.start, consumer.end), filled(3_000, i))
      consumer.take()
    }
    assert.equal(consumer.peek(), false)
  })
})
