import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { patiently } from '@mp/conformance'
import { describe, it } from 'vitest'

const path = fileURLToPath(new URL('./fixtures/connecting.mjs', import.meta.url))

/** What the program tells. `limit`: how many descriptors a process may have. */
function run(args: readonly (string | number)[], limit = 4096) {
  return new Promise<{ told: unknown; stderr: string }>((resolve, reject) => {
    const shell = ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, path, ...args.map(String)]
    execFile('/bin/sh', shell, { timeout: patiently(50_000), killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(`it told nothing: ${stderr}`, { cause: error }))
      else resolve({ told: JSON.parse(stdout), stderr })
    })
  })
}

describe('a wire that cannot be connected at once', { timeout: patiently(60_000) }, () => {
  for (const what of ['pipes', 'queues']) {
    it(`loses nothing when the queue of the listening socket is full (${what})`, async ({ expect }) => {
      const { told } = await run([what])
      expect(told).toEqual([{ right: 1_200 }, { ok: 1_200 }, 0])
    })
  }

  for (const limit of [40, 48, 64]) {
    it(`loses nothing in silence when the main process may have ${limit} descriptors`, async ({ expect }) => {
      const { told } = await run(['descriptors'], limit)
      const [claimed, arrived] = told as [number, number]
      expect(claimed).toBeGreaterThan(0)
      expect(arrived).toBe(claimed)
    })
  }

  for (const size of [10, 5_000, 200_000]) {
    it(`brings what the main program sent before its process.exit() (${size} bytes)`, async ({ expect }) => {
      const { told, stderr } = await run(['exit', size])
      expect({ told, stderr }).toEqual({ told: [3 * size, 'MP_EOF'], stderr: '' })
    })
  }
})

describe('a worker of node:cluster', () => {
  it('has children', { timeout: patiently(60_000) }, async ({ expect }) => {
    expect((await run(['cluster'])).told).toEqual([0, 5, 7])
  })
})
