import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/**
 * Collects all garbage of this process now. Also because the first full collection changes a process for good: before, V8
 * lets tens of MB of buffers pile up; after it, it collects every few MB. A measurement that began in the one state and ended
 * in the other would say nothing.
 */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
