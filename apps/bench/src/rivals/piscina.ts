import { fileURLToPath } from 'node:url'
import type { Rival } from './rival.js'

const filename = fileURLToPath(new URL('./rival-worker.js', import.meta.url))

export const piscina: Rival = {
  name: 'piscina',
  async open(workers) {
    const { Piscina } = await import('piscina')
    const pool = new Piscina({ filename, minThreads: workers, maxThreads: workers })
    return {
      square: n => pool.run(n, { name: 'square' }),
      sit: core => pool.run(core, { name: 'sit' }),
      close: () => pool.destroy(),
    }
  },
}
