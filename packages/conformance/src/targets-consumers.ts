/** What children do that take from a queue, and end, compute or give up meanwhile. */

import { writeSync } from 'node:fs'
import type { Connection, Lock, Queue } from '@mp/core'

/** Gives up a get, says so, and ends in the way that it is told. */
export async function giveUpAndEnd(queue: Queue<string>, pipe: Connection, how: string): Promise<string> {
  const call = queue.get({ timeout: 30 }).catch(error => (error as { code: string }).code)
  await pipe.send('asked')
  const came = await call
  await pipe.send(came)
  if (how === 'exit') process.exit(0)
  if (how === 'throw') throw new Error('after it gave up')
  if (how === 'uncaught') {
    setImmediate(() => {
      throw new Error('after it gave up')
    })
    await new Promise(() => {})
  }
  return came
}

/** Gets with short timeouts, and tells what came; ends with -1. */
export async function getImpatiently(queue: Queue<number>, told: Queue<number>): Promise<void> {
  for (let wait = 1; ; wait = (wait % 3) + 1) {
    try {
      const item = await queue.get({ timeout: wait })
      await told.put(item)
      if (item === -1) return
    } catch (error) {
      if ((error as { code: string }).code !== 'MP_EMPTY') throw error
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}

/** Puts the numbers, with a pause now and then. */
export async function putUnevenly(queue: Queue<number>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await queue.put(i)
    if (i % 7 === 0) await new Promise(resolve => setTimeout(resolve, 1))
  }
}

/** Gets `quick` items in a loop, tells of the last, computes for `ms`, and gives all that it got in the end. */
export async function getThenCompute(
  queue: Queue<number>,
  pipe: Connection,
  quick: number,
  ms: number,
): Promise<number[]> {
  const got: number[] = []
  for (let i = 0; i < quick; i++) got.push(await queue.get())
  await pipe.send('computes')
  await new Promise(resolve => setImmediate(resolve))
  // One more, so that it computes with all that came ahead of it.
  const last = queue.get({ timeout: 0 }).catch(() => -1)
  const end = performance.now() + ms
  while (performance.now() < end);
  const item = await last
  if (item >= 0) got.push(item)
  return got
}

/** Gets, and writes each item to the file (a descriptor of this process) before anything else, until it is killed. */
export async function getAndLog(queue: Queue<number>, path: string, pipe: Connection): Promise<void> {
  const { openSync } = process.getBuiltinModule('node:fs')
  const file = openSync(path, 'a')
  await pipe.send('running')
  for (;;) writeSync(file, `${await queue.get()}\n`)
}

/** Fills a few slots of a bounded queue, all in one turn, and stays. */
export async function putFew(queue: Queue<number>, count: number, pipe: Connection): Promise<void> {
  for (let i = 0; i < count; i++) await queue.put(i)
  await pipe.send('put')
  await pipe.recv()
}

/** Takes the lock as often as it can for `ms`. Gives how often. */
export async function lockOften(lock: Lock, ms: number, pipe: Connection): Promise<number> {
  await pipe.send('running')
  const end = performance.now() + ms
  let count = 0
  for (; performance.now() < end; count++) {
    const guard = await lock.acquire()
    await guard.release()
  }
  return count
}

/** Holds the lock for a turn, again and again, until it is told to end. Says when it has had it twenty times. */
export async function lockAcrossTurns(lock: Lock, pipe: Connection): Promise<void> {
  let going = true
  const told = pipe.recv().then(() => {
    going = false
  })
  for (let count = 0; going; count++) {
    const guard = await lock.acquire()
    await new Promise(resolve => setTimeout(resolve, 1))
    await guard.release()
    if (count === 20) await pipe.send('has had it')
  }
  await told
}

/** Takes the lock a few times, and exits right after it gave it back. */
export async function lockAndExit(lock: Lock): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const guard = await lock.acquire()
    await guard.release()
  }
  process.exit(0)
}

/** Gets all, each as soon as the one before is there, and gives them. */
export async function getAll(queue: Queue<number>, count: number): Promise<number[]> {
  const got: number[] = []
  while (got.length < count) got.push(await queue.get())
  return got
}

/** As `getAll`, once it is told to begin. */
export async function getAllWhenTold(queue: Queue<number>, orders: Connection, count: number): Promise<number[]> {
  await orders.recv()
  return getAll(queue, count)
}

/** Gets as many items as it is told, says so, and waits for the next order; 0 ends it. */
export async function getShares(queue: Queue<number>, orders: Connection<number, number>): Promise<void> {
  for (let share = await orders.recv(); share > 0; share = await orders.recv()) {
    for (let i = 0; i < share; i++) await queue.get()
    await orders.send(share)
  }
}

/** Gets and logs as `getAndLog`, and exits while a call at the end of a long turn waits. */
export async function exitAfterLongTurn(queue: Queue<number>, path: string): Promise<void> {
  const { openSync } = process.getBuiltinModule('node:fs')
  const file = openSync(path, 'a')
  await queue.get().then(item => writeSync(file, `${item}\n`))
  // In the next turn, before what waits for a turn goes on.
  setImmediate(() => process.exit(0))
  const end = performance.now() + 15
  while (performance.now() < end);
  for (;;) writeSync(file, `${await queue.get()}\n`)
}

/** Gets with several calls at a time, and computes for 12 ms now and then. Gives the items in the order in which they came. */
export async function getSideBySide(queue: Queue<number>, count: number): Promise<number[]> {
  const got: number[] = []
  const loop = async () => {
    for (let item = await queue.get(); item >= 0; item = await queue.get()) {
      got.push(item)
      const end = performance.now() + (got.length % 16 === 0 ? 12 : 0)
      while (performance.now() < end);
    }
  }
  await Promise.all(Array.from({ length: count }, loop))
  return got
}

/**
 * Gets with four calls at a time, and notes the first byte of each item. Ends when it has some, while its calls wait; or closes the
 * queue, and waits until it is told to end.
 */
export async function getLargeAndEnd(
  queue: Queue<Uint8Array>,
  path: string,
  pipe: Connection,
  how: 'return' | 'exit' | 'close',
): Promise<void> {
  const { appendFileSync } = process.getBuiltinModule('node:fs')
  let count = 0
  await pipe.send('running')
  await new Promise<void>(resolve => {
    const end = () => {
      if (how === 'exit') process.exit(0)
      if (how === 'return') return resolve()
      void queue.close()
      void pipe.recv().then(() => resolve())
    }
    const loop = async () => {
      for (;;) {
        appendFileSync(path, `${(await queue.get())[0]}\n`)
        if (++count === 6) setImmediate(end)
      }
    }
    // Its calls reject when it closes the queue.
    for (let i = 0; i < 4; i++) loop().catch(() => {})
  })
}
