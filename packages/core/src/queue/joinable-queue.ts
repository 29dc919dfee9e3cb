import { PACK, type PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { JoinableBackend } from './backend.js'
import { makeBrokeredQueue } from './open.js'
import { Queue } from './queue.js'

/** A Queue that knows when every item that was put into it has been dealt with. */
export class JoinableQueue<T = unknown> extends Queue<T> {
  /**
   * Says that one item that was taken has been dealt with. Rejects with MP_INVALID_STATE if this was already said for every
   * item that was put. An immediate shutdown says it for the items that it drops.
   */
  async taskDone(): Promise<void> {
    if (await (this.backend as JoinableBackend).taskDone()) return
    throw new MpError('MP_INVALID_STATE', 'taskDone was called more often than items were put')
  }

  /**
   * Waits until `taskDone` has been called, by anyone, for every item that was put. Rejects with MP_TIMEOUT after `timeout`
   * ms. Set one if consumers may be killed: nobody calls `taskDone` for the item that such a consumer had.
   */
  async join(options?: WaitOptions): Promise<void> {
    return this.wait(options, waits => (this.backend as JoinableBackend).tasksDone(options, waits))
  }

  /** @internal Always a queue with a home, which counts what has been dealt with. A native queue has nobody to do that. */
  protected override makeBackend(context: Context, maxsize: number): JoinableBackend {
    return makeBrokeredQueue(context, this.transport, maxsize)
  }

  /** @internal */
  override [PACK](packing: HandlePacking): PackedHandle {
    return { ...super[PACK](packing), kind: 'joinable-queue' }
  }
}
