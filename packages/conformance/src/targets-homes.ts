/** What children run that end while they are the home of a queue. */

import type { Connection, Queue } from '@mp/core'
import { loadContext } from './load-context.js'
import { obey, putAll } from './targets.js'
import { failUncaught, reallyExit } from './targets-process.js'
import { turns } from './turns.js'

/** Makes a queue, fills it, hands it over, and ends at once, or when it is told to. */
export async function ownQueue(
  module: string,
  to: Connection,
  items: readonly unknown[],
  maxsize: number,
  orders: Connection<string, unknown> | null,
): Promise<void> {
  const { Queue } = await loadContext(module)
  const queue = new Queue(maxsize)
  await putAll(queue, items)
  await to.send(queue)
  if (orders) await obey(orders)
}

/** Makes a JoinableQueue, fills it, takes one item, shuts it down, hands it over, and ends. */
export async function ownJoinableQueue(module: string, to: Connection, items: readonly unknown[]): Promise<void> {
  const { JoinableQueue } = await loadContext(module)
  const queue = new JoinableQueue()
  await putAll(queue, items)
  await queue.get()
  await queue.shutdown()
  await to.send(queue)
}

/** Makes a queue, hands it over, and then is busy until the second file is there: it hears nothing meanwhile. Then it exits. */
export async function ownQueueAndExit(module: string, to: Connection, busy: string, enough: string): Promise<void> {
  const { existsSync, writeFileSync } = await import('node:fs')
  const { Queue } = await loadContext(module)
  await to.send(new Queue())
  await turns(20)
  writeFileSync(busy, '')
  while (!existsSync(enough));
  process.exit(4)
}

/** Makes a queue, gets another one, and is busy until the file is there. Then it puts into the other one, and exits at once. */
export async function swapQueuesAndExit(
  module: string,
  to: Connection<unknown, Queue>,
  busy: string,
  enough: string,
  number: number,
): Promise<void> {
  const { existsSync, writeFileSync } = await import('node:fs')
  const { Queue } = await loadContext(module)
  await to.send(new Queue())
  const other = await to.recv()
  await other.qsize()
  // From here on it answers nobody.
  await to.send('ready')
  await to.recv()
  await turns(20)
  writeFileSync(busy, '')
  while (!existsSync(enough));
  void other.put(`from ${number}`)
  process.exit(4)
}

export async function ownQueueUntilToldToExit(module: string, to: Connection, orders: Connection): Promise<void> {
  const { Queue } = await loadContext(module)
  await to.send(new Queue())
  await orders.recv()
  process.exit(4)
}

/** Receives and sends over the end, sends the end on, and exits. */
export async function useAndHandOnAndExit(end: Connection<string, string>, to: Connection): Promise<void> {
  await end.send(`got ${await end.recv()}`)
  await to.send(end)
  process.exit(4)
}

/** Runs `ownQueue` in its own child, and ends after that has ended. */
export async function ownQueueBelow(module: string, to: Connection, items: readonly unknown[]): Promise<void> {
  const { Pipe, Process } = await loadContext(module)
  const [mine, theirs] = Pipe<never, Queue>()
  const child = new Process({ target: ownQueue, args: [module, theirs as never, items, 0, null] })
  await child.start()
  await to.send(await mine.recv())
  await child.join()
}

/** Holds what others wait for, and crashes with it when it is told to. */
export async function crash(
  module: string,
  how: 'exception' | 'exit' | 'hard exit',
  to: Connection,
  full: Queue,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { Queue } = await loadContext(module)
  const own = new Queue()
  await to.send(own)
  full.put('never').catch(() => {})
  await obey(orders)
  if (how === 'hard exit') reallyExit(6)
  if (how === 'exit') process.exit(6)
  await failUncaught('exception')
}
