import { patiently } from './patience.js'
import { runSoak, type SoakOptions } from './soak/run-soak.js'
import type { ConformanceOptions } from './suite.js'

/**
 * Declares one test: a soak of the transport. It fails at the first violation of the contract, with all that is known of it. The
 * environment may give the seed, MP_CONFORMANCE_SEED.
 */
export function soak({ describe, test, name, ...options }: ConformanceOptions & Pick<SoakOptions, 'seconds'>): void {
  const { transport, seconds = 15 } = options
  const timeout = seconds * 1000 + patiently(90_000)
  describe(`soak of ${name ?? transport.name}`, () => {
    test(`${seconds} s of mixed traffic, kills, exits and moves`, { timeout, skip: false }, async () => {
      const seed = Number(process.env.MP_CONFORMANCE_SEED)
      const { summary, violations, trace } = await runSoak({ ...options, ...(seed > 0 && { seed }) })
      process.stdout.write(`${summary}\n`)
      if (violations.length > 0) throw new Error([...violations, summary, ...trace].join('\n'))
    })
  })
}
