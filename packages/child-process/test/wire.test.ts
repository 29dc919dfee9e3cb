import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { within } from '@mp/conformance'
import { describe, it, onTestFinished } from 'vitest'
import type { PipeHandle } from '../src/pipe-handle.js'
import { PipeWire } from '../src/wire.js'

/** A wire to a process that does not use the package, and what the wire has told. */
class Trial {
  readonly child: ChildProcess
  readonly wire: PipeWire
  readonly frames: Uint8Array[] = []
  readonly beside: (readonly object[] | undefined)[] = []
  readonly closed: Promise<Error | undefined>
  drained = 0
  #onFrame = () => {}
  #onDrain = () => {}

  constructor(act: string) {
    const path = fileURLToPath(new URL('./fixtures/raw-peer.mjs', import.meta.url))
    this.child = spawn(process.execPath, [path, act], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] })
    const stream = this.child.stdio[3] as Socket & { _handle: PipeHandle | null }
    const handle = stream._handle as PipeHandle
    stream._handle = null
    this.wire = new PipeWire({ handle }, false)
    this.closed = new Promise(resolve => {
      this.wire.start({
        frame: (bytes, beside) => {
          this.frames.push(bytes)
          this.beside.push(beside)
          this.#onFrame()
        },
        drain: () => {
          this.drained++
          this.#onDrain()
        },
        close: resolve,
      })
    })
    onTestFinished(() => {
      this.child.kill('SIGKILL')
      this.wire.close()
    })
  }

  async framesCame(count: number): Promise<void> {
    while (this.frames.length < count) {
      const next = new Promise<void>(resolve => {
        this.#onFrame = resolve
      })
      await within(next, `frame ${this.frames.length + 1}`)
    }
  }

  async drain(): Promise<void> {
    const before = this.drained
    while (this.drained === before) {
      const next = new Promise<void>(resolve => {
        this.#onDrain = resolve
      })
      await within(next, 'drain')
    }
  }
}

function frame(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (seed + i * 7) & 0xff
  return bytes
}

