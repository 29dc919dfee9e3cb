import { type BarrierEstate, BarrierHome } from '../barrier/home.js'
import type { Context } from '../context/context.js'
import { MpError } from '../errors.js'
import type { Parcel } from '../link/wire-end.js'
import { type AttachmentsEstate, AttachmentsHome } from '../queue/attachments-home.js'
import type { QueueEstate, QueueItems } from '../queue/handover.js'
import { QueueHome } from '../queue/home.js'
import { type Item, unpackItem } from '../queue/item.js'
import { nativeQueues } from '../queue/native.js'
import { type SemaphoreEstate, SemaphoreHome } from '../semaphore/home.js'
import type { Transport } from '../transport/transport.js'

/** What a child that ends in order leaves to its parent: the queues, locks and barriers whose home it is. */
export type Estate = QueueEstate | QueueItems | AttachmentsEstate | SemaphoreEstate | BarrierEstate

/** Items of queues whose own state is still to come, by the queue's id. */
export type Inherited = Map<string, Item[]>

/** Makes `context` the home of what a child leaves to it. */
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
      return AttachmentsHome.adopt(context, transport, estate, parcelAt, nativeQueues(context).get(estate.id)?.engine)
    case 'semaphore':
      return SemaphoreHome.adopt(context, transport, estate, parcelAt)
    case 'barrier':
      return BarrierHome.adopt(context, transport, estate, parcelAt)
    default:
      throw new MpError('MP_DECODE', 'an estate of an unknown kind')
  }
}
