/** What the children of a soak run that put into a queue and take from it. Imports only what a child needs. */

import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Connection, Queue } from '@mp/core'
import { loadContext } from './load-context.js'

export type Order = 'return' | 'exit' | 'throw' | 'uncaught' | 'close' | 'pass'
export type Orders = Connection<unknown, Order>

/** The producer, the item's number there, and what fills it up. */
export type SoakItem = readonly [producer: number, sequence: number, filling: string | Uint8Array]

/** How a consumer asks for items. */
export interface Appetite {
  readonly how: 'firm' | 'timeout' | 'signal' | 'nowait'
  /** How many calls wait at a time. */
  readonly abreast: number
  /** The limit of a call, or the pause after one that found nothing, ms. */
  readonly ms: number
  /** How long it computes, ms, with every sixteenth item. */
  readonly work: number
}

/** How a producer puts. */
export interface Pace {
  readonly count: number
  /** How many puts are made at once. */
  readonly burst: number
  /** The pause after every eighth burst, ms. */
  readonly pause: number
  /** It flushes after so many bursts; 0: never. */
  readonly flushEvery: number
  /** The limit of each put, ms. */
  readonly limit: number | undefined
  /** How large an item's filling is at most: characters, or bytes where `large`. */
  readonly filling: number
  readonly large: boolean
}

/**
 * Follows orders. Settles when the target must return or throw; an exit comes at once. `on`: what is done at an order, instead or
 * before.
 */
export function obeyOrders(orders: Orders, on: Partial<Record<Order, () => unknown>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const follow = async () => {
      for (;;) {
        const order = await orders.recv()
        const done = on[order]?.()
        // In a turn of its own: an item may have been given in this one, and who asked for it has not run yet.
        if (order === 'exit') setImmediate(() => process.exit(0))
        if (order === 'return') return resolve('as told')
        if (order === 'throw') return reject(new Error('thrown as told'))
        if (order === 'uncaught') {
          setImmediate(() => {
            throw new Error('thrown as told, and not caught')
          })
        }
        await done
      }
    }
    // Nobody gives orders any more.
    follow().catch(() => resolve('orphan'))
  })
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code
}

/**
 * What the loop of an actor gives when it is over: nothing more to do, or the queue is gone. After MP_CLOSED, which it was ordered,
 * it waits for the next order.
 */
function over(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    error => {
      const code = codeOf(error)
      if (code === 'MP_SHUT_DOWN') return 'shut down'
      if (code === 'MP_CLOSED') return new Promise<never>(() => {})
      throw error
    },
  )
}

function fillingOf(sequence: number, { filling, large }: Pace): string | Uint8Array {
  const length = (Math.imul(sequence + 1, 0x9e37_79b1) >>> 0) % (filling + 1)
  return large ? new Uint8Array(length + 1).fill(sequence) : 'x'.repeat(length)
}

function isWhole([, sequence, filling]: SoakItem): boolean {
  return typeof filling === 'string' || (filling[0] === (sequence & 0xff) && filling.at(-1) === (sequence & 0xff))
}

/** A file that is written to at once. Whoever runs on after its target's end can still write. */
export class Log {
  readonly #path: string
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'a')
  }

  line(text: string): void {
    if (this.#file === undefined) appendFileSync(this.#path, `${text}\n`)
    else writeSync(this.#file, `${text}\n`)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

/** Puts until it is told to end. Writes to the file how many puts had resolved, and `flushed` when a flush had. */
export function produce(
  queue: Queue<SoakItem>,
  path: string,
  orders: Orders,
  producer: number,
  pace: Pace,
): Promise<string> {
  const log = new Log(path)
  let going = true
  const told = obeyOrders(orders, {
    close: () => queue.close(),
    return: () => {
      going = false
    },
  })
  const put = async (sequence: number): Promise<boolean> => {
    const item: SoakItem = [producer, sequence, fillingOf(sequence, pace)]
    if (pace.limit === undefined) return queue.put(item).then(() => true)
    while (going) {
      try {
        await queue.put(item, { timeout: pace.limit })
        return true
      } catch (error) {
        // It is put again. If the call that gave up had left it behind, it would be there twice.
        if (codeOf(error) !== 'MP_FULL') throw error
        if (pace.limit === 0) await pause(1)
      }
    }
    return false
  }
  const work = async () => {
    const most = pace.limit === undefined ? pace.burst : 1
    for (let begun = 0, bursts = 1; going && begun < pace.count; bursts++) {
      const burst = Math.min(most, pace.count - begun)
      const puts = Array.from({ length: burst }, (_, index) => put(begun + index))
      if (!(await Promise.all(puts)).every(Boolean)) return
      begun += burst
      log.line(String(begun))
      if (pace.flushEvery > 0 && bursts % pace.flushEvery === 0) {
        await queue.flush()
        log.line('flushed')
      }
      if (pace.pause > 0 && bursts % 8 === 0) await pause(pace.pause)
    }
  }
  return Promise.race([told, over(work())]).finally(() => log.close())
}

/** Takes until it is told to end. Writes each item to the file before it asks for the next one. */
export function consume(queue: Queue<SoakItem>, path: string, orders: Orders, appetite: Appetite): Promise<string> {
  const log = new Log(path)
  let going = true
  let count = 0
  const take = (item: SoakItem) => {
    log.line(`${item[0]} ${item[1]}${isWhole(item) ? '' : ' torn'}`)
    if (appetite.work === 0 || ++count % 16 > 0) return
    const end = performance.now() + appetite.work
    while (performance.now() < end);
  }
  const loop = async () => {
    while (going) {
      try {
        take(await ask(queue, appetite))
      } catch (error) {
        const code = codeOf(error)
        if (code !== 'MP_EMPTY' && (error as Error).name !== 'TimeoutError') throw error
        if (appetite.how === 'nowait') await pause(appetite.ms)
      }
    }
  }
  const told = obeyOrders(orders, {
    close: () => queue.close(),
    return: () => {
      going = false
    },
  })
  const work = Promise.all(Array.from({ length: appetite.abreast }, loop))
  return Promise.race([told, over(work)]).finally(() => log.close())
}

function ask(queue: Queue<SoakItem>, { how, ms }: Appetite): Promise<SoakItem> {
  switch (how) {
    case 'firm':
      return queue.get()
    case 'timeout':
      return queue.get({ timeout: ms })
    case 'signal':
      return queue.get({ signal: AbortSignal.timeout(ms) })
    case 'nowait':
      return queue.getNowait()
  }
}

/** Has a child of its own consume; hands on the queue, and the orders. The queue may be gone by then. */
export async function handOn(
  queue: Queue<SoakItem>,
  path: string,
  orders: Orders,
  appetite: Appetite,
  module: string,
): Promise<string> {
  const api = await loadContext(module)
  const child = new api.Process({
    target: consume,
    args: [queue, path, orders, appetite],
    stdio: 'ignore',
  })
  const work = async () => {
    await child.start()
    await child.join()
  }
  return over(work())
}

/** Makes a queue, and so is its home, until it is told to end. */
export async function keepQueue(
  maxsize: number,
  module: string,
  orders: Orders,
  handle: Connection<Queue<SoakItem>, never>,
): Promise<string> {
  const api = await loadContext(module)
  const queue = new api.Queue<SoakItem>(maxsize)
  await handle.send(queue)
  return obeyOrders(orders)
}
