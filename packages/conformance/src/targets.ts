/** What the children of many groups run. */

import type { Connection, Queue } from '@mp/core'

export function nothing(): void {}

export function give<T>(value: T): T {
  return value
}

export function giveAll<T extends unknown[]>(...values: T): T {
  return values
}

/** Tells that it runs, and gives what it is sent then; or 'gone' if nobody can hear it, or send any more. */
export async function obey(orders: Connection<string, unknown>): Promise<unknown> {
  try {
    await orders.send('running')
    return await orders.recv()
  } catch {
    return 'gone'
  }
}

export function fail(message: string): never {
  throw new RangeError(message)
}

/** Sends back all that it receives. */
export async function echo(pipe: Connection): Promise<void> {
  for await (const value of pipe) await pipe.send(value)
}

export async function echoBytes(pipe: Connection): Promise<void> {
  for (;;) {
    const bytes = await pipe.recvBytes().catch(() => undefined)
    if (!bytes) return
    await pipe.sendBytes(bytes)
  }
}

export async function echoItems(from: Queue, to: Queue, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await to.put(await from.get())
}

export async function recvAll(pipe: Connection): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const value of pipe) all.push(value)
  return all
}

export async function sendAll(pipe: Connection, values: unknown[]): Promise<void> {
  for (const value of values) await pipe.send(value)
}

export async function sendAllAndClose(pipe: Connection, values: unknown[], orders: Connection): Promise<void> {
  await sendAll(pipe, values)
  await pipe.close()
  await obey(orders as never)
}

/** Holds a handle: tells that it runs, then waits until it is told to end. */
export async function keep(_handle: unknown, orders: Connection<string, unknown>): Promise<unknown> {
  return obey(orders)
}

export function takeHandle(_handle: unknown): void {}

/** Uses the pipe once, then waits until it is told to end. */
export async function greet(pipe: Connection, orders: Connection<string, unknown>): Promise<unknown> {
  await pipe.send('hello')
  return obey(orders)
}

export async function putAll<T>(queue: Queue<T>, items: readonly T[]): Promise<void> {
  for (const item of items) await queue.put(item)
}

/** The flags of the end, and how a call in the direction that it does not have is refused. */
export async function directions(end: Connection): Promise<unknown> {
  const code = (call: Promise<unknown>) =>
    call.then(
      value => value,
      error => error.code,
    )
  return [end.readable, end.writable, end.readable ? await code(end.send(1)) : await code(end.recv())]
}

/** Reads nothing until it is told to. Then gives how many messages came. */
export async function recvWhenTold(pipe: Connection, orders: Connection<string, unknown>): Promise<number> {
  await orders.recv()
  return (await recvAll(pipe)).length
}
