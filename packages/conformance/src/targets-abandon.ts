/** What children do until they are abandoned in the middle of it. */

import type { Connection, Lock, Queue } from '@mp/core'
import { loadContext } from './load-context.js'
import { turns } from './turns.js'

/** Gets, and tells each item once it has it. */
export async function getAndTell(queue: Queue<number>, told: Connection): Promise<void> {
  await told.send('running')
  for (;;) await told.send(await queue.get())
}

/** Puts arrays of `size` bytes, each filled with its number. */
export async function putLarge(queue: Queue<Uint8Array>, size: number, told: Connection): Promise<void> {
  await told.send('running')
  for (let i = 0; ; i++) await queue.put(new Uint8Array(size).fill(i))
}

/** Puts numbers; several puts wait at any time. */
export async function putAhead(queue: Queue<number>, told: Connection): Promise<void> {
  await told.send('running')
  for (let i = 0; ; i += 4) await Promise.all([0, 1, 2, 3].map(each => queue.put(i + each)))
}

/** Sends, and reads nothing. */
export async function sendLarge(pipe: Connection, size: number): Promise<void> {
  await pipe.send('running')
  for (let i = 0; ; i++) await pipe.send(new Uint8Array(size).fill(i))
}

/** Takes the handles that come, and holds them. */
export async function hold(pipe: Connection): Promise<void> {
  await pipe.send('running')
  const held: unknown[] = []
  for await (const each of pipe) held.push(each)
}

export async function lockAgainAndAgain(lock: Lock, told: Connection): Promise<void> {
  await told.send('running')
  for (;;) {
    const guard = await lock.acquire()
    if (!guard) return
    await turns(1)
    await guard.release()
  }
}

/** Is the home of a queue, and for a while uses it too. */
export async function makeQueue(module: string, pipe: Connection): Promise<void> {
  const { Queue } = await loadContext(module)
  const queue = new Queue<number>(2)
  await pipe.send(queue)
  for (let i = 0; i < 200; i++) {
    await queue.put(-1 - i)
    await queue.get()
  }
  await pipe.recv()
}

/** Notes its process id, and later the end of its parent, if it hears of that. */
export async function notePidAndOrphanhood(module: string, path: string): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  const { parentProcess } = await loadContext(module)
  const parent = parentProcess()
  appendFileSync(path, `${process.pid} ${parent?.isAlive()}\n`)
  await parent?.join()
  appendFileSync(path, `${process.pid} ${parent?.isAlive()}\n`)
}

/** Starts a daemon and a child that is no daemon. Each notes in a file that it lives. */
export async function startBoth(module: string, daemonPath: string, otherPath: string): Promise<void> {
  const { Process } = await loadContext(module)
  const start = (path: string, daemon: boolean) =>
    new Process({ target: notePidAndOrphanhood, args: [module, path], daemon, stdio: 'ignore' }).start()
  await Promise.all([start(daemonPath, true), start(otherPath, false)])
  await new Promise(resolve => setTimeout(resolve, 60_000))
}
