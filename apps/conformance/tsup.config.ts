import { defineConfig } from 'tsup'

export default defineConfig({
  // The suite and the soak of one transport are programs of their own.
  entry: { main: 'src/main.ts', suite: 'src/suite.ts', soak: 'src/soak.ts', 'soak-one': 'src/soak-one.ts' },
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
  splitting: true,
  // node:test has no name without the prefix.
  removeNodeProtocol: false,
})
