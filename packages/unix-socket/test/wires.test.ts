import { within } from '@mp/conformance'
import { activeChildren, type Connection, Pipe, Process, Queue } from '@mp/unix-socket'
import { afterEach, describe, it } from 'vitest'
import { target } from './target.js'

const module = new URL('../dist/index.js', import.meta.url).href

async function start<A extends unknown[]>(name: string, ...args: A): Promise<Process<A, unknown>> {
  const child = new Process<A, unknown>({ target: target(name) as never, args })
  await within(child.start(), 'start')
  return child
}

afterEach(async ({ expect }) => {
  const left = activeChildren()
  for (const child of left) child.kill()
  await within(Promise.all(left.map(child => child.exited)), 'the end of what a test left')
  expect(left.map(child => child.name)).toEqual([])
})

describe('a wire between siblings', () => {
  it('leads past their parent: they talk while it stands still', async ({ expect }) => {
    const [a, b] = Pipe()
    const [orders, ordersEnd] = Pipe()
    const echo = await start('echo', b)
    const trips = await start('trips', a, ordersEnd)
    // The first trips go through this context. How soon the siblings are connected depends on the machine.
    let passedBy = false
    for (let attempt = 0; attempt < 20 && !passedBy; attempt++) {
      await orders.send(200)
      await new Promise(resolve => setImmediate(resolve))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250)
      const woke = Date.now()
      passedBy = ((await within(orders.recv(), 'the trips')) as number) < woke
    }
    expect(passedBy).toBe(true)
    await orders.close()
    await Promise.all([trips.join(), echo.join()])
  })

  it('keeps order and loses nothing while it goes over to the direct connection', async ({ expect }) => {
    const sent = Array.from({ length: 3_000 }, (_, i) => i)
    for (let round = 0; round < 5; round++) {
      const [a, b] = Pipe()
      const [c, d] = Pipe()
      const children = await Promise.all([
        start('sendAll', a, sent),
        start('receiveAll', b),
        start('receiveAll', c),
        start('sendAll', d, sent),
      ])
      const [, first, second] = await within(Promise.all(children.map(child => child.result())), 'results')
      expect(first).toEqual(sent)
      expect(second).toEqual(sent)
      await Promise.all(children.map(child => child.join()))
    }
  })

  it('brings what was sent before the other side was there, also by one that has exited', async ({ expect }) => {
    const [a, b] = Pipe()
    const sender = await start('sendAndExit', a, 100, 100_000)
    expect(await within(sender.join(), 'join')).toBe(0)
    const receiver = await start('receiveAll', b)
    const expected = Array.from({ length: 100 }, (_, i) => [i, 100_000])
    expect(await within(receiver.result(), 'result')).toEqual(expected)
    await receiver.join()
  })
})

describe('a ticket', () => {
  it('opens when the context that made it has ended, both ends elsewhere', async ({ expect }) => {
    const queue = new Queue<[Connection, Connection]>()
    const maker = await start('makePipe', module, queue)
    expect(await within(maker.join(), 'join')).toBe(0)
    const [a, b] = await within(queue.get(), 'get')
    const sender = await start('sendAll', a, ['x', 'y'])
    const receiver = await start('receiveAll', b)
    expect(await within(receiver.result(), 'result')).toEqual(['x', 'y'])
    await Promise.all([sender.join(), receiver.join()])
  })

  it('that was never opened closes with its context, however that ends', async ({ expect }) => {
    for (const how of ['end', 'kill'] as const) {
      const [mine, theirs] = Pipe()
      const [orders, ordersEnd] = Pipe()
      const child = await start('waitFor', ordersEnd, theirs)
      expect(await within(orders.recv(), 'the word')).toBe('running')
      const ended = expect(within(mine.recv(), 'the end', 1_500)).rejects.toMatchObject({ code: 'MP_EOF' })
      if (how === 'kill') child.kill()
      else await orders.send('end')
      await ended
      await within(child.join(), 'join')
      await mine.send(1).catch(() => {})
      await Promise.all([mine.close(), orders.close()])
    }
  })

  it('that was handed on, unopened, lives on when the one who handed it on is killed', async ({ expect }) => {
    const [a, b] = Pipe()
    const [orders, ordersEnd] = Pipe()
    const [mine, theirs] = Pipe<never, Connection>()
    const child = await start('handOn', ordersEnd, b, theirs)
    expect(await within(orders.recv(), 'the word')).toBe('handed on')
    child.kill()
    await within(child.join(), 'join')
    // Longer than the rendezvous waits before it closes what a dead context held.
    await new Promise(resolve => setTimeout(resolve, 300))
    const back = await within(mine.recv(), 'the end')
    await a.send('alive')
    expect(await within(back.recv(), 'recv')).toBe('alive')
    await Promise.all([a.close(), back.close(), mine.close(), orders.close()])
  })

  it('in a message that nobody reads closes when its reader is killed, or closes', async ({ expect }) => {
    for (const how of ['kill', 'close'] as const) {
      const [near, far] = Pipe()
      const [mine, theirs] = Pipe()
      const [orders, ordersEnd] = Pipe()
      const child = await start('waitFor', ordersEnd, theirs)
      expect(await within(orders.recv(), 'the word')).toBe('running')
      await mine.send(far)
      if (how === 'kill') child.kill()
      else await orders.send('end')
      await expect(within(near.recv(), 'the end', 1_500)).rejects.toMatchObject({ code: 'MP_EOF' })
      await within(child.join(), 'join')
      await Promise.all([near.close(), mine.close(), orders.close()])
    }
  })
})
