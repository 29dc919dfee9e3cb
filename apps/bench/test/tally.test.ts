import { expect, test } from 'vitest'
import { CheckError, messagesOf } from '../src/payloads.js'
import { elapsedOf, largestTally, type Tally, tally } from '../src/tally.js'

const messages = messagesOf('small')

function takes(numbers: readonly number[], producers = 1): Promise<Tally> {
  const items = numbers.map(messages.make)
  return tally(items.length, producers, async () => items.shift(), messages)
}

async function elapsedOfNumbers(...consumers: readonly (readonly number[])[]): Promise<number> {
  const tallies = await Promise.all(consumers.map(numbers => takes(numbers)))
  return elapsedOf(tallies, consumers.flat().length)
}

test('items of several producers mix, those of one keep their order', async () => {
  expect(await takes([1, 3, 0, 5, 2], 2)).toMatchObject({ items: 5, sum: 11, squares: 39 })
  await expect(takes([1, 3, 0, 5, 4, 2], 2)).rejects.toThrow(CheckError)
  await expect(takes([0, 1, 1])).rejects.toThrow(CheckError)
})

test('what is no item fails the check', async () => {
  for (const wrong of [
    undefined,
    null,
    {},
    { id: 0, name: 'hello', v: [1, 2] },
    { ...(messages.make(0) as object), name: '' },
  ]) {
    await expect(tally(1, 1, async () => wrong, messages)).rejects.toThrow(CheckError)
  }
})

test('consumers that share the items must have taken each item once', async () => {
  const [even, odd] = [await takes([0, 2, 4]), await takes([1, 3, 5])]
  expect(elapsedOf([even, odd], 6)).toBeGreaterThanOrEqual(0)
  expect(() => elapsedOf([even], 6)).toThrow(CheckError)
  // 2 was lost and 3 came twice; then 0 and 3 were lost, 1 and 2 came twice, and the sum is right.
  await expect(elapsedOfNumbers([0, 3, 4], [1, 3, 5])).rejects.toThrow(CheckError)
  await expect(elapsedOfNumbers([1, 2, 4], [1, 2, 5])).rejects.toThrow(CheckError)
})

test('the sums of the largest batch are exact', async () => {
  let next = 0
  const all = await tally(largestTally, 1, async () => messages.make(next++), messages)
  expect(Number.isSafeInteger(all.squares)).toBe(true)
  expect(elapsedOf([all], largestTally)).toBeGreaterThan(0)
})
