import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { BoundContext, Queue } from '@mp/core'
import { eventually, within } from './harness.js'
import { patiently } from './patience.js'
import * as targets from './targets-consumers.js'
import { turns } from './turns.js'

/** ms in which others get what a consumer has not taken, when it is killed. */
const SOON = 1_500
/** Items that are put at most: to take them all again must not be the test. */
const MOST = 5_000

/** What became of the items of a queue whose consumer was killed. */
export interface Kill {
  readonly put: number
  /** What its program was given, and had written down before it did anything else. */
  readonly given: number
  /** What was claimed for it and not written down: 1 at most, when the kill came between the two. */
  readonly claimed: number
  /** What others got. */
  readonly rest: number
}

/**
 * Kills a consumer in a loop of gets, `ms` after its first item, and checks what is left: its program has the first items, others
 * get the rest, in order, and none is lost or doubled. `path`: a file for what the consumer writes down.
 */
export async function killLessee(api: BoundContext, path: string, maxsize: number, ms: number): Promise<Kill> {
  const queue = new api.Queue<number>(maxsize)
  writeFileSync(path, '')
  const [near, far] = api.Pipe<unknown, string>()
  const child = new api.Process({ target: targets.getAndLog, args: [queue, path, far] })
  await within(child.start(), 'start')
  assert.equal(await within(near.recv(), 'the consumer'), 'running')
  let put = 0
  let killed = false
  const puts = (async () => {
    while (!killed && put < MOST) await queue.put(put++)
  })()
  await eventually(() => readFileSync(path).length > 0, 'an item')
  await new Promise(resolve => setTimeout(resolve, ms))
  child.kill()
  await within(child.join(), 'the end', SOON)
  killed = true
  // A put that waits for a slot goes on when one is free.
  let settled = false
  void puts.then(() => {
    settled = true
  })
  const rest = await restOf(queue, () => settled)
  await near.close()
  const given = readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number)
  const claimed = put - given.length - rest.length
  assert.ok(claimed === 0 || claimed === 1, `${claimed} of ${put} are gone beyond the ${given.length} that were given`)
  assertAll(claimed === 1 ? [...given, given.length, ...rest] : [...given, ...rest], put)
  assertRising(given)
  assertRising(rest)
  return { put, given: given.length, claimed, rest: rest.length }
}

/** All that is in the queue when nothing more is put, each item within `SOON` of the one before. */
async function restOf(queue: Queue<number>, isOver: () => boolean): Promise<number[]> {
  const rest: number[] = []
  let last = performance.now()
  while (!isOver() || !(await queue.empty())) {
    try {
      rest.push(await queue.getNowait())
      last = performance.now()
    } catch (error) {
      if ((error as { code?: string }).code !== 'MP_EMPTY') throw error
      assert.ok(performance.now() - last < patiently(SOON), `nothing came for ${SOON} ms after ${rest.length} items`)
      await turns(1)
    }
  }
  return rest
}

export function assertRising(items: readonly number[]): void {
  for (let i = 1; i < items.length; i++) {
    assert.ok((items[i] as number) > (items[i - 1] as number), `${items[i]} came after ${items[i - 1]}`)
  }
}

/** Each of the numbers below `count`, once. */
export function assertAll(items: readonly number[], count: number): void {
  assert.deepEqual(
    [...items].sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i),
  )
}
