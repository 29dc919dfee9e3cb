/** What children run that end while they are the home of a queue. */

import type { Barrier, Connection, JoinableQueue, Queue, Semaphore } from '@mp/core'
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

/** Waits for an item, and is busy until the second file is there: the item comes meanwhile. Gives the item. */
export async function getWhileBusy(queue: Queue<string>, busy: string, enough: string): Promise<string> {
  const { existsSync, writeFileSync } = await import('node:fs')
  const item = queue.get()
  // After the first answer home has read the call. After the second it has read all that this context had to answer to that.
  await queue.qsize()
  await queue.qsize()
  writeFileSync(busy, '')
  while (!existsSync(enough));
  return item
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

/** What `ownAll` makes. */
export interface Owned {
  readonly queue: Queue<string>
  readonly tasks: JoinableQueue<string>
  readonly semaphore: Semaphore
  readonly barrier: Barrier
}

/** Makes one of each, sends them in one message, and ends. */
export async function ownAll(module: string, to: Connection<Owned, never>): Promise<void> {
  const { Barrier, JoinableQueue, Queue, Semaphore } = await loadContext(module)
  const tasks = new JoinableQueue<string>()
  await putAll(tasks, ['task', 'task'])
  await to.send({ queue: new Queue<string>(1), tasks, semaphore: new Semaphore(0), barrier: new Barrier(2) })
}

/** Opens them when it is told to, and calls all in the same turn. Tells what came of the calls, and how often each has counted. */
export async function useAtOnce(from: Connection<never, Owned>, orders: Connection<never, unknown>): Promise<unknown> {
  await orders.recv()
  const { queue, tasks, semaphore, barrier } = await from.recv()
  const puts = Promise.all(['a', 'b', 'c'].map(item => queue.put(item)))
  const arrivals = Promise.all([barrier.wait(), barrier.wait()])
  await Promise.all([tasks.taskDone(), semaphore.release()])
  const items = [await queue.get(), await queue.get(), await queue.get()]
  await puts
  const permits = await semaphore.getValue()
  // The second task. It would be one too many if the first call had counted twice.
  await tasks.taskDone()
  return { items, size: await queue.qsize(), permits, arrivals: await arrivals }
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
