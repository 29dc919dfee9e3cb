import { Pipe, Process, Queue } from '@mp/child-process'
import { describe, it } from 'vitest'
import { target, within } from './bounded.js'

describe('a child that exits', () => {
  for (let run = 1; run <= 10; run++) {
    it(`flushes 5,000 puts of 1 kB before its process.exit(), run ${run} of 10`, async ({ expect }) => {
      const queue = new Queue<{ i: number; text: string }>()
      const child = new Process({ target: target('putAndExit'), args: [queue, 5_000, 1_024] })
      await within(child.start(), 'start')
      for (let i = 0; i < 5_000; i++) {
        const item = await within(queue.get(), `item ${i}`)
        if (item.i !== i || item.text.length !== 1_024) expect(item).toEqual({ i, text: 'x'.repeat(1_024) })
      }
      expect(await within(child.join(), 'join')).toBe(0)
      await queue.close()
    })
  }

  it('waits for a parent that does not read, and goes on when it does', async ({ expect }) => {
    const [mine, theirs] = Pipe<never, Uint8Array>()
    const child = new Process({ target: target('sendAndExit'), args: [theirs, 200, 100_000] })
    await within(child.start(), 'start')
    // 20 MB: neither the kernel nor the link takes it, and this thread stands still meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    for (let i = 0; i < 200; i++) {
      const bytes = await within(mine.recvBytes(), `message ${i}`)
      if (bytes.length !== 100_000 || bytes[0] !== i) expect([bytes.length, bytes[0]]).toEqual([100_000, i])
    }
    await expect(within(mine.recvBytes(), 'the end')).rejects.toMatchObject({ code: 'MP_EOF' })
    expect(await within(child.join(), 'join')).toBe(0)
  })
})
