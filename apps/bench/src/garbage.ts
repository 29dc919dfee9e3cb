import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/**
 * Collects all garbage of this process now. The first full collection also changes a process for good: before it, V8 lets tens of
 * MB of buffers pile up; after it, V8 collects every few MB. A measurement that began in one state and ended in the other would be
 * worthless.
 */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
