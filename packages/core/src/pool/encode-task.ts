import { Envelope, encodeMessage } from '../context/message-writer.js'
import { ByteBuffer } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import * as protocol from './protocol.js'
import type { Scheduler } from './scheduler.js'
import type { Callee, Job, Task } from './task.js'

/** Encodes a call with all its arguments. When `encode` throws, this throws the same, and nothing has moved. */
export function makeCall(scheduler: Scheduler, job: Job, callee: Callee, args: readonly unknown[]): Task {
  return make(scheduler, job, callee, protocol.ONE, args, 0, 1, 'args')
}

/** Encodes a chunk of items. As `makeCall`. */
export function makeChunk(
  scheduler: Scheduler,
  job: Job,
  callee: Callee,
  how: protocol.How,
  items: readonly unknown[],
  first: number,
): Task {
  if (items.length > 1) return make(scheduler, job, callee, how, items, first, items.length, 'items')
  return make(scheduler, job, callee, singly(how), items[0], first, 1, 'item')
}

function make(
  scheduler: Scheduler,
  job: Job,
  callee: Callee,
  how: protocol.How,
  value: unknown,
  first: number,
  count: number,
  name: string,
): Task {
  const envelope = takeEnvelope(scheduler.transport)
  // The encode may run the user's code, which may submit a job of its own.
  const body = slabInUse ? new ByteBuffer(64) : takeSlab()
  const outer = slabInUse
  slabInUse = true
  const start = body.length
  try {
    encodeMessage(value, body, envelope, name)
  } finally {
    slabInUse = outer
  }
  const task = newTask(scheduler, job, callee, how, first, count, body, start, envelope)
  if (envelope.unused) spare = envelope
  else envelope.commit()
  return task
}

/** Bytes. Small tasks share buffers, since a buffer of its own would cost more than the task. */
const SLAB = 16 * 1024

let slab: ByteBuffer | undefined
let slabInUse = false

function takeSlab(): ByteBuffer {
  if (!slab || slab.length >= SLAB) slab = new ByteBuffer(SLAB)
  return slab
}

/** Most tasks carry nothing beside their bytes. One envelope serves them all. */
let spare: Envelope | undefined

function takeEnvelope(transport: Transport): Envelope {
  const taken = spare
  spare = undefined
  return taken?.transport === transport ? taken : new Envelope(transport)
}

/** A chunk of one item is sent as that item: an array around it would take longer than all the rest. */
function singly(how: protocol.How): protocol.How {
  return how === protocol.EACH_SPREAD ? protocol.ONE : protocol.ITEM
}

function newTask(
  scheduler: Scheduler,
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
    number: scheduler.nextTask(),
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
    place: 0,
    failed: false,
  }
}

/** Encodes all items, in chunks that share a buffer. Throws for the first item that cannot travel; then nothing has moved. */
export function makeChunks(
  scheduler: Scheduler,
  job: Job,
  callee: Callee,
  how: protocol.How,
  items: readonly unknown[],
  chunksize: number,
): Task[] {
  const body = new ByteBuffer(1024)
  const used: Envelope[] = []
  const tasks: Task[] = []
  let envelope = new Envelope(scheduler.transport)
  for (let first = 0; first < items.length; first += chunksize) {
    const count = Math.min(chunksize, items.length - first)
    const start = body.length
    try {
      if (count === 1) encodeMessage(items[first], body, envelope, 'item')
      else encodeMessage(items.slice(first, first + count), body, envelope, 'items')
    } catch (error) {
      for (const earlier of used) earlier.rollback()
      throw error
    }
    tasks.push(newTask(scheduler, job, callee, count === 1 ? singly(how) : how, first, count, body, start, envelope))
    if (envelope.unused) continue
    used.push(envelope)
    envelope = new Envelope(scheduler.transport)
  }
  for (const each of used) each.commit()
  return tasks
}
