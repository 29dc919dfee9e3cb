import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { patiently } from '@mp/conformance'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('fixtures/imap-million.mjs', import.meta.url))

test('a million items through imap with a slow consumer keep memory flat', { timeout: patiently(60_000) }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: patiently(55_000) })
  const { taken, ahead, growth } = JSON.parse(stdout)
  expect(taken).toBe(1_000_000)
  // 16 chunks of 50 items for each of two workers, and the chunk that is being taken.
  expect(ahead).toBeLessThanOrEqual(1600)
  expect(growth).toBeLessThan(8)
})
