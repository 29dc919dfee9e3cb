import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/boot.ts', 'src/boot-daemon.ts', 'src/accept-thread.ts'],
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
  splitting: true,
})
