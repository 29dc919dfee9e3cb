import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineConfig, type Options } from 'tsup'

/** All that is loaded by itself. `register-handles` is no entry, but it is imported later than the rest. */
const LOADED = ['src/index.ts', 'src/pool/worker-entry.ts', 'src/boot/register-handles.ts'].map(path => resolve(path))
const SPI = resolve('src/spi.ts')

/**
 * Lets every file of `LOADED` import spi.ts. So all that a child loads first is one chunk. Without this it is five chunks, and
 * a worker starts 3 ms later.
 */
const oneFirstChunk: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'one-first-chunk',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!LOADED.includes(path)) return undefined
      const source = await readFile(path, 'utf8')
      // On the first line, so that source maps keep their line numbers.
      return { contents: `import ${JSON.stringify(SPI)};${source}`, loader: 'ts' }
    })
  },
}

export default defineConfig({
  entry: { index: 'src/index.ts', spi: 'src/spi.ts', 'pool-worker': 'src/pool/worker-entry.ts' },
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
  splitting: true,
  esbuildPlugins: [oneFirstChunk],
  esbuildOptions(options) {
    // package.json says that no import has side effects. That is for the bundlers of users. It would drop the plug-in's imports.
    options.ignoreAnnotations = true
  },
})
