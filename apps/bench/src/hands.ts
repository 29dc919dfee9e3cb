import type { Pool, Target } from '@mp/core'
import { type Child, watched } from './children.js'
import type { TransportModule } from './transports.js'

/**
 * Children that outlive one case. Each does the work of one case after the other, as the workers of a long-running program do, so that
 * its code is compiled when the clock starts. A case with small rounds would measure the compiler otherwise, and the start of its children
 * would take most of its time.
 */
const idle = new Map<Pick<TransportModule, 'Pool'>, Pool[]>()
const all = new Set<Pool>()

/** As `startChild`, but takes a child that is idle, if there is one; afterwards it is idle again. */
export function hire<A extends unknown[], R>(
  module: Pick<TransportModule, 'Pool'>,
  target: Target<A, R>,
  args: A,
): Child {
  const rest = idle.get(module) ?? []
  idle.set(module, rest)
  const hand = rest.pop() ?? new module.Pool(1)
  all.add(hand)
  const work = hand.apply(target, args) as Promise<unknown>
  const lost = work.then(() => {
    throw new Error('a child was done while its messages were awaited')
  })
  return {
    ...watched(lost, () => work),
    async ended() {
      await work
      rest.push(hand)
    },
  }
}

/** Ends them all, when there are no more cases. */
export async function dismissHands(): Promise<void> {
  const pools = [...all]
  all.clear()
  idle.clear()
  for (const pool of pools) pool.terminate()
  await Promise.all(pools.map(pool => pool.join()))
}

/** The same, when the program ends early. Safe to call at any time. */
export function killHands(): void {
  for (const pool of all) pool.terminate()
}
