import type { Context } from '../context/context.js'
import { networkOf } from '../context/network-transport.js'
import { MpError } from '../errors.js'
import { Queue } from '../queue/queue.js'
import { RemoteQueue } from '../queue/remote.js'
import type { NetworkTransport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { type Introduction, introduce } from './handshake.js'

/**
 * The answer to a client that wants to open a queue by its name, in JSON: what a holder of the queue must know, or the names that
 * are served. After the former the wire is the holder's link to the queue's home.
 */
type Answer = { readonly maxsize: number; readonly shutDown: boolean } | { readonly served: readonly string[] }

/** The first byte of what a client wants. Behind WANTS_QUEUE stands the name. */
export const WANTS_QUEUE: Uint8Array = Uint8Array.of(1)
export const WANTS_CONNECTION: Uint8Array = Uint8Array.of(0)

/** The most bytes of a name. */
const LONGEST_NAME = 200

export function checkServed(name: string, queue: unknown, transport: NetworkTransport): void {
  checkName(name)
  if (!(queue instanceof Queue)) throw new TypeError(`'${name}' is no Queue`)
  if (queue.transport !== transport || !queue.home) {
    throw new MpError('MP_NOT_SHAREABLE', `serve '${name}' in the context that made it: the items are there`)
  }
}

function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`the name of a queue must be a string, not ${typeof name}`)
  const length = Buffer.byteLength(name)
  if (length === 0 || length > LONGEST_NAME)
    throw new RangeError(`the name of a queue must have 1 to ${LONGEST_NAME} bytes, not ${length}`)
}

/** The server's part. */
export function answerRequest(
  wire: Wire,
  name: string,
  queues: ReadonlyMap<string, Queue>,
  transport: NetworkTransport,
): void {
  const home = queues.get(name)?.home
  const answer: Answer = home ? { maxsize: home.maxsize, shutDown: home.isShutDown } : { served: [...queues.keys()] }
  wire.send(Uint8Array.from(Buffer.from(JSON.stringify(answer))))
  if (home) home.admit(wire, networkOf(transport))
  else wire.close()
}

/** The client's part. */
export async function openServedQueue(
  context: Context,
  transport: NetworkTransport,
  address: string,
  name: string,
  { key, signal }: Pick<Introduction, 'key' | 'signal'>,
): Promise<Queue> {
  checkName(name)
  const wanted = Buffer.concat([WANTS_QUEUE, Buffer.from(name)])
  const { wire, answer } = await introduce(() => transport.network.dial(address), { key, wanted, signal })
  let told: Answer
  try {
    told = readAnswer(answer)
  } catch (error) {
    wire.close()
    throw error
  }
  if ('served' in told) {
    wire.close()
    const names = told.served.map(each => `'${each}'`).join(', ') || 'none'
    throw new MpError('MP_INVALID_STATE', `no queue of the name '${name}' is served at ${address}, only: ${names}`)
  }
  const network = networkOf(transport)
  // An id of this program's own. The id in the other program means nothing here.
  const packed = { id: context.nextId(), maxsize: told.maxsize, shutDown: told.shutDown, end: 0 }
  return new Queue(context, network, new RemoteQueue(context, network, packed, wire).use())
}

function readAnswer(bytes: Uint8Array): Answer {
  try {
    const told = JSON.parse(Buffer.from(bytes).toString()) as Partial<Record<string, unknown>>
    const { served, maxsize, shutDown } = told
    if (Array.isArray(served)) return { served: served.map(String) }
    if (typeof maxsize === 'number' && typeof shutDown === 'boolean') return { maxsize, shutDown }
  } catch {
    // Handled below, with JSON that is no answer.
  }
  throw new MpError('MP_DECODE', 'what serves the queue answered with something else')
}
