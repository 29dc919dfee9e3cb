import type { Pool } from '@mp/core'
import { CheckError } from '../payloads.js'
import { rivals } from '../rivals/index.js'
import type { Rival, RivalPool } from '../rivals/rival.js'
import type { Open, Session } from '../session.js'
import type { LoadedTransport } from '../transports.js'
import type { Pattern } from './pattern.js'

/** Of each pool, unless its pattern says otherwise. */
export const workers = 2

const threads: readonly string[] = ['worker-threads', 'shared-array-buffer']

/** The rivals are pools of threads, and are compared only with our pools of threads. */
export function rivalsOf(
  transport: LoadedTransport,
  open: (rival: Rival) => Open,
): readonly { name: string; open: Open }[] {
  if (!threads.includes(transport.name)) return []
  return rivals.map(rival => ({ name: rival.name, open: open(rival) }))
}

/** Both sides of a pattern in which a pool squares numbers: our pool, and those of the rivals. `batch`: see {@link Session}. */
export function squaring(
  ours: (pool: Pool, numbers: number[]) => Promise<number[]>,
  theirs: (pool: RivalPool, numbers: number[]) => Promise<number[]>,
  batch?: number,
): Pick<Pattern, 'subject' | 'rivals'> {
  return {
    subject:
      ({ module }) =>
      async () => {
        const pool = new module.Pool(workers)
        const session = flow(
          numbers => ours(pool, numbers),
          () => ended(pool),
        )
        return batch === undefined ? session : { ...session, batch }
      },
    rivals: transport =>
      rivalsOf(transport, rival => async () => {
        const pool = await rival.open(workers)
        return flow(numbers => theirs(pool, numbers), pool.close)
      }),
  }
}

/** `all` gives the squares of the numbers, in their order. Counted from the call to the last result; each is checked. */
function flow(all: (numbers: number[]) => Promise<number[]>, close: () => Promise<void>): Session {
  return {
    async run(count) {
      const numbers = Array.from({ length: count }, (_, n) => n)
      const before = performance.now()
      const results = await all(numbers)
      const elapsed = performance.now() - before
      if (results.length !== count) throw new CheckError(`expected ${count} results, got ${results.length}`)
      for (let n = 0; n < count; n++) checkSquare(results[n], n)
      return { elapsed, moved: count, latencies: new Float64Array(0) }
    },
    close,
  }
}

export function checkSquare(result: unknown, n: number): void {
  if (result !== n * n) throw new CheckError(`expected ${n * n} as the square of ${n}, got ${result}`)
}

export async function ended(pool: Pool): Promise<void> {
  pool.close()
  await pool.join()
}
