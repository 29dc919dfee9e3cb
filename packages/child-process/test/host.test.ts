import { activeChildren, Pipe, Pool, Process } from '@mp/child-process'
import { within } from '@mp/conformance'
import { describe, it, onTestFinished } from 'vitest'

/** As in Deno, which runs programs of Node.js. */
function pretendDeno(): void {
  Object.assign(globalThis, { Deno: {} })
  onTestFinished(() => {
    Reflect.deleteProperty(globalThis, 'Deno')
  })
}

const byName = { module: new URL('./fixtures/targets.mjs', import.meta.url), export: 'nothing' }

describe('in what is not Node.js', () => {
  it('start() refuses at once, leaves no child, and moves nothing', async ({ expect }) => {
    pretendDeno()
    const [mine, theirs] = Pipe()
    const child = new Process({ target: byName as never, args: [theirs] })
    await expect(within(child.start(), 'start', 1_000)).rejects.toMatchObject({
      code: 'MP_NOT_SUPPORTED',
      message: expect.stringContaining('Deno'),
    })
    expect([child.pid, activeChildren(), theirs.closed]).toEqual([null, [], false])
    await Promise.all([mine.close(), theirs.close()])
  })

  it('a pool refuses its jobs', async ({ expect }) => {
    pretendDeno()
    const pool = new Pool(1)
    const refused = expect(within(pool.apply(byName as never, []), 'apply', 2_000)).rejects
    await refused.toSatisfy(error => error.code === 'MP_NOT_SUPPORTED' || error.cause?.code === 'MP_NOT_SUPPORTED')
    pool.terminate()
    await within(pool.join(), 'join')
  })
})
