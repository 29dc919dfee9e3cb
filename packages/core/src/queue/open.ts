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
  const wire = endOf(end)
  if (memory !== undefined) return openNative(context, transport, id, memory, wire)
  const home = context.homes.get(id)
  const known = context.remotes.get(id)
  if (!home && !known) return new RemoteQueue(context, transport, state, open(wire, transport)).use()
  // If the home has moved here since, a context that has put over its link goes on so: one producer has one order.
  const backend = known ? (known as RemoteQueue).use() : new LocalQueue(home as QueueHome, context, transport)
  // Not before: a home that nobody holds and that this context does not use drops its items.
  discard(wire, transport)
  return backend
}

function openNative(context: Context, transport: Transport, id: string, memory: unknown, end: End): QueueBackend {
  const known = nativeQueues(context).get(id)
  const home = context.homes.get(id)
  const backend = known?.use() ?? makeNative(context, transport, id, memory, end)
  // Not before, as above.
  if (known || home) discard(end, transport)
  return backend
}

function makeNative(context: Context, transport: Transport, id: string, memory: unknown, end: End): QueueBackend {
  const home = context.homes.get(id)
  const local = home instanceof AttachmentsHome ? home : undefined
  const engine = local?.engine ?? transport.engines?.queue?.open(memory)
  if (!engine) throw new MpError('MP_DECODE', `a native queue came to ${transport.name}, which has none`)
  const attachments = local ? new HomeAttachments(local) : new HolderAttachments(context, transport, id, end)
  return new NativeQueueBackend(context, transport, id, engine, attachments).use()
}
