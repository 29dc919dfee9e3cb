import { ofKind } from '../broker/of-kind.js'
import type { Context } from '../context/context.js'
import type { HandleOpener } from '../context/message-reader.js'
import { MpError } from '../errors.js'
import { discard, type End, open } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import { AttachmentsHome } from './attachments-home.js'
import { HolderAttachments, HomeAttachments } from './attachments-remote.js'
import type { JoinableBackend, PackedQueue, QueueBackend } from './backend.js'
import { QueueHome } from './home.js'
import { LocalQueue } from './local.js'
import { NativeQueueBackend, nativeQueues } from './native.js'
import { RemoteQueue } from './remote.js'

/** Makes a queue: one of the medium's own if it has such, else one whose home is `context`. */
export function makeQueueBackend(context: Context, transport: Transport, maxsize: number): QueueBackend {
  const engine = transport.engines?.queue?.create(maxsize)
  if (!engine) return makeBrokeredQueue(context, transport, maxsize)
  const id = context.nextId()
  const attachments = new HomeAttachments(new AttachmentsHome(context, transport, id, engine))
  return new NativeQueueBackend(context, transport, id, engine, attachments).use()
}

/** Makes a queue whose home is `context`, even if the medium has queues of its own. */
export function makeBrokeredQueue(context: Context, transport: Transport, maxsize: number): JoinableBackend {
  return new LocalQueue(new QueueHome(context, transport, context.nextId(), maxsize), context, transport)
}

/** Makes a queue that arrived in a message usable in `context`. */
export function openQueueBackend(...[context, transport, state, endOf]: Parameters<HandleOpener>): QueueBackend {
  const { id, end, memory } = state as PackedQueue
  if (memory !== undefined) return openNative(context, transport, state, endOf)
  const known = ofKind(context.remotes.get(id), RemoteQueue)
  const home = ofKind(context.homes.get(id), QueueHome)
  const wire = endOf(end)
  if (!home && !known) return new RemoteQueue(context, transport, state, open(wire, transport)).use()
  // If the home has moved here since, a context that has put over its link goes on so: one producer has one order.
  const backend = known ? known.use() : new LocalQueue(home as QueueHome, context, transport)
  // Not before: a home that nobody holds and that this context does not use drops its items.
  discard(wire, transport)
  return backend
}

function openNative(
  context: Context,
  transport: Transport,
  { id, memory, end }: PackedQueue,
  endOf: (index: number) => End,
): QueueBackend {
  const known = nativeQueues(context).get(id)
  if (known) {
    known.use()
    discard(endOf(end), transport)
    return known
  }
  const home = ofKind(context.homes.get(id), AttachmentsHome)
  const engine = home?.engine ?? transport.engines?.queue?.open(memory)
  if (!engine) throw new MpError('MP_DECODE', `a native queue came to ${transport.name}, which has none`)
  const wire = endOf(end)
  const attachments = home ? new HomeAttachments(home) : new HolderAttachments(context, transport, id, wire)
  const backend = new NativeQueueBackend(context, transport, id, engine, attachments).use()
  // Not before, as above.
  if (home) discard(wire, transport)
  return backend
}
