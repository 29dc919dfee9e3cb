/** What the children of the network cases run. Imports only what a child needs. */

import type { BoundContext, Connection, NetworkContext, Queue } from '@mp/core'
import { loadContext } from './load-context.js'

type Context = BoundContext & NetworkContext

/** Connects, sends what it was given, and closes. */
export async function connectAndSend(
  module: string,
  address: string,
  authKey: string,
  messages: readonly unknown[],
): Promise<void> {
  const { connect } = await loadContext<Context>(module)
  const connection = await connect(address, { authKey })
  for (const message of messages) await connection.send(message)
  await connection.close()
}

/** Takes numbers from one served queue, and puts their squares into another, until the first is shut down. */
export async function squareByAddress(module: string, address: string, authKey: string): Promise<void> {
  const { openQueue } = await loadContext<Context>(module)
  const tasks = await openQueue<number>(address, 'tasks', { authKey })
  const results = await openQueue<number>(address, 'results', { authKey })
  for await (const n of tasks) await results.put(n * n)
}

/** Puts into a served queue and exits at once. */
export async function putByAddressAndExit(
  module: string,
  address: string,
  authKey: string,
  count: number,
): Promise<void> {
  const { openQueue } = await loadContext<Context>(module)
  const queue = await openQueue<number>(address, 'items', { authKey })
  for (let i = 0; i < count; i++) await queue.put(i)
  process.exit()
}

/** Listens, tells when, and serves a queue until told to end. */
export async function serveOwnQueue(
  module: string,
  address: string,
  authKey: string,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { listen, Queue: BoundQueue } = await loadContext<Context>(module)
  const listener = await listen(address, { authKey })
  const queue: Queue<string> = new BoundQueue<string>()
  await queue.put('served')
  const served = listener.serve({ queue })
  await orders.send(listener.address)
  await orders.recv().catch(() => {})
  await listener.close()
  await served
}
