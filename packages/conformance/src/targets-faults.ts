/** What children run that the suite ends, or stops, at any moment. Imports nothing of the suite. */

import { createHash } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import type { Connection, Queue } from '@mp/core'

/** An item of a producer. Its number and checksum show whether items are torn, missing or doubled. */
export interface Numbered {
  readonly producer: number
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly checksum: string
}

const LARGEST = 1024 * 1024

export function checksumOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** 1 B to 1 MiB; small ones are as frequent as large ones. */
function sizeOf(random: number): number {
  return Math.max(1, Math.floor(LARGEST ** random))
}

/**
 * Puts for ever. Notes in the file, at its own place, how many puts it has begun. If more were begun than arrive, its end came in
 * the middle of one.
 */
export async function produceForEver(queue: Queue<Numbered>, producer: number, file: string): Promise<void> {
  const notes = openSync(file, 'r+')
  const count = new Uint32Array(1)
  for (let sequence = 0; ; sequence++) {
    const bytes = new Uint8Array(sizeOf(Math.random())).fill(sequence)
    const item = { producer, sequence, bytes, checksum: checksumOf(bytes) }
    count[0] = sequence + 1
    writeSync(notes, count, 0, 4, 4 * producer)
    await queue.put(item)
  }
}

/**
 * Takes one item after the other, and tells the number of each. It works on every eighth item for some milliseconds before it tells.
 * So a kill at any moment often comes while it has an item, and a kill in the middle of the other seven is as frequent.
 */
export async function consumeForEver(queue: Queue<number>, acks: Connection<number, never>): Promise<void> {
  for (;;) {
    const item = await queue.get()
    if (item % 8 === 0) await new Promise(resolve => setTimeout(resolve, 2))
    await acks.send(item)
  }
}

/** Takes items until the last one. Gives how many were in order, or what was not. */
export async function consumeInOrder(
  queue: Queue<{ sequence: number; text: string }>,
  ready: Connection<string, never>,
): Promise<string> {
  await ready.send('ready')
  for (let expected = 0; ; expected++) {
    const { sequence } = await queue.get()
    if (sequence === -1) return `${expected} in order`
    if (sequence !== expected) return `${sequence} came where ${expected} should`
  }
}

/** Writes chunks that are no frames to the descriptor of its wire, and waits to be ended. */
export async function writeTo(ready: Connection<string, unknown>, fd: number, chunks: Uint8Array[]): Promise<void> {
  await ready.send('ready')
  await ready.recv()
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      try {
        at += writeSync(fd, chunk, at)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      }
    }
  }
  await new Promise(resolve => setTimeout(resolve, 60_000))
}
