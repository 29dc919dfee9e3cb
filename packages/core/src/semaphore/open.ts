import { ofKind } from '../broker/of-kind.js'
import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import { discard, type End, open } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import { type PackedSemaphore, type SemaphoreBackend, UNLIMITED } from './backend.js'
import { SemaphoreHome } from './home.js'
import { LocalSemaphore } from './local.js'
import { NativeSemaphoreBackend, sharedSemaphores } from './native.js'
import { RemoteSemaphore } from './remote.js'

/** Makes a semaphore: one of the medium's own if it has such, else one whose home is `context`. */
export function makeSemaphore(
  context: Context,
  transport: Transport,
  value: number,
  limit: number = UNLIMITED,
): SemaphoreBackend {
  const id = context.nextId()
  const engine = transport.engines?.semaphore?.create(value, limit)
  if (engine) return new NativeSemaphoreBackend(context, id, engine).use()
  return LocalSemaphore.of(new SemaphoreHome(context, transport, id, value, limit)).use()
}

/** Opens a semaphore that arrived in a message. Gives this context's only object for it. */
export function openSemaphore(
  context: Context,
  transport: Transport,
  { id, end, memory }: PackedSemaphore,
  endOf: (index: number) => End,
): SemaphoreBackend {
  if (memory !== undefined) return openNative(context, transport, id, memory)
  const known = ofKind(context.remotes.get(id), RemoteSemaphore)
  const home = ofKind(context.homes.get(id), SemaphoreHome)
  const wire = endOf(end as number)
  if (known || home) discard(wire, transport)
  // If the home has moved here since, a context that has held over its link goes on so: home knows its grants by that link.
  const backend = known ?? (home && LocalSemaphore.of(home))
  return (backend ?? new RemoteSemaphore(context, transport, id, open(wire, transport))).use()
}

function openNative(context: Context, transport: Transport, id: string, memory: unknown): SemaphoreBackend {
  const known = sharedSemaphores(context).get(id)
  if (known) return known.use()
  const engine = transport.engines?.semaphore?.open(memory)
  if (!engine) throw new MpError('MP_DECODE', `a native semaphore came to ${transport.name}, which has none`)
  const backend = new NativeSemaphoreBackend(context, id, engine)
  sharedSemaphores(context).set(id, backend)
  return backend.use()
}
