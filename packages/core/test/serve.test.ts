import { expect, it } from 'vitest'
import { serve } from '../src/boot/serve.js'
import { LocalWire } from '../src/link/local-wire.js'
import { stubTransport } from './stub-transport.js'

function timers(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
}

it('a child in its creator’s thread that is killed before its order comes keeps nothing alive', async () => {
  const before = timers()
  const [creators, childs] = LocalWire.pair()
  const code = serve(stubTransport({ isolation: 'none' }), childs)
  expect(timers()).toBe(before + 1)
  creators.close()
  expect(await code).toBe(1)
  await new Promise(resolve => setImmediate(resolve))
  expect(timers()).toBe(before)
})
