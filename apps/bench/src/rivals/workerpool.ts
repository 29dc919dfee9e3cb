import { fileURLToPath } from 'node:url'
import type { Rival } from './rival.js'

const script = fileURLToPath(new URL('./workerpool-worker.js', import.meta.url))

export const workerpool: Rival = {
  name: 'workerpool',
  async open(workers) {
    const { default: library } = await import('workerpool')
    const pool = library.pool(script, { minWorkers: workers, maxWorkers: workers, workerType: 'thread' })
    return {
      square: async n => pool.exec('square', [n]),
      sit: async core => {
        await pool.exec('sit', [core])
      },
      close: async () => {
        await pool.terminate()
      },
    }
  },
}
