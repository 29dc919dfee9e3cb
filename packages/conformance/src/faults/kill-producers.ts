import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { BoundContext, Process, Queue } from '@mp/core'
import type { Footprint } from '../garbage.js'
import { eventually, within } from '../harness.js'
import * as targets from '../targets-faults.js'
import { ABREAST, MiB, SOON } from './limits.js'
import { assertFlat, describeGrowth, tell, usage } from './usage.js'

export async function killProducers(api: BoundContext, kills: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mp-faults-'))
  const notes = join(folder, 'begun')
  writeFileSync(notes, new Uint8Array(4 * kills))
  const queue = new api.Queue<targets.Numbered>()
  const received = new Uint32Array(kills)
  const wrong: string[] = []
  let bytes = 0
  const take = (item: targets.Numbered) => {
    const { producer, sequence, checksum } = item
    bytes += item.bytes.length
    if (sequence !== received[producer]) wrong.push(`${producer}: ${sequence} came after ${received[producer]} items`)
    if (targets.checksumOf(item.bytes) !== checksum) wrong.push(`${producer}: number ${sequence} is torn`)
    received[producer] = sequence + 1
  }
  let consuming = true
  const consumed = takeWhile(() => consuming, queue, take)
  let slowest = 0
  let before: Footprint | undefined
  try {
    for (let first = 0; first < kills; first += ABREAST) {
      const batch = Array.from({ length: Math.min(ABREAST, kills - first) }, (_, i) => first + i)
      const children = await Promise.all(batch.map(producer => startProducer(api, queue, producer, notes)))
      for (const [index, child] of children.entries()) {
        await eventually(() => (received[first + index] as number) > 0, 'the first item of a producer')
        await pause(Math.random() * 10)
        child.kill()
        const killedAt = performance.now()
        assert.equal(await within(child.join(), 'join', SOON), -9)
        slowest = Math.max(slowest, performance.now() - killedAt)
      }
      // After the first two batches everything is loaded, and buffers have grown.
      if (first === ABREAST) before = await usage()
    }
  } finally {
    consuming = false
    await queue.shutdown()
    await within(consumed, 'the end of the consumer')
  }
  const begun = new Uint32Array(new Uint8Array(readFileSync(notes)).buffer)
  rmSync(folder, { recursive: true })
  const inTheMiddle = begun.filter((count, producer) => count > (received[producer] as number)).length
  const items = received.reduce((sum, count) => sum + count, 0)
  const after = await usage()
  tell(
    `${kills} producers killed, ${inTheMiddle} in the middle of a put; ${items} items, ${(bytes / MiB).toFixed(0)} MiB; ` +
      `slowest join ${slowest.toFixed(0)} ms; ${describeGrowth(before as Footprint, after)}`,
  )
  assert.deepEqual(wrong, [])
  assert.ok(inTheMiddle > 0, 'no kill came in the middle of a put')
  assertFlat(before as Footprint, after)
}

async function startProducer(
  api: BoundContext,
  queue: Queue<targets.Numbered>,
  producer: number,
  notes: string,
): Promise<Process> {
  const child = new api.Process({ target: targets.produceForEver, args: [queue, producer, notes] })
  await within(child.start(), 'start')
  return child as unknown as Process
}

async function takeWhile(
  wanted: () => boolean,
  queue: Queue<targets.Numbered>,
  take: (item: targets.Numbered) => void,
) {
  while (wanted()) {
    try {
      take(await queue.get())
    } catch (error) {
      if ((error as { code?: string }).code !== 'MP_SHUT_DOWN') throw error
    }
  }
}
