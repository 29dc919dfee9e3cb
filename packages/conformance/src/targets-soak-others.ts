/** What the children of a soak run that talk over pipes, hold locks, or work in a pool. Imports only what a child needs. */

import { appendFileSync, closeSync, openSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Connection, Lock } from '@mp/core'
import { codeOf, Log, type Orders, obeyOrders } from './targets-soak.js'

export type Numbers = Connection<number | string, number | string>

/** The end of a pipe on its way to the next holder, and the number that is to be sent next. */
export interface Baton {
  readonly end: Numbers
  readonly next: number
}

/**
 * Sends numbers, from `next` on, and writes down those that come. Told to pass, it gives the end back with its orders, for somebody
 * else to go on with. Writes `>` and how many sends had resolved, now and then; and the numbers that came.
 */
export async function talk(end: Numbers, path: string, orders: Orders, next: number, filling: number): Promise<string> {
  const log = new Log(path)
  let sending = true
  let receiving = true
  let passed = false
  let ended = false
  const send = async () => {
    for (; sending; next++) {
      try {
        await end.send(next % 50 === 49 ? `${next} ${'x'.repeat(filling)}` : next)
      } catch (error) {
        if (codeOf(error) === 'MP_BROKEN_PIPE') return
        throw error
      }
      if (next % 16 !== 15) continue
      log.line(`> ${next + 1}`)
      await pause(1)
    }
  }
  const receive = async () => {
    while (receiving) {
      try {
        const came = await end.recv({ timeout: 2 })
        // In its creator's thread it runs on, and is told what still waited for the rest of a backlog.
        if (ended) return
        log.line(String(Number.parseInt(String(came), 10)))
      } catch (error) {
        const code = codeOf(error)
        if (code === 'MP_EOF') return
        if (code !== 'MP_TIMEOUT') throw error
      }
    }
  }
  const sends = send()
  const receives = receive()
  const stop = async () => {
    sending = false
    // Whoever has the other end may wait for room, too, and may be told to stop: so this side reads until it has sent all.
    await sends
    receiving = false
    await receives
  }
  const told = obeyOrders(orders, {
    pass: async () => {
      passed = true
      await stop()
      log.line(`> ${next}`)
      await orders.send({ end, next } satisfies Baton)
    },
    return: () => {
      ended = true
    },
  })
  const over = async () => {
    await receives
    sending = false
    await sends
    return passed ? told : 'the end'
  }
  return Promise.race([told, over()]).finally(() => log.close())
}

/** How a holder of the lock asks for it. */
export interface Grip {
  readonly timeout: number | undefined
  readonly signal: number | undefined
  /** How long it holds it at most, ms. */
  readonly ms: number
}

/**
 * Takes the lock again and again, and makes a file while it has it. If the file is there already, somebody else holds the lock too,
 * unless that one died. Writes each time that it had the lock to its log.
 */
export async function holdOften(lock: Lock, path: string, orders: Orders, owner: string, grip: Grip): Promise<string> {
  const log = new Log(path)
  let going = true
  const told = obeyOrders(orders, {
    return: () => {
      going = false
    },
  })
  const work = async () => {
    while (going) {
      const guard = await acquire(lock, grip)
      if (!guard) {
        await pause(1)
        continue
      }
      if (guard.abandoned) rmSync(owner, { force: true })
      try {
        closeSync(openSync(owner, 'wx'))
      } catch {
        log.line('two')
      }
      log.line('one')
      if (grip.ms > 0) await pause(Math.random() * grip.ms)
      rmSync(owner, { force: true })
      await guard.release()
    }
    return 'done'
  }
  // It ends its last turn with the lock, as in its creator's thread nothing else would end it.
  const working = work()
  return Promise.race([told.then(() => working), working]).finally(() => log.close())
}

async function acquire(lock: Lock, { timeout, signal }: Grip) {
  try {
    return await lock.acquire({ timeout, ...(signal !== undefined && { signal: AbortSignal.timeout(signal) }) })
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return false
    throw error
  }
}

/** A task of a pool: notes that it has begun, and ends as it is told. */
export async function work(path: string, id: number, how: string): Promise<number> {
  appendFileSync(path, `${id}\n`)
  switch (how) {
    case 'throws':
      throw new Error(`task ${id}`)
    case 'exits':
      return process.exit(7)
    case 'dies':
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => {})
    case 'computes':
      for (const end = performance.now() + 60_000; performance.now() < end; );
      return id
    case 'waits':
      return new Promise(() => {})
    case 'rests':
      await pause(5)
  }
  return id * 2
}

export function double(item: number): number {
  return item * 2
}

/** Doubles, but ends its worker at one item. */
export function doubleBut(item: number): number {
  if (item === 13) process.exit(9)
  return item * 2
}
