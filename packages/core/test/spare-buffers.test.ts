import { expect, it } from 'vitest'
import { copyToSendOnce, recycle } from '../src/runtime/buffer-pool.js'

const MiB = 1024 * 1024

it('fills a copy again that a wire has written, and gives it out once', () => {
  const source = new Uint8Array(100_000).fill(1)
  const first = copyToSendOnce(source.buffer, 0, 100_000)
  const second = copyToSendOnce(source.buffer, 50_000, 50_000)
  recycle(first)
  recycle(first)
  source.fill(2)
  const third = copyToSendOnce(source.buffer, 0, 100_000)
  expect(third).toBe(first)
  expect(copyToSendOnce(source.buffer, 0, 100_000)).not.toBe(first)
  expect(new Uint8Array(third)).toEqual(source)
  expect(new Uint8Array(second)).toEqual(new Uint8Array(50_000).fill(1))
})

it('leaves memory alone that it did not give out', () => {
  const users = new ArrayBuffer(123_456)
  recycle(users)
  expect(copyToSendOnce(new ArrayBuffer(123_456), 0, 123_456)).not.toBe(users)
})

it('keeps 2 MiB', () => {
  const source = new ArrayBuffer(MiB)
  const copies = [1, 2, 3].map(() => copyToSendOnce(source, 0, MiB))
  for (const each of copies) recycle(each)
  const again = [1, 2, 3].map(() => copyToSendOnce(source, 0, MiB))
  expect(again.filter(each => copies.includes(each))).toHaveLength(2)
})
