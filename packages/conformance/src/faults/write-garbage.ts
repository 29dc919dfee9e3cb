import assert from 'node:assert/strict'
import type { BoundContext } from '@mp/core'
import { rejects, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets-faults.js'
import { ABREAST, MiB, SOON } from './limits.js'
import { assertFlat, describeGrowth, tell, usage } from './usage.js'

/** Children that write garbage. */
export const GARBAGE = 36
/** The checksum of three zeros. */
const NOTHING = targets.checksumOf(new Uint8Array(3))

export async function writeGarbage(api: BoundContext, descriptor: number): Promise<void> {
  const uncaught: unknown[] = []
  const onUncaught = (error: unknown) => void uncaught.push(error)
  process.on('uncaughtException', onUncaught)
  const before = await usage()
  let ended = 0
  let harmless = 0
  let most = 0
  try {
    for (let first = 0; first < GARBAGE; first += ABREAST) {
      const children = await Promise.all(
        Array.from({ length: ABREAST }, async (_, i) => {
          const [mine, theirs] = api.Pipe<string, string>()
          const args = [theirs as never, descriptor, makeGarbage(first + i)] as const
          const child = new api.Process({ target: targets.writeTo, args: [...args] })
          await within(child.start(), 'start')
          assert.equal(await within(mine.recv(), 'the word'), 'ready')
          return { child, mine }
        }),
      )
      const judge = async ({ child, mine }: (typeof children)[number]) => {
        await mine.send('go')
        // A few are legal by chance: then the child lives.
        const code = await child.join({ timeout: patiently(SOON / 4) })
        most = Math.max(most, process.memoryUsage().arrayBuffers)
        if (code === null) {
          harmless++
          child.kill()
        } else {
          ended++
          await rejects(child.result(), 'MP_WORKER_LOST', SOON)
        }
        assert.equal(await within(child.join(), 'join', SOON), -9)
        await rejects(mine.recv(), 'MP_EOF', SOON)
      }
      await Promise.all(children.map(judge))
    }
    assert.equal(await within(api.Process.run(targets.checksumOf, new Uint8Array(3)), 'another child'), NOTHING)
  } finally {
    process.off('uncaughtException', onUncaught)
  }
  const after = await usage()
  tell(`${ended} children ended for garbage, ${harmless} wrote what is legal; ${describeGrowth(before, after)}`)
  assert.deepEqual(uncaught, [])
  assert.ok(ended >= GARBAGE / 2, `only ${ended} of ${GARBAGE} were ended`)
  assert.ok(most < 64 * MiB, `${(most / MiB).toFixed(0)} MiB were in buffers`)
  assertFlat(before, after)
}

/** What a child writes: something that is no stream of frames, or frames with no messages in them. */
function makeGarbage(index: number): Uint8Array[] {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
  const u32 = (value: number) => new Uint8Array(new Uint32Array([value]).buffer)
  const framed = (...bytes: number[]) => [u32(bytes.length), Uint8Array.from(bytes)]
  switch (index % 12) {
    case 0:
      return [u32(0xffffffff), random(100)]
    case 1:
      return [u32(0)]
    case 2:
      return [u32(64 * MiB), random(100)]
    case 3:
      return [new TextEncoder().encode('console output that went to the wrong descriptor\n')]
    case 4:
      // A message that claims to be 4 GiB longer than its frame.
      return framed(20, 0xff, 0xff, 0xff, 0xff, 1, 2, 3)
    case 5:
      // A fragment of a message of 4 GiB.
      return framed(2, 6, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1)
    case 6:
      // In this and the next two cases: half of a second READY; a message of no known type; a result that is no value.
      return framed(17, 1, 0, 0, 0, 0)
    case 7:
      return framed(63, 4, 0, 0, 0, 1, 2, 3, 4)
    case 8:
      return framed(19, 3, 0, 0, 0, 0, 0xdf, 0xff)
    case 9:
      // Joins a channel that was never offered to another one.
      return framed(11, 8, 0, 0, 0, 99, 0, 0, 0, 98, 0, 0, 0)
    case 10: {
      const bytes = random(4_000)
      return [u32(bytes.length), bytes]
    }
    default:
      return Array.from({ length: 50 }, () => random(1 + Math.floor(Math.random() * 2_000)))
  }
}
