/** What children do with handles, above all with the ends of pipes that move. */

import type { Connection, Lock, Queue } from '@mp/core'
import { loadContext } from './load-context.js'
import { echo, obey } from './targets.js'

/** Starts its own child, to which the pipe moves, and which uses it. */
export async function handOnPipe(module: string, pipe: Connection, first: number): Promise<unknown[]> {
  const { Process } = await loadContext(module)
  const received: unknown[] = []
  for (let i = 0; i < first; i++) received.push(await pipe.recv())
  const child = new Process({ target: echo, args: [pipe] })
  await child.start()
  const code = await child.join()
  return [...received, code]
}

/** Receives a handle in an item or a message, and uses it. */
export async function useReceived(from: Queue | Connection, how: 'item' | 'message'): Promise<unknown> {
  const received = how === 'item' ? await (from as Queue).get() : await (from as Connection).recv()
  const { inner } = received as { inner: { queue?: Queue; pipe?: Connection } }
  if (inner.queue) await inner.queue.put('from the child')
  if (!inner.pipe) return undefined
  await inner.pipe.send('from the child')
  return inner.pipe.recv()
}

/** Sends one end of a new pipe away, used before or not, and receives over the other. */
export async function sendPipeAway(
  module: string,
  to: Connection,
  unread: readonly unknown[],
  used: boolean,
): Promise<unknown> {
  const { Pipe } = await loadContext(module)
  const [mine, theirs] = Pipe()
  for (const each of unread) await mine.send(each)
  if (used && !(await theirs.poll(null))) throw new Error('nothing arrived')
  await to.send({ inner: theirs })
  return mine.recv()
}

/** Starts a child that echoes and outlives it. */
export async function startEchoBelow(
  module: string,
  pipe: Connection,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { Process } = await loadContext(module)
  const child = new Process({ target: echo, args: [pipe], daemon: false })
  await child.start()
  await obey(orders)
}

export async function callAndClose(pipe: Connection, values: readonly unknown[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const value of values) {
    await pipe.send(value)
    answers.push(await pipe.recv())
  }
  await pipe.close()
  return answers
}

export async function addToShared(first: Int32Array, pipe: Connection): Promise<void> {
  Atomics.add(first, 0, 1)
  await pipe.send('added')
  const { again } = (await pipe.recv()) as { again: Int32Array }
  Atomics.add(again, 0, 1)
  await pipe.send('added')
}

export async function sendHuge(pipe: Connection, size: number): Promise<void> {
  const bytes = new Uint8Array(size)
  for (;;) await pipe.send(bytes)
}

/** Gets two handles of each, closes one, and uses the other. Gives the codes with which the closed ones refuse. */
export async function closeOneOfTwo(orders: Connection<unknown, [Queue<string>, Lock]>): Promise<unknown[]> {
  const [queue, lock] = await orders.recv()
  const [otherQueue, otherLock] = await orders.recv()
  await Promise.all([queue.close(), lock.close()])
  await otherQueue.put('over the other one')
  await (await otherLock.acquire()).release()
  const refused = [queue.put('late'), lock.acquire()]
  return Promise.all(
    refused.map(each =>
      each.then(
        () => 'resolved',
        error => error.code,
      ),
    ),
  )
}
