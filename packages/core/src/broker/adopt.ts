import type { Context } from '../context.js'
import type { Parcel } from '../end.js'
import { MpError } from '../errors.js'
import type { Transport } from '../spi.js'
import { BarrierHome } from '../sync/barrier-home.js'
import { SemaphoreHome } from '../sync/semaphore-home.js'
import { DepositHome } from './deposit-home.js'
import type { Estate } from './estate.js'
import { QueueHome } from './home.js'

/** Makes `context` the home of what a child that ended leaves to it. */
export function adopt(
  context: Context,
  transport: Transport,
  estate: Estate,
  parcelAt: (index: number) => Parcel,
): void {
  switch (estate.kind) {
    case 'queue':
      return QueueHome.adopt(context, transport, estate, parcelAt)
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
