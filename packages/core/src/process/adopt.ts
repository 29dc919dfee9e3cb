import { BarrierHome } from '../barrier/home.js'
import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import type { Parcel } from '../link/wire-end.js'
import { DepositHome } from '../queue/attachments-home.js'
import { type Estate, unpackItem } from '../queue/handover.js'
import { type Item, QueueHome } from '../queue/home.js'
import { SemaphoreHome } from '../semaphore/home.js'
import type { Transport } from '../spi.js'

/** Items of queues of which the rest is still to come, by the queue's id. */
export type Inherited = Map<string, Item[]>

/** Makes `context` the home of what a child that ended leaves to it. */
export function adopt(
  context: Context,
  transport: Transport,
  estate: Estate,
  parcelAt: (index: number) => Parcel,
  inherited: Inherited,
): void {
  switch (estate.kind) {
    case 'items': {
      const items = inherited.get(estate.id) ?? []
      for (const item of estate.items) items.push(unpackItem(item, parcelAt))
      inherited.set(estate.id, items)
      return
    }
    case 'queue': {
      const first = inherited.get(estate.id) ?? []
      inherited.delete(estate.id)
      return QueueHome.adopt(context, transport, estate, parcelAt, first)
    }
    case 'deposits':
      return DepositHome.adopt(context, transport, estate, parcelAt)
    case 'semaphore':
      return SemaphoreHome.adopt(context, transport, estate, parcelAt)
    case 'barrier':
      return BarrierHome.adopt(context, transport, estate, parcelAt)
    default:
      throw new MpError('MP_DECODE', 'an estate of an unknown kind')
  }
}
