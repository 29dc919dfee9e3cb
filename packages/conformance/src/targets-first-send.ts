/** What children run that send over a pipe for the first time, or hold the other end. */

import type { BoundContext, Connection } from '@mp/core'
import { loadContext } from './load-context.js'
import { obey } from './targets.js'

/** What became of each send: the first one, two more in one turn, one too large to be copied, and the next one. */
export async function trySends(end: Connection): Promise<unknown[]> {
  const first = [end.send('first'), end.sendBytes(new Uint8Array(3)), end.send(new Uint8Array(300_000))]
  const codes = await Promise.all(first.map(codeOf))
  return [...codes, await codeOf(end.send('next')), await codeOf(end.send('last'))]
}

export async function trySendsWhenTold(end: Connection, orders: Connection<string, unknown>): Promise<unknown[]> {
  await obey(orders)
  return trySends(end)
}

export async function tryOverClosed({ Pipe }: Pick<BoundContext, 'Pipe'>): Promise<unknown[]> {
  const [near, far] = Pipe()
  await far.close()
  return trySends(near)
}

export async function tryOverClosedIn(module: string): Promise<unknown[]> {
  return tryOverClosed(await loadContext(module))
}

export function holdAndThrow(_end: Connection): never {
  throw new Error('it ends so')
}

export function holdAndExit(_end: Connection): never {
  process.exit(3)
}

export async function holdOrClose(end: Connection, how: string, orders: Connection<string, unknown>): Promise<void> {
  if (how === 'uses and closes') await end.poll()
  if (how !== 'is killed') await end.close()
  await obey(orders)
}

/** Reads one message from each end, and closes it at once. */
export async function readAndCloseEach(ends: readonly Connection[]): Promise<void> {
  for (const end of ends) {
    await end.recv()
    await end.close()
  }
}

export async function sendOverEach(ends: readonly Connection[], value: unknown): Promise<void> {
  for (const end of ends) await end.send(value)
}

export async function readAndExit(end: Connection): Promise<void> {
  await end.recv()
  process.exit(3)
}

function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'resolved',
    error => error.code,
  )
}
