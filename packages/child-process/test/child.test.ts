import { activeChildren, Pipe, Process, Queue } from '@mp/child-process'
import { within } from '@mp/conformance'
import { afterEach, describe, it } from 'vitest'
import { target } from './target.js'

afterEach(async ({ expect }) => {
  const left = activeChildren()
  for (const child of left) child.kill()
  await within(Promise.all(left.map(child => child.exited)), 'the end of what a test left')
  expect(left.map(child => child.name)).toEqual([])
})

describe('a child process', () => {
  it('gives MP_SPAWN_FAILED where there is nothing to run', async ({ expect }) => {
    const { execPath } = process
    process.execPath = '/nowhere/node'
    try {
      const child = new Process({ target: target('facts') })
      await expect(within(child.start(), 'start')).rejects.toMatchObject({
        code: 'MP_SPAWN_FAILED',
        cause: { code: 'ENOENT' },
      })
    } finally {
      process.execPath = execPath
    }
    expect(await within(Process.run<[], unknown>(target('facts')), 'the next child')).toBeTruthy()
  })

  it('is ended when it writes garbage to its wire; the parent and others go on', async ({ expect }) => {
    for (const hex of ['ffffffff00', '68656c6c6f20776f726c640a', '05000000ff00000000']) {
      const [mine, theirs] = Pipe<string, string>()
      const [other, otherEnd] = Pipe<string, string>()
      const witness = new Process({ target: target('answer'), args: [otherEnd] })
      const child = new Process({ target: target('writeToItsWire'), args: [theirs, hex] })
      await within(Promise.all([witness.start(), child.start()]), 'start')
      expect(await within(mine.recv(), 'the word')).toBe('ready')
      await mine.send('go')
      await expect(within(child.result(), 'result')).rejects.toMatchObject({ code: 'MP_WORKER_LOST' })
      expect(await within(child.join(), 'join')).toBe(-9)
      await expect(within(mine.recv(), 'the end')).rejects.toMatchObject({ code: 'MP_EOF' })
      await other.send('still there?')
      expect(await within(other.recv(), 'the answer')).toBe('still there?')
      await other.close()
      expect(await within(witness.join(), 'join')).toBe(0)
    }
  })

  it('has its flags and arguments, and nothing to read', async ({ expect }) => {
    const child = new Process<[], { execArgv: string[]; argv: string[] }>({
      target: target('facts'),
      execArgv: ['--no-deprecation'],
    })
    await within(child.start(), 'start')
    const facts = await within(child.result(), 'result')
    expect(facts.execArgv).toEqual(['--no-deprecation'])
    expect(facts.argv).toEqual(process.argv.slice(2))
    expect(await within(child.join(), 'join')).toBe(0)
  })

  it('which is stopped costs its parent little memory', async ({ expect }) => {
    const [mine, theirs] = Pipe<string, never>()
    const queue = new Queue<string>(1_000)
    const child = new Process({ target: target('count'), args: [theirs] })
    await within(child.start(), 'start')
    process.kill(child.pid as number, 'SIGSTOP')
    const text = 'x'.repeat(1_024)
    const before = process.memoryUsage.rss()
    const end = performance.now() + 500
    const flood = async (send: () => Promise<void>) => {
      for (;;) {
        const left = end - performance.now()
        if (left <= 0) return
        const late = new Promise<boolean>(resolve => setTimeout(resolve, left, true))
        if (await Promise.race([send(), late])) return
      }
    }
    let sent = 0
    await flood(async () => {
      for (let i = 0; i < 50; i++) await mine.send(text)
      sent += 50
    })
    await flood(() => queue.put(text))
    expect(sent).toBeGreaterThan(50)
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(30)
    child.kill()
    expect(await within(child.join(), 'join')).toBe(-9)
  })
})