describe('a wire', () => {
  for (const act of ['bomb', 'zeros', 'text', 'heap']) {
    it(`closes with MP_DECODE when what comes is no frame (${act})`, async ({ expect }) => {
      const before = process.memoryUsage().rss
      const trial = new Trial(act)
      expect(await within(trial.closed, 'close')).toMatchObject({ code: 'MP_DECODE' })
      expect(trial.frames).toEqual(act === 'bomb' ? [Uint8Array.of(1, 2, 3)] : [])
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
    })
  }

  it('puts frames together, and drops half a frame at the end', async ({ expect }) => {
    const trial = new Trial('drip')
    expect(await within(trial.closed, 'close')).toBeUndefined()
    expect(trial.frames).toEqual([Uint8Array.of(7, 8, 9)])
  })

  it('carries frames of all sizes, in order, in memory of their own', async ({ expect }) => {
    const trial = new Trial('echo')
    const sizes = [1, 3, 64, 96, 97, 128, 4_096, 32_768, 32_769, 65_532, 65_536, 65_537, 262_144, 1_048_576]
    for (let round = 0; round < 3; round++) {
      for (const [index, size] of sizes.entries()) trial.wire.send(frame(size, round + index))
    }
    await trial.framesCame(3 * sizes.length)
    for (const [at, got] of trial.frames.entries()) {
      const index = at % sizes.length
      const sent = frame(sizes[index] as number, Math.floor(at / sizes.length) + index)
      if (Buffer.compare(got, sent) !== 0) expect.fail(`frame ${at}, of ${sent.length} bytes, arrived as ${got.length}`)
    }
  })

  it('carries buffers beside a frame, in memory of their own', async ({ expect }) => {
    const trial = new Trial('echo')
    const sizes = [
      [65_536],
      [],
      [0, 1, 1_048_576],
      [32_768, 32_768],
      Array.from({ length: 100 }, (_, i) => 700 * i),
      [3],
    ]
    const sent = sizes.map((each, i) => each.map((size, j) => frame(size, i + j).buffer))
    for (const [i, beside] of sent.entries())
      trial.wire.send(frame(10 + 40_000 * (i % 2), i), beside.length > 0 ? beside : undefined)
    await trial.framesCame(sizes.length)
    for (const [i, got] of trial.frames.entries()) {
      expect(got).toEqual(frame(10 + 40_000 * (i % 2), i))
      const beside = (trial.beside[i] ?? []) as ArrayBuffer[]
      expect(beside.map(each => each.byteLength)).toEqual(sizes[i])
      for (const [j, each] of beside.entries()) {
        if (Buffer.compare(Buffer.from(each), Buffer.from(sent[i]?.[j] as ArrayBuffer)) !== 0)
          expect.fail(`buffer ${j} of frame ${i}`)
      }
    }
  })

  it('asks to wait above its high-water mark, and tells when there is room', async ({ expect }) => {
    const trial = new Trial('late')
    let sent = 0
    let bytes = 0
    while (trial.wire.send(frame(50_000, 0))) {
      bytes += 50_004
      if (++sent > 100) expect.fail('5 MB went to a process that reads nothing')
    }
    bytes += 50_004
    trial.child.stdin?.write('!')
    await trial.drain()
    expect(trial.wire.send(frame(10, 0))).toBe(true)
    bytes += 14
    const told = new Promise<string>(resolve => trial.child.stdout?.once('data', resolve))
    // What was sent before the close arrives, although the kernel has not taken it all.
    trial.wire.close()
    expect(Number(await within(told, 'the count'))).toBe(bytes)
  })

  it('has core go on when the process exits, and takes all that follows within the call', async ({ expect }) => {
    const trial = new Trial('late')
    while (trial.wire.send(frame(50_000, 0)));
    trial.child.stdin?.write('!')
    trial.wire.exit()
    expect(trial.drained).toBe(1)
    for (let i = 0; i < 20; i++) expect(trial.wire.send(frame(300_000, i))).toBe(true)
  })

  it('gives what the other side had sent before it went, also when a send has failed', async ({ expect }) => {
    const trial = new Trial('farewell')
    let gone = false
    void trial.closed.then(() => {
      gone = true
    })
    while (!gone) {
      trial.wire.send(frame(60_000, 0))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(await trial.closed).toBeUndefined()
    expect(trial.frames.map(each => each[0])).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(trial.wire.send(frame(10, 0))).toBe(true)
  })

  it('gives what came over a connection that was made and reset before this event loop heard of it', async ({
    expect,
  }) => {
    const folder = mkdtempSync(join(tmpdir(), 'mp-wire-'))
    const path = join(folder, 'socket')
    // It reads nothing: so its close resets the connection.
    const server = createServer({ pauseOnConnect: true }, socket => {
      socket.write(Buffer.concat([0, 1, 2].map(i => Buffer.from([1, 0, 0, 0, i]))))
      socket.destroy()
    })
    onTestFinished(() => {
      server.close()
      rmSync(folder, { recursive: true })
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    const wire = new PipeWire({ path }, false)
    const got: Uint8Array[] = []
    const end = new Promise<Error | undefined>(resolve =>
      wire.start({ frame: bytes => got.push(bytes), drain() {}, close: resolve }),
    )
    wire.send(frame(10, 0))
    expect(await within(end, 'close')).toBeUndefined()
    expect(got).toEqual([Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(2)])
  })

  it('closes with the error of a connection that is refused', async ({ expect }) => {
    const wire = new PipeWire({ path: join(tmpdir(), 'mp-nobody-listens-here') }, false)
    const end = new Promise<Error | undefined>(resolve => wire.start({ frame() {}, drain() {}, close: resolve }))
    expect(await within(end, 'close')).toMatchObject({ code: 'ENOENT' })
  })

  for (const size of [10, 100_000]) {
    it(`closes with the error of a write that fails while the other side lives (${size} bytes)`, async ({ expect }) => {
      const fixture = fileURLToPath(new URL('./fixtures/read-only-wire.mjs', import.meta.url))
      const trial = spawn('sh', ['-c', `sleep 3 | "${process.execPath}" "${fixture}" ${size}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const told = await within(new Promise(resolve => trial.stdout.once('data', resolve)), 'the error')
      expect(String(told)).toBe('EBADF\n')
    })
  }

  it('closes once when the other side is gone; a send then does nothing', async ({ expect }) => {
    const trial = new Trial('exit')
    expect(await within(trial.closed, 'close')).toBeUndefined()
    for (let i = 0; i < 100; i++) expect(trial.wire.send(frame(100_000, i))).toBe(true)
    trial.wire.close()
    trial.wire.close()
  })

  it('receives while the event loop stands still', async ({ expect }) => {
    const trial = new Trial('echo')
    trial.wire.send(frame(10, 1))
    await trial.framesCame(1)
    trial.wire.send(frame(10, 2))
    expect(trial.wire.receiveSync(10_000)).toBe(true)
    expect(trial.frames[1]).toEqual(frame(10, 2))
    expect(trial.wire.receiveSync(1)).toBe(false)
  })
})
