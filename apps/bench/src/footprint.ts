import { readdirSync } from 'node:fs'
import { collectGarbage } from './garbage.js'

/** What a context holds, garbage apart. */
export interface Footprint {
  /** Bytes of the calling thread's memory. */
  readonly memory: number
  /** Of the process; 0 where the operating system does not tell. */
  readonly descriptors: number
}

/** Collects garbage several times, with a turn in between: what a collection finds dead is freed by finalizers. */
export async function footprint(): Promise<Footprint> {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return { memory: heapUsed + external, descriptors: countDescriptors() }
}

function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
