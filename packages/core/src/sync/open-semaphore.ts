import type { Context } from '../context.js'
import { discard, type End, open } from '../end.js'
import type { Transport } from '../spi.js'
import { type PackedSemaphore, type SemaphoreBackend, UNLIMITED } from './backend.js'
import { SemaphoreClient } from './semaphore-client.js'
import { SemaphoreHome } from './semaphore-home.js'

/** A new semaphore, whose home is `context`. */
export function makeSemaphore(
  context: Context,
  transport: Transport,
  value: number,
  limit: number = UNLIMITED,
): SemaphoreBackend {
  return new SemaphoreHome(context, transport, context.nextId(), value, limit).local.use()
}

/** A semaphore that arrived in a message: this context's one object for it. */
export function openSemaphore(
  context: Context,
  transport: Transport,
  { id, end }: PackedSemaphore,
  endOf: (index: number) => End,
): SemaphoreBackend {
  const wire = endOf(end)
  const home = context.homes.get(id)
  const known = context.clients.get(id)
  if (known instanceof SemaphoreClient || home instanceof SemaphoreHome) {
    discard(wire, transport)
    // Who holds over a client goes on so, also where the home has come here since: what it holds is known there.
    return known instanceof SemaphoreClient ? known.use() : (home as SemaphoreHome).local.use()
  }
  return new SemaphoreClient(context, transport, id, open(wire, transport)).use()
}
