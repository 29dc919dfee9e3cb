/** What children do with the end of a pipe, which is on its way when they end. */

import { writeFileSync } from 'node:fs'
import type { Connection } from '@mp/core'
import { loadContext } from './load-context.js'
import { keep, obey } from './targets.js'
import { turns } from './turns.js'

/** Starts a daemon that gets the end, and is busy from then on. */
export async function startAndBeBusy(
  module: string,
  end: Connection,
  orders: Connection<never, unknown>,
  path: string,
): Promise<void> {
  const { Process } = await loadContext(module)
  const child = new Process({ target: keep, args: [end, orders as never], daemon: true })
  void child.start()
  await turns(2)
  writeFileSync(path, '')
  for (;;);
}

/** Reads one message, and none from then on. */
export async function readOnceAndBeBusy(pipe: Connection, path: string): Promise<void> {
  await pipe.recv()
  await pipe.send('read')
  await turns(20)
  writeFileSync(path, '')
  for (;;);
}

/** Hands the end on once the other side has read a message, closes the pipe if `closes`, and obeys. */
export async function handOnWhenTold(
  pipe: Connection,
  end: Connection,
  orders: Connection<string, unknown>,
  closes: boolean,
): Promise<unknown> {
  await pipe.send('first')
  await pipe.recv()
  await orders.recv()
  await pipe.send(end)
  if (closes) await pipe.close()
  await turns(5)
  return obey(orders)
}

/** Uses the end, hands it on, and ends. */
export async function useAndHandOn(end: Connection<string, string>, to: Connection): Promise<void> {
  await end.send('used')
  await to.send(end)
}

/** Is the first to use the end: sends over it, and ends. */
export async function sendFirst(
  end: Connection<string, string>,
  words: readonly string[],
  how: 'end' | 'exit',
): Promise<void> {
  for (const word of words) await end.send(word)
  if (how === 'exit') process.exit(5)
}

/** As `sendFirst`, and hands the end on at once. */
export async function sendFirstAndHandOn(end: Connection<string, string>, word: string, to: Connection): Promise<void> {
  await end.send(word)
  await to.send(end)
}
