// Uses a bit of everything and closes nothing. The program must end nevertheless.

import type { Connection, Queue as CoreQueue } from '@mp/core'

const { Pipe, Process, Queue, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export async function work(queue: CoreQueue, bounded: CoreQueue, pipe: Connection): Promise<void> {
  await queue.put(await pipe.recv())
  await bounded.put(1)
  await pipe.send('sent')
}

if (isMainProcess) {
  const queue = new Queue()
  const bounded = new Queue(2)
  const [mine, theirs] = Pipe()
  Pipe()
  const child = new Process({ target: work, args: [queue, bounded, theirs] })
  child.start()
  await mine.send('item')
  await queue.get()
  await mine.recv()
  await queue.get({ timeout: 5 }).catch(() => {})
  await mine.poll(5)
  await child.result()
  console.log('done')
}
