/** What children do to show what their transport can do. */

import type { Connection, Queue } from '@mp/core'

export function whereItRuns(marker: string): { pid: number; marked: boolean } {
  return { pid: process.pid, marked: Symbol.for(marker) in globalThis }
}

export function addOne(shared: Int32Array): void {
  Atomics.add(shared, 0, 1)
}

/** Answers through a port that comes in a message. */
export async function answerByPort(pipe: Connection): Promise<void> {
  const { port } = (await pipe.recv()) as { port: import('node:worker_threads').MessagePort }
  port.postMessage('through the port')
  port.close()
}

/** Blocks for an item that is put later. */
export async function getBlocking(queue: Queue, orders: Connection): Promise<unknown> {
  await orders.send('running')
  return (queue as Queue & { getSync(options: { timeout: number }): unknown }).getSync({ timeout: 5_000 })
}
