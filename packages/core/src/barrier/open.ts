import { ofKind } from '../broker/of-kind.js'
import type { Context } from '../context/context.js'
import { discard, type End, open } from '../link/wire-end.js'
import { checkWait } from '../runtime/wait-options.js'
import { checkCount } from '../semaphore/semaphore.js'
import type { Transport } from '../transport/transport.js'
import type { BarrierBackend, PackedBarrier } from './backend.js'
import { Barrier, type BarrierOptions } from './barrier.js'
import { BarrierHome } from './home.js'
import { LocalBarrier } from './local.js'
import { RemoteBarrier } from './remote.js'

/** Makes what a new Barrier consists of. Its home is `context`. Throws if the options make no sense. */
export function makeBarrier(
  context: Context,
  transport: Transport,
  parties: number,
  { action, timeout = null }: BarrierOptions = {},
): [BarrierBackend, number | null] {
  checkCount(parties, 1, 'parties')
  if (action !== undefined && typeof action !== 'function') throw new TypeError('action must be a function')
  checkWait({ timeout })
  // The action runs when a message comes, but belongs to the async context in which the barrier was made.
  const bound = action && process.getBuiltinModule('node:async_hooks').AsyncResource.bind(action)
  const home = new BarrierHome(context, transport, context.nextId(), parties, bound)
  return [LocalBarrier.of(home).use(), timeout]
}

/** Opens a barrier that arrived in a message. */
export function openBarrier(
  context: Context,
  transport: Transport,
  state: never,
  endOf: (index: number) => End,
): Barrier {
  const { id, parties, timeout, end }: PackedBarrier = state
  const known = ofKind(context.remotes.get(id), RemoteBarrier)
  const home = ofKind(context.homes.get(id), BarrierHome)
  const wire = endOf(end)
  if (known || home) discard(wire, transport)
  const local = home && LocalBarrier.of(home)
  const backend = known ?? local ?? new RemoteBarrier(context, transport, id, parties, open(wire, transport))
  return new Barrier(transport, backend.use(), timeout)
}
