import assert from 'node:assert/strict'
import { collectGarbage, type Footprint, footprint } from '../garbage.js'
import { turns } from '../turns.js'
import { MiB } from './limits.js'

/** Collects garbage several times, with a turn in between: what a collection finds dead is freed by finalizers. */
export async function usage(): Promise<Footprint> {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await turns(1)
  }
  return footprint()
}

export function assertFlat(before: Footprint, after: Footprint): void {
  const said = describeGrowth(before, after)
  assert.ok(after.descriptors <= before.descriptors + 4, said)
  assert.ok(after.memory < before.memory + 16 * MiB, said)
}

export function describeGrowth(before: Footprint, after: Footprint): string {
  const memory = (bytes: number) => (bytes / MiB).toFixed(1)
  return `descriptors ${before.descriptors} to ${after.descriptors}, memory ${memory(before.memory)} to ${memory(after.memory)} MiB`
}

export function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}
