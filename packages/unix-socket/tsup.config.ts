import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/boot.ts', 'src/boot-daemon.ts'],
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
  splitting: true,
})
