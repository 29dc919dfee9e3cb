import { ByteBuffer } from '../byte-buffer.js'
import { encode } from '../codec.js'
import { Envelope } from '../envelope.js'
import { checkLength } from '../frame.js'
import type { Crew } from './crew.js'
import * as protocol from './protocol.js'
import type { Callee, Job, Task } from './task.js'

/** Encodes a call with all its arguments. Throws what `encode` throws; then nothing has moved. */
export function makeCall(crew: Crew, job: Job, callee: Callee, args: readonly unknown[]): Task {
  return make(crew, job, callee, protocol.ONE, args, 0, 1, 'args')
}

/** Encodes a chunk of items. As `makeCall`. */
export function makeChunk(
  crew: Crew,
  job: Job,
  callee: Callee,
  how: protocol.How,
  items: readonly unknown[],
  first: number,
): Task {
  return make(crew, job, callee, how, items, first, items.length, 'items')
}

function make(
  crew: Crew,
  job: Job,
  callee: Callee,
  how: protocol.How,
  value: readonly unknown[],
  first: number,
  count: number,
  name: string,
): Task {
  const envelope = new Envelope(crew.transport)
  // The encode may run user code, which may submit a job of its own.
  const body = slabInUse ? new ByteBuffer(64) : takeSlab()
  const outer = slabInUse
  slabInUse = true
  const start = body.length
  try {
    encodeInto(body, value, envelope, name)
  } finally {
    slabInUse = outer
  }
  envelope.commit()
  return newTask(crew, job, callee, how, first, count, body, start, envelope)
}

/** Bytes. Small tasks share buffers: one each would cost more than what is in it. */
const SLAB = 16 * 1024

let slab: ByteBuffer | undefined
let slabInUse = false

function takeSlab(): ByteBuffer {
  if (!slab || slab.length >= SLAB) slab = new ByteBuffer(SLAB)
  return slab
}

function encodeInto(body: ByteBuffer, value: unknown, envelope: Envelope, name: string): void {
  const start = body.length
  try {
    encode(value, body, envelope, name)
    checkLength(body.length - start, envelope.transport)
  } catch (error) {
    body.length = start
    envelope.rollback()
    throw error
  }
}

function newTask(
  crew: Crew,
  job: Job,
  callee: Callee,
  how: protocol.How,
  first: number,
  count: number,
  body: ByteBuffer,
  start: number,
  { parcels }: Envelope,
): Task {
  return {
    number: crew.nextTask(),
    job,
    callee,
    how,
    first,
    count,
    body,
    start,
    end: body.length,
    parcels,
    losses: 0,
    expected: 0,
    recalled: false,
    failed: false,
  }
}

/** All of the items, in chunks, one buffer for all. Throws for the first that cannot travel; then nothing has moved. */
export function makeChunks(
  crew: Crew,
  job: Job,
  callee: Callee,
  how: protocol.How,
  items: readonly unknown[],
  chunksize: number,
): Task[] {
  const body = new ByteBuffer(1024)
  const envelopes: Envelope[] = []
  const tasks: Task[] = []
  for (let first = 0; first < items.length; first += chunksize) {
    const chunk = items.slice(first, first + chunksize)
    const start = body.length
    const envelope = new Envelope(crew.transport)
    try {
      encodeInto(body, chunk, envelope, 'items')
    } catch (error) {
      for (const earlier of envelopes) earlier.rollback()
      throw error
    }
    envelopes.push(envelope)
    tasks.push(newTask(crew, job, callee, how, first, chunk.length, body, start, envelope))
  }
  for (const envelope of envelopes) envelope.commit()
  return tasks
}
