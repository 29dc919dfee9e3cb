import { PACK, type PackedHandle } from '../codec/handle.js'
import type { Context } from '../context/context.js'
import type { HandlePacking } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import type { WaitOptions } from '../runtime/wait-options.js'
import type { JoinableBackend } from './backend.js'
import { makeBrokeredQueue } from './open.js'
import { Queue } from './queue.js'

/** A Queue that knows when all that was put into it has been dealt with. */
export class JoinableQueue<T = unknown> extends Queue<T> {
  /**
   * One item that was taken has been dealt with. MP_INVALID_STATE when that was said for every item before; an immediate
   * shutdown says it for those that it drops.
   */
  async taskDone(): Promise<void> {
    if (await (this.backend as JoinableBackend).taskDone()) return
    throw new MpError('MP_INVALID_STATE', 'taskDone was called more often than items were put')
  }

  /**
   * Waits until `taskDone` has been called, by anyone, for every item that was put. MP_TIMEOUT after `timeout` ms: a consumer
   * that was killed with an item says nothing any more.
   */
  async join(options?: WaitOptions): Promise<void> {
    return this.wait(options, waits => (this.backend as JoinableBackend).tasksDone(options, waits))
  }

  /** @internal Its home counts what has been dealt with: a native queue has nobody who could. */
  protected override makeBackend(context: Context, maxsize: number): JoinableBackend {
    return makeBrokeredQueue(context, this.transport, maxsize)
  }

  /** @internal */
  override [PACK](packing: HandlePacking): PackedHandle {
    return { ...super[PACK](packing), kind: 'joinable-queue' }
  }
}
