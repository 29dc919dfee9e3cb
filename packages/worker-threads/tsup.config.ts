import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/boot.ts', 'src/spi.ts'],
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
  splitting: true,
})
