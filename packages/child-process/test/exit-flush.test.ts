import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Pipe, Process, Queue } from '@mp/child-process'
import { within } from '@mp/conformance'
import { describe, it } from 'vitest'
import { target } from './target.js'

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

  for (let run = 1; run <= 10; run++) {
    it(`flushes them to a parent that stands still meanwhile, run ${run} of 10`, async ({ expect }) => {
      const queue = new Queue<{ i: number; text: string }>()
      const child = new Process({ target: target('putAndExit'), args: [queue, 5_000, 1_024] })
      await within(child.start(), 'start')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
      for (let i = 0; i < 5_000; i++) {
        const item = await within(queue.get(), `item ${i}`)
        if (item.i !== i) expect(item.i).toBe(i)
      }
      expect(await within(child.join(), 'join')).toBe(0)
      await queue.close()
    })

    it(`flushes them to a sibling that reads, run ${run} of 10`, async ({ expect }) => {
      const [theirs, mine] = Pipe(false)
      const reader = new Process({ target: target('countInOrder'), args: [theirs] })
      const child = new Process({ target: target('sendItemsAndExit'), args: [mine, 5_000, 1_024] })
      await within(Promise.all([reader.start(), child.start()]), 'start')
      expect(await within(child.join(), 'join')).toBe(0)
      expect(await within(reader.result(), 'result')).toBe(5_000)
      expect(await within(reader.join(), 'join')).toBe(0)
    })

    it(`flushes them to a queue of its own that its parent takes over, run ${run} of 10`, async ({ expect }) => {
      const [mine, theirs] = Pipe<never, Queue<{ i: number; text: string }>>()
      const child = new Process({ target: target('ownQueuePutAndExit'), args: [theirs, 5_000, 1_024] })
      await within(child.start(), 'start')
      const queue = await within(mine.recv(), 'the queue')
      expect(await within(child.join(), 'join')).toBe(0)
      for (let i = 0; i < 5_000; i++) {
        const item = await within(queue.get(), `item ${i}`)
        if (item.i !== i) expect(item.i).toBe(i)
      }
      await expect(within(queue.getNowait(), 'one more')).rejects.toMatchObject({ code: 'MP_EMPTY' })
      await queue.close()
    })
  }

  it('the main program gives its children what it sent them before its process.exit()', async ({ expect }) => {
    const path = fileURLToPath(new URL('./fixtures/main-exit.mjs', import.meta.url))
    const program = spawn(process.execPath, [path, '2000', '1024'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let told = ''
    program.stdout.on('data', chunk => {
      told += chunk
    })
    // The child, which outlives the program, holds the other end of this pipe.
    await within(once(program.stdout, 'end'), 'the end of both')
    expect(told).toBe('2000 in order')
  })

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
