import { PassThrough, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'vitest'
import { relayLines } from '../src/process/relay-lines.js'

/** A stream whose reader takes a chunk only when it is told to. */
class SlowReader extends Writable {
  text = ''
  #taken: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 16 })
  }

  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.text += chunk
    this.#taken = done
  }

  take(): void {
    this.#taken?.()
  }
}

function collecting(): { to: Writable; text(): string } {
  const chunks: Buffer[] = []
  const to = new Writable({
    write(chunk, _, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { to, text: () => Buffer.concat(chunks).toString() }
}

describe('relayLines', () => {
  it('puts the name before each line, wherever chunks are cut', async ({ expect }) => {
    const from = new PassThrough()
    const { to, text } = collecting()
    const relayed = relayLines(from, to, 'a')
    for (const chunk of ['one\ntw', 'o\n', '\nthr', 'ee']) from.write(chunk)
    from.end()
    await relayed
    expect(text()).toBe('[a] one\n[a] two\n[a] \n[a] three\n')
  })

  it('reads no more while its own reader is slow, and waits for it at the end', async ({ expect }) => {
    const from = new PassThrough()
    const to = new SlowReader()
    let done = false
    const relayed = relayLines(from, to, 'a').then(() => {
      done = true
    })
    from.write('a line that fills the buffer\n')
    await sleep(0)
    expect(from.isPaused()).toBe(true)
    from.end('another\n')
    await sleep(20)
    expect(done).toBe(false)
    const taking = setInterval(() => to.take(), 1)
    await relayed
    clearInterval(taking)
    expect(to.text).toBe('[a] a line that fills the buffer\n[a] another\n')
  })

  it('ends when its own reader breaks while it waits for room', async ({ expect }) => {
    const from = new PassThrough()
    const to = new SlowReader()
    to.on('error', () => {})
    const relayed = relayLines(from, to, 'a')
    from.write('a line that fills the buffer\n')
    await sleep(0)
    to.destroy(new Error('EPIPE'))
    from.end('dropped\n')
    await relayed
    expect(from.readableEnded).toBe(true)
  })

  it('cuts a line that has no end, and keeps none of it', async ({ expect }) => {
    const from = new PassThrough()
    const { to, text } = collecting()
    const relayed = relayLines(from, to, 'a')
    const [long, rest] = ['x'.repeat(70_000), 'y'.repeat(10)]
    from.write(long)
    await sleep(0)
    expect(text()).toBe(`[a] ${long}\n`)
    from.end(rest)
    await relayed
    expect(text()).toBe(`[a] ${long}\n[a] ${rest}\n`)
  })

  it('reads on, although its own reader is slow, when the child has ended', async ({ expect }) => {
    const from = new PassThrough()
    const to = new SlowReader()
    let end = () => {}
    const ended = new Promise<void>(resolve => {
      end = resolve
    })
    const relayed = relayLines(from, to, 'a', ended)
    from.write('a line that fills the buffer\n')
    await sleep(0)
    expect(from.isPaused()).toBe(true)
    end()
    await sleep(0)
    expect(from.isPaused()).toBe(false)
    const taking = setInterval(() => to.take(), 1)
    from.end('another\n')
    await relayed
    clearInterval(taking)
    expect(to.text).toBe('[a] a line that fills the buffer\n[a] another\n')
  })

  it('ends when what it reads fails', async ({ expect }) => {
    const from = new PassThrough()
    const { to, text } = collecting()
    const relayed = relayLines(from, to, 'a')
    from.write('whole\nhalf')
    await sleep(0)
    from.destroy(new Error('EIO'))
    await relayed
    expect(text()).toBe('[a] whole\n[a] half\n')
  })

  it('writes nothing to a reader that is gone, although its stream takes it', async ({ expect }) => {
    const from = new PassThrough()
    const { to, text } = collecting()
    const relayed = relayLines(from, to, 'a')
    // As stdout does when its pipe breaks: it is not destroyed.
    to.emit('close')
    from.end('dropped\n')
    await relayed
    expect(text()).toBe('')
  })

  it('adds no listeners for further children', async ({ expect }) => {
    const { to } = collecting()
    const count = () => to.eventNames().reduce((sum, name) => sum + to.listenerCount(name), 0)
    const all = Array.from({ length: 20 }, () => new PassThrough())
    const relayed = all.map(from => relayLines(from, to, 'a'))
    expect(count()).toBeLessThan(5)
    for (const from of all) from.end('line\n')
    await Promise.all(relayed)
  })

  it('waits a second for a stream that stays open when the child has ended, and goes on writing', async ({
    expect,
  }) => {
    const from = new PassThrough()
    const { to, text } = collecting()
    const start = performance.now()
    const relayed = relayLines(from, to, 'a', Promise.resolve())
    from.write('before\n')
    await relayed
    expect(performance.now() - start).toBeLessThan(2_000)
    from.write('after\n')
    await sleep(0)
    expect(text()).toBe('[a] before\n[a] after\n')
  })
})
