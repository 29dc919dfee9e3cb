import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { BoundContext } from '@mp/core'
import { within } from '../harness.js'
import * as targets from '../targets-faults.js'
import { MiB } from './limits.js'
import { describeGrowth, tell, usage } from './usage.js'

export async function stopConsumer(api: BoundContext): Promise<void> {
  const queue = new api.Queue<{ sequence: number; text: string }>(100)
  const [mine, theirs] = api.Pipe<never, string>()
  const child = new api.Process({ target: targets.consumeInOrder, args: [queue, theirs as never] })
  await within(child.start(), 'start')
  assert.equal(await within(mine.recv(), 'the word'), 'ready')
  const text = 'x'.repeat(1_024)
  let sequence = 0
  let put = Promise.resolve()
  const putUntil = async (end: number) => {
    for (; performance.now() < end; sequence++) {
      put = queue.put({ sequence, text })
      if ((await Promise.race([put, pause(Math.max(1, end - performance.now()), 'late')])) === 'late') return sequence++
    }
    return undefined
  }
  await putUntil(performance.now() + 300)
  const flowing = sequence
  process.kill(child.pid as number, 'SIGSTOP')
  const before = await usage()
  await putUntil(performance.now() + 3_000)
  const after = await usage()
  const whileStopped = sequence - flowing
  process.kill(child.pid as number, 'SIGCONT')
  await within(put, 'the put that waited')
  await putUntil(performance.now() + 300)
  await within(put, 'the last put')
  await within(queue.put({ sequence: -1, text: '' }), 'the end')
  const outcome = await within(child.result(), 'result')
  tell(`${flowing} items before the stop, ${whileStopped} during it, ${outcome}; ${describeGrowth(before, after)}`)
  assert.equal(outcome, `${sequence} in order`)
  assert.ok(flowing > 100, 'nothing flowed before the stop')
  // The items in the queue, those under way, and a put that waits.
  assert.ok(whileStopped < 1_000, `${whileStopped} items were put while nobody took any`)
  assert.ok(after.memory - before.memory < 10 * MiB, describeGrowth(before, after))
  assert.equal(await within(child.join(), 'join'), 0)
}
