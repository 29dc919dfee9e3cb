import type { Connection, Queue } from '@mp/core'

/** The blocking calls, which only some transports have. */
export interface Blocking {
  putSync(item: unknown, options?: { timeout?: number }): void
  getSync(options?: { timeout?: number }): unknown
}

export interface BlockingEnd {
  sendSync(value: unknown, options?: { timeout?: number }): void
  recvSync(options?: { timeout?: number }): unknown
  sendBytesSync(data: Uint8Array): void
  recvBytesSync(maxLength?: number, options?: { timeout?: number }): Uint8Array
  recvBytesIntoSync(target: Uint8Array, offset?: number, options?: { timeout?: number }): number
}

/** Puts the numbers without giving its event loop a turn. */
export function putAllSync(queue: Queue, from: number, to: number): void {
  const blocking = queue as unknown as Blocking
  for (let n = from; n < to; n++) blocking.putSync(n)
}

/** Takes `count` items, and blocks for every second one. Gives them in the order in which they came. */
export async function getMixed(queue: Queue<number>, count: number): Promise<number[]> {
  const blocking = queue as unknown as Blocking
  const got: number[] = []
  for (let i = 0; i < count; i++) got.push(i % 2 === 0 ? (blocking.getSync() as number) : await queue.get())
  return got
}

/** Blocks in a get. Gives the item, or the code of the error. */
export function getOneSync(queue: Queue, ready: Int32Array): unknown {
  Atomics.store(ready, 0, 1)
  try {
    return (queue as unknown as Blocking).getSync()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

/** Sends back what comes, with blocking calls, until the other end is gone. Gives how many messages there were. */
export function echoSync(end: Connection): number {
  const blocking = end as unknown as BlockingEnd
  for (let count = 0; ; count++) {
    try {
      blocking.sendSync(blocking.recvSync())
    } catch (error) {
      if ((error as { code?: string }).code === 'MP_EOF') return count
      throw error
    }
  }
}

export function sendBytesSync(end: Connection, count: number, size: number): void {
  const blocking = end as unknown as BlockingEnd
  for (let i = 0; i < count; i++) blocking.sendBytesSync(new Uint8Array(size).fill(i))
}

/** Blocks until it gets an item with a connection in it, and answers over that. */
export function answerSync(queue: Queue): unknown {
  const { reply, question } = (queue as unknown as Blocking).getSync() as { reply: Connection; question: string }
  ;(reply as unknown as BlockingEnd).sendSync(`${question}!`)
  return question
}
