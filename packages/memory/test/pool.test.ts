import { patiently } from '@mp/conformance'
import { createContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { activeChildren, Pool, transport } from '@mp/memory'
import { expect, test } from 'vitest'

export function square(n: number): number {
  return n * n
}

test('PL4 when a worker cannot be started, those before it end, and every job hears why', async () => {
  let spawned = 0
  const failing: Transport = {
    ...transport,
    spawn(options) {
      if (++spawned === 3) throw new Error('no more of them')
      return transport.spawn(options)
    },
  }
  const context = createContext(failing)
  const pool = new context.Pool(4)
  const error = await pool.apply(square, [2]).catch(error => error)
  expect(error).toMatchObject({ code: 'MP_BROKEN_POOL', cause: { code: 'MP_SPAWN_FAILED' } })
  expect(error.message).toContain('no more of them')
  await pool.join({ timeout: patiently(5000) })
  expect(context.activeChildren()).toEqual([])
})

test('a worker that cannot be replaced at once is tried again, later each time', async () => {
  let refusals = 0
  const moody: Transport = {
    ...transport,
    spawn(options) {
      if (refusals > 0 && refusals-- > 0) throw new Error('not now')
      return transport.spawn(options)
    },
  }
  const { Pool: MoodyPool } = createContext(moody)
  await using pool = new MoodyPool(1, { maxTasksPerChild: 1 })
  refusals = 0
  const first = pool.apply(square, [2])
  refusals = 3
  expect(await first).toBe(4)
  expect(await pool.apply(square, [3])).toBe(9)
  expect(refusals).toBe(0)
})

test('PL5 two hundred workers', async () => {
  const pool = new Pool(200)
  expect(activeChildren()).toHaveLength(200)
  const numbers = Array.from({ length: 1000 }, (_, n) => n)
  expect(await pool.map(square, numbers)).toEqual(numbers.map(square))
  pool.close()
  await pool.join({ timeout: patiently(5000) })
  expect(activeChildren()).toEqual([])
})
