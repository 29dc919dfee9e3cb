import { defineConfig } from 'tsup'

export default defineConfig({
  // File by file: children import the targets alone, and `node` runs the programs.
  entry: ['src/**/*.ts'],
  bundle: false,
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
})
