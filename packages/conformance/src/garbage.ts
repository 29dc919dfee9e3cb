import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let gc: (() => void) | undefined

/** Collects what nobody references in this thread. */
export function collectGarbage(): void {
  if (!gc) {
    setFlagsFromString('--expose-gc')
    gc = runInNewContext('gc') as () => void
  }
  gc()
}

/** What a context holds. */
export interface Footprint {
  /** Of the process, on all its threads; 0 where the operating system does not tell. */
  readonly descriptors: number
  /** Bytes of this thread's memory, garbage apart. */
  readonly memory: number
}

export function footprint(): Footprint {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return { descriptors: descriptors(), memory: heapUsed + external }
}

function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
