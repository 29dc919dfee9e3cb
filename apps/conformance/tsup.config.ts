import { defineConfig } from 'tsup'

export default defineConfig({
  // node:test runs the suite as a program of its own.
  entry: { main: 'src/main.ts', suite: 'src/suite.ts' },
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
  splitting: true,
  // node:test has no name without the prefix.
  removeNodeProtocol: false,
})
