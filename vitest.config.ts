import { defineConfig } from 'vitest/config'

/** More for a slow machine: the same variable as scales the limits of the suite. */
const patience = Math.max(1, Number(process.env.MP_CONFORMANCE_PATIENCE ?? 8_000) / 8_000)

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'apps/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
    ],
    // Children are threads and processes of their own: a pool of processes keeps what one file leaks from another.
    pool: 'forks',
    testTimeout: 20_000 * patience,
    hookTimeout: 20_000 * patience,
    reporters: ['default', './scripts/summary-reporter.mjs'],
  },
})
