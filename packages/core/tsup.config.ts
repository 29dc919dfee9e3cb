import { defineConfig } from 'tsup'

const shared = { target: 'node20', sourcemap: true } as const

export default defineConfig([
  {
    ...shared,
    entry: { index: 'src/index.ts', spi: 'src/spi.ts', 'pool-worker': 'src/pool/worker-entry.ts' },
    format: 'esm',
    // All but what the other build writes at the same time.
    clean: ['!**/*.cjs*'],
    splitting: true,
    esbuildOptions(options) {
      // Every entry imports `spi.ts`, for nothing but this: what a child loads first is then one chunk, where it were
      // five, and a worker starts 3 ms earlier. 'sideEffects' of package.json, for users' bundlers, would drop such imports.
      options.ignoreAnnotations = true
    },
  },
  {
    ...shared,
    entry: { 'msgpackr-reader': 'src/codec/msgpackr-entry.ts' },
    format: 'cjs',
    // A copy of msgpackr's reader: nobody else's extensions in our decoder.
    noExternal: ['msgpackr'],
    esbuildOptions(options) {
      // The entry of its reader alone; under 'node' it is that of all of msgpackr.
      options.conditions = ['browser']
    },
  },
])
