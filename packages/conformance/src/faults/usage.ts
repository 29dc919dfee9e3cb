import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turns } from '../turns.js'
import { MiB } from './limits.js'

export interface Usage {
  readonly descriptors: number
  /** Bytes in use after a garbage collection. */
  readonly memory: number
}

/** Collects garbage several times, with a turn in between: what a collection finds dead is freed by finalizers. */
export async function usage(): Promise<Usage> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 3; i++) {
    collect()
    await turns(1)
  }
  const { heapUsed, external } = process.memoryUsage()
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  return { descriptors, memory: heapUsed + external }
}

export function assertFlat(before: Usage, after: Usage): void {
  const said = describeGrowth(before, after)
  assert.ok(after.descriptors <= before.descriptors + 4, said)
  assert.ok(after.memory < before.memory + 16 * MiB, said)
}

export function describeGrowth(before: Usage, after: Usage): string {
  const memory = (bytes: number) => (bytes / MiB).toFixed(1)
  return `descriptors ${before.descriptors} to ${after.descriptors}, memory ${memory(before.memory)} to ${memory(after.memory)} MiB`
}

export function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}
