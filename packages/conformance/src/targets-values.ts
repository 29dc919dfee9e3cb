/** What children run that get values of registered classes, which this module registers. */

import type { FileHandle } from 'node:fs/promises'
import type { MessagePort } from 'node:worker_threads'
import type { Connection, Queue } from '@mp/core'
import * as targets from './targets.js'
import './values/registered.js'

export function giveValues<T extends unknown[]>(...values: T): T {
  return values
}

export function echoValues(pipe: Connection): Promise<void> {
  return targets.echo(pipe)
}

export function echoValueItems(from: Queue, to: Queue): Promise<void> {
  return targets.echoItems(from, to, Number.POSITIVE_INFINITY).catch(() => {})
}

/** Throws an error that has the values in a field, and in its cause. */
export function throwValues(values: unknown[]): never {
  throw Object.assign(new RangeError('the holder', { cause: { values } }), { values })
}

/** Uses what was moved here: says something through the port, and gives what the file and the stream hold. */
export async function useMoved(pipe: Connection<never, Moved>): Promise<unknown[]> {
  const { port, file, stream } = await pipe.recv()
  port.postMessage('through the port')
  const text = await file.readFile('utf8')
  await file.close()
  const reader = stream.getReader()
  const { value } = await reader.read()
  port.close()
  return [text, value]
}

interface Moved {
  readonly port: MessagePort
  readonly file: FileHandle
  readonly stream: ReadableStream
}
