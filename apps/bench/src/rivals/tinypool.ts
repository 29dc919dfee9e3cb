import { fileURLToPath } from 'node:url'
import type { Rival } from './rival.js'

const filename = fileURLToPath(new URL('./rival-worker.js', import.meta.url))

export const tinypool: Rival = {
  name: 'tinypool',
  async open(workers) {
    const { Tinypool } = await import('tinypool')
    const pool = new Tinypool({ filename, minThreads: workers, maxThreads: workers })
    return {
      square: n => pool.run(n, { name: 'square' }),
      sit: core => pool.run(core, { name: 'sit' }),
      close: () => pool.destroy(),
    }
  },
}
