import { setWait, type WaitStrategy } from './spin-wait.js'

export type { WaitStrategy }

/** Changes the settings of this thread. A child begins with the default settings. */
export function configure({ wait }: { wait: WaitStrategy }): void {
  if (!['spin', 'park', 'adapt'].includes(wait)) {
    throw new TypeError(`wait must be 'spin', 'park' or 'adapt', not ${String(wait)}`)
  }
  setWait(wait)
}
